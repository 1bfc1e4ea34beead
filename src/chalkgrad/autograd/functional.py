"""Jacobians, Hessians, and their products with vectors, of functions of one or several Tensors.

`func` is a function of as many Tensors as `inputs` has, of which all floats count; it returns a Tensor or a tuple of
them. With one Tensor in `inputs`, results are Tensors; with a tuple, tuples. Everywhere:

create_graph  the results can be differentiated again
strict        raise ValueError where an output does not depend on an input, instead of filling in zeros
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import func as transforms
from ..engine.backward import grad
from ..engine.tape import enable_grad
from ..engine.tensor import Tensor, wrap
from ..ops import ones_like, stack, zeros_like

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]
Tensors = Tensor | tuple[Tensor, ...]


def vjp(func: Function, inputs: Tensors, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, vᵀ J): a vector times the Jacobian.

    v  in the shape of the outputs; may be left out if they are one number

    >>> from chalkgrad import tensor
    >>> vjp(lambda x: x * x, tensor([1.0, 2.0]), tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    run = _Run("vjp", func, inputs, create_graph, strict)
    found = run.pull(run.directions(v, run.outputs, "outputs"))
    return run.told(run.outputs, run.several_outputs), run.told(found, run.several)


def jvp(func: Function, inputs: Tensors, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, J v): the Jacobian times a vector, by two passes backward.

    v  in the shape of the inputs; may be left out if they are one number

    >>> from chalkgrad import tensor
    >>> jvp(lambda x: x * x, tensor([1.0, 2.0]), tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    run = _Run("jvp", func, inputs, create_graph, strict)
    along = run.directions(v, run.inputs, "inputs")
    with enable_grad():
        u = [zeros_like(y).requires_grad_() for y in run.outputs]
        rows = run.pull(u, create_graph=True)
    found = _grad(rows, u, along, create_graph)  # uᵀJ is linear in u, and its slope by u, along v, is J v
    return run.told(run.outputs, run.several_outputs), run.told(_filled(found, u), run.several_outputs)


def jacobian(
    func: Function, inputs: Tensors, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return all derivatives: for each output and input a Tensor (*output.shape, *input.shape).

    vectorize  all rows at once, by vmap, instead of one after the other
    strategy   "reverse-mode", row by row, or "forward-mode", column by column, which takes vectorize=True

    >>> from chalkgrad import tensor
    >>> jacobian(lambda x, y: x * y, (tensor([1.0, 2.0]), tensor(3.0)))
    (tensor([[3., 0.],
            [0., 3.]]), tensor([1., 2.]))
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"jacobian: strategy is 'reverse-mode' or 'forward-mode', but {strategy!r} came.")
    if strategy == "forward-mode" and (create_graph or not vectorize):
        raise ValueError("jacobian: strategy='forward-mode' takes vectorize=True and create_graph=False.")
    if vectorize and strict:
        raise ValueError("jacobian: strict=True looks at one row after the other; it takes vectorize=False.")
    run = _Run("jacobian", func, inputs, create_graph, strict)
    if vectorize:
        way = transforms.jacrev if strategy == "reverse-mode" else transforms.jacfwd
        with enable_grad() if create_graph else _as_it_is():
            made = way(lambda *given: func(*given), tuple(range(len(run.inputs))))(*run.inputs)
        blocks = made if run.several_outputs else (made,)
    else:
        blocks = tuple(run.rows(y) for y in run.outputs)
    told = tuple(run.told(block, run.several) for block in blocks)
    return told if run.several_outputs else told[0]


def hessian(
    func: Function, inputs: Tensors, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return all second derivatives of a function that returns one number: (*input.shape, *input.shape) for each pair.

    >>> from chalkgrad import tensor
    >>> hessian(lambda x: (x**3).sum(), tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, given = isinstance(inputs, tuple), _listed(inputs)

    def gradient(*given: Tensor) -> tuple[Tensor, ...]:
        if vectorize:
            by_all: tuple[Tensor, ...] = transforms.grad(
                lambda *x: _number("hessian", func(*x)), tuple(range(len(given))))(*given)
            return by_all
        with enable_grad():
            value = _number("hessian", func(*given))
            found = _filled(_grad([value], list(given), [None], True), given)
        if strict and any(not g.requires_grad for g in found):
            raise ValueError("hessian: strict=True, and the gradient by an input does not depend on the inputs.")
        return tuple(found)

    made = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return made if several else made[0][0]


def vhp(func: Function, inputs: Tensors, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, vᵀ H): a vector times the Hessian of a function that returns one number.

    >>> from chalkgrad import tensor
    >>> vhp(lambda x: (x**3).sum(), tensor([1.0, 2.0]), tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    run = _Run("vhp", func, inputs, create_graph, strict)
    value = _number("vhp", run.outputs[0])
    along = run.directions(v, run.inputs, "inputs")
    slopes = run.filled(_grad([value], run.inputs, [None], True))
    found = run.filled(_grad(slopes, run.inputs, along, create_graph))
    return run.told([value], False), run.told(found, run.several)


def hvp(func: Function, inputs: Tensors, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, H v). A Hessian is symmetric, so that is vᵀ H (Pearlmutter 1994).

    >>> from chalkgrad import tensor
    >>> hvp(lambda x: (x**3).sum(), tensor([1.0, 2.0]), tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return vhp(func, inputs, v, create_graph, strict)


class _Run:
    """A function that was called with leaves of its own; or with what depends on its inputs, if they are to matter."""

    def __init__(self, name: str, func: Function, inputs: Tensors, create_graph: bool, strict: bool) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.several = isinstance(inputs, tuple)
        with enable_grad():
            self.inputs = [_leaf(name, x, create_graph) for x in _listed(inputs)]
            outputs = func(*self.inputs)
        self.several_outputs = isinstance(outputs, tuple | list)
        self.outputs = list(_listed(outputs))
        if any(not isinstance(y, Tensor) for y in self.outputs):
            raise TypeError(f"{name}: the function returns a Tensor or a tuple of them, but {outputs!r:.60} came.")
        if strict and any(not y.requires_grad for y in self.outputs):
            raise ValueError(f"{name}: strict=True, and an output does not depend on the inputs.")

    def directions(self, v: Any, like: Sequence[Tensor], what: str) -> list[Tensor]:
        """Check a vector against what it goes with; a single number may do without."""
        if v is None:
            if len(like) != 1 or like[0].data.size != 1:
                raise ValueError(f"{self.name}: v may be left out only if the {what} are one number; "
                                 f"they have the shapes {[x.shape for x in like]}.")
            return [ones_like(like[0])]
        given = [x if isinstance(x, Tensor) else Tensor(x) for x in _listed(v)]
        if [x.shape for x in given] != [x.shape for x in like]:
            raise ValueError(f"{self.name}: v has the shapes {[x.shape for x in given]}, but the {what} have "
                             f"{[x.shape for x in like]}; they must be equal.")
        return given

    def pull(self, seeds: Sequence[Tensor], create_graph: bool | None = None) -> list[Tensor]:
        """Take gradients of the outputs to those of the inputs."""
        create = self.create_graph if create_graph is None else create_graph
        return self.filled(_grad(self.outputs, self.inputs, seeds, create))

    def filled(self, found: Sequence[Tensor | None]) -> list[Tensor]:
        if self.strict and any(g is None for g in found):
            raise ValueError(f"{self.name}: strict=True, and the outputs do not depend on input "
                             f"{[g is None for g in found].index(True)}.")
        return _filled(found, self.inputs)

    def rows(self, y: Tensor) -> list[Tensor]:
        """Derive each element of one output by all inputs."""
        flat = y.reshape(-1)
        found = [self.filled(_grad([flat[i]], self.inputs, [None], self.create_graph)) for i in range(flat.shape[0])]
        if not found:
            return [wrap(np.zeros((*y.shape, *x.shape), x.dtype), None) for x in self.inputs]
        columns = zip(*found, strict=True)
        return [stack(row).reshape(*y.shape, *x.shape) for row, x in zip(columns, self.inputs, strict=True)]

    def told(self, values: Sequence[Tensor], several: bool) -> Any:
        """Hand out results, without their history unless it was asked for, in a tuple if there are several."""
        made = tuple(value if self.create_graph else value.detach() for value in values)
        return made if several else made[0]


def _listed(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _leaf(name: str, x: Any, create_graph: bool) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: inputs are a Tensor or a tuple of them, but a {type(x).__name__} came.")
    return x * 1 if create_graph and x.requires_grad else x.detach().requires_grad_()


def _number(name: str, value: Any) -> Tensor:
    value = _listed(value)
    if len(value) != 1 or math.prod(value[0].shape) != 1:
        raise ValueError(f"{name}: the function returns one number, but {[y.shape for y in value]} came.")
    return value[0].reshape(())  # type: ignore[no-any-return]


def _grad(
    ys: Sequence[Tensor], xs: Sequence[Tensor], seeds: Sequence[Any], create_graph: bool
) -> Sequence[Tensor | None]:
    """Derive what depends on anything; None for inputs that nothing depends on."""
    pairs = [(y, seed) for y, seed in zip(ys, seeds, strict=True) if y.requires_grad]
    if not pairs:
        return [None] * len(xs)
    return grad([y for y, _ in pairs], xs, [seed for _, seed in pairs], retain_graph=True, create_graph=create_graph,
                allow_unused=True)


def _filled(found: Sequence[Tensor | None], xs: Sequence[Tensor]) -> list[Tensor]:
    return [zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]


class _as_it_is:
    """Leave it as it is whether a graph is recorded."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...
