"""Derivatives as functions of functions: grad, vjp, jvp, Jacobians and Hessians, of one example or, under vmap, of
each.

All of them run the function on fresh leaves and walk its graph once for each row that is asked for. Rows are asked for
together, by vmap. What they return has a graph again, so they can be applied to each other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ..engine.backward import grad as gradients_of
from ..engine.tape import enable_grad, mode
from ..engine.tensor import Tensor
from ..law.errors import StandsForMany
from ..ops import eye, ones_like, stack, zeros_like
from ..seeding import default_generator
from .levels import everywhere, inside, plain
from .trees import leaves, tree_map
from .vmap import vmap

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]

Function = Callable[..., Any]


def grad(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the gradient of `func`, which returns one number.

    argnums  which arguments to differentiate by: one, or several, for which a tuple is returned
    has_aux  func returns (number, more), and the new function (gradient, more)

    Raises ValueError if func returns anything but one number.

    >>> from chalkgrad import tensor
    >>> square = lambda x: x * x
    >>> grad(square)(tensor(3.0)), grad(grad(square))(tensor(3.0))
    (tensor(6.), tensor(2.))
    >>> rows = tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> vmap(grad(lambda w, x: (w * x).sum() ** 2), in_dims=(None, 0))(tensor([1.0, 1.0]), rows)
    tensor([[ 6., 12.],
            [42., 56.]])
    """

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return derived


def grad_and_value(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Return the function that computes both the gradient of `func` and what it returns: (gradient, value).

    >>> from chalkgrad import tensor
    >>> grad_and_value(lambda x: x * x)(tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        run = _Run(_of_some(func, args, kwargs, places), [args[i] for i in places], has_aux)
        if not isinstance(run.value, Tensor) or run.value.shape != ():
            raise ValueError(f"grad: the function returns one number, but {getattr(run.value, 'shape', run.value)!r} "
                             f"came. "
                             "Take a sum or a mean, or use jacrev.")
        found = run.pull(inside(ones_like(plain(run.value)), run.value))
        value = (run.settled(), run.more) if has_aux else run.settled()
        return (found[0] if isinstance(argnums, int) else found), value

    return derived


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return func(*primals), and a function that takes a gradient of that to the gradients of the primals.

    The product of a vector and the Jacobian, without the Jacobian: vᵀ J.

    >>> from chalkgrad import tensor
    >>> y, pull = vjp(lambda x: x * x, tensor([1.0, 2.0]))
    >>> y, pull(tensor([1.0, 10.0]))
    (tensor([1., 4.]), (tensor([ 2., 40.]),))
    """
    run = _Run(func, primals, has_aux)
    return (run.settled(), run.pull, run.more) if has_aux else (run.settled(), run.pull)


def jvp(func: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...], *, has_aux: bool = False) -> Any:
    """Return func(*primals), and its derivative along the tangents: J v.

    uᵀJ is linear in u, and its derivative by u, in the direction of v, is J v: two passes backward make one forward.

    >>> from chalkgrad import tensor
    >>> jvp(lambda x: x * x, (tensor([1.0, 2.0]),), (tensor([1.0, 10.0]),))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or len(primals) != len(tangents):
        raise ValueError("jvp: primals and tangents are tuples of as many Tensors each.")
    run = _Run(func, primals, has_aux)
    made = run.along(*leaves(tangents))
    return (run.settled(), made, run.more) if has_aux else (run.settled(), made)


def jacrev(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the Jacobian of `func`, row by row: ∂y/∂x has shape (*y.shape, *x.shape).

    All rows are asked for at once, by vmap; one after the other if `func` looks at numbers, writes into Tensors, as
    running averages, or draws.

    >>> from chalkgrad import tensor
    >>> jacrev(lambda x: x * x)(tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def run() -> _Run:
            return _Run(_of_some(func, args, kwargs, places), [args[i] for i in places], has_aux)

        def row(one: _Run, basis: Tensor, place: int) -> Any:
            ys = enumerate(leaves(one.value))
            seeds = iter([basis if i == place else inside(zeros_like(plain(y)), y) for i, y in ys])
            found = one.pull(tree_map(lambda _: next(seeds), one.value))
            return found[0] if isinstance(argnums, int) else found

        def rows(place: int, y: Tensor) -> Any:
            found = _for_each(
                lambda basis: row(run(), basis, place), lambda basis: row(whole, basis, place), _basis(y), draws)
            return tree_map(lambda g: g.reshape(*y.shape, *g.shape[1:]), found)

        whole, draws = _noted(run)
        made = iter([rows(place, y) for place, y in enumerate(leaves(whole.value))])
        jacobian = tree_map(lambda _: next(made), whole.value)
        return (jacobian, whole.more) if has_aux else jacobian

    return derived


def jacfwd(
    func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """Return the function that computes the Jacobian of `func`, column by column.

    randomness  "error": random numbers may not be drawn; "same": all columns are of one draw

    Raises RuntimeError if random numbers are drawn that may not be.

    >>> from chalkgrad import tensor
    >>> jacfwd(lambda x: x * x)(tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        def columns(place: int) -> Any:
            def run() -> _Run:
                return _Run(_of_some(func, args, kwargs, (place,)), [args[place]], has_aux)

            whole, draws = _noted(run)
            if draws and randomness == "error":
                raise RuntimeError("jacfwd: the function draws random numbers. Say randomness='same' if all columns "
                                   "are to be of the same ones.")
            found = _for_each(lambda unit: run().along(unit), lambda unit: whole.along(unit), _basis(args[place]),
                              draws, -1)
            return tree_map(lambda g: g.reshape(*g.shape[:-1], *args[place].shape), found), whole.more

        if randomness not in ("error", "same"):
            raise ValueError(f"jacfwd: randomness is 'error' or 'same', but {randomness!r} came.")
        found = [columns(place) for place in ((argnums,) if isinstance(argnums, int) else argnums)]
        blocks = [block for block, _ in found]
        jacobian = blocks[0] if isinstance(argnums, int) else tree_map(lambda *each: each, *blocks)
        return (jacobian, found[0][1]) if has_aux else jacobian

    return derived


def hessian(func: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the function that computes the second derivatives of `func`, which returns one number.

    >>> from chalkgrad import tensor
    >>> hessian(lambda x: (x**3).sum())(tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


# ---------------------------------------------------------------------------------------------------------- the pass


class _Run:
    """A function that was run on leaves of its own, so that its derivatives can be asked for.

    value    what it returned; `more`, what it returned beside
    fresh    the leaves, built like the arguments
    further  whether the graph goes on behind them: to leaves of the caller, who may differentiate once more
    """

    def __init__(self, func: Function, primals: Any, has_aux: bool = False) -> None:
        with enable_grad():
            self.fresh = tuple(tree_map(_leaf, each) for each in primals)
            made = func(*self.fresh)
        self.value: Any
        self.more: Any
        self.value, self.more = made if has_aux else (made, None)
        self.own = [plain(x) for x in leaves(self.fresh)]
        self.further = mode.grad_enabled and _goes_on([plain(y) for y in leaves(self.value)], self.own)

    def pull(self, cotangents: Any, create_graph: bool | None = None) -> Any:
        """Take a gradient of the value to the gradients of the arguments."""
        ends = zip(leaves(self.value), leaves(cotangents), strict=True)
        pairs = [(plain(everywhere(y)), plain(everywhere(_tensor(seed)))) for y, seed in ends if y.requires_grad]
        found: Any = [None] * len(self.own)
        if pairs:
            ys, seeds = zip(*pairs, strict=True)
            create = self.further or any(seed.requires_grad for seed in seeds) if create_graph is None else create_graph
            found = gradients_of(ys, self.own, seeds, retain_graph=True, create_graph=create, allow_unused=True)
        made = iter([zeros_like(x) if g is None else g for g, x in zip(found, self.own, strict=True)])
        return tree_map(lambda x: inside(next(made), x), self.fresh)

    def along(self, *tangents: Tensor) -> Any:
        """Take changes of the arguments to that of the value; it has a history if there is one that goes on."""
        made = self.push([plain(everywhere(_tensor(v))) for v in tangents])
        return tree_map(lambda _, v: v if self.further or v.requires_grad else v.detach(), self.value, made)

    def push(self, along: list[Tensor]) -> Any:
        """Take changes of the arguments to that of the value: pulled back, u becomes uᵀJ, whose slope by u is J."""
        with enable_grad():
            u = [zeros_like(plain(y)).requires_grad_() for y in leaves(self.value)]
            each = iter(u)
            rows = leaves(self.pull(tree_map(lambda y: inside(next(each), y), self.value), create_graph=True))
            pairs = [(plain(row), v) for row, v in zip(rows, along, strict=True) if plain(row).requires_grad]
        found: Any = [None] * len(u)
        if pairs:
            rows, along = map(list, zip(*pairs, strict=True))
            create = mode.grad_enabled and (self.further or any(v.requires_grad for v in along))
            found = gradients_of(rows, u, along, retain_graph=True, create_graph=create, allow_unused=True)
        made = iter([zeros_like(x) if g is None else g for g, x in zip(found, u, strict=True)])
        return tree_map(lambda y: inside(next(made), y), self.value)

    def settled(self) -> Any:
        """The value, without the history that ends in the leaves of this run."""
        return self.value if self.further else tree_map(lambda y: y.detach(), self.value)


def _noted(run: Callable[[], _Run]) -> tuple[_Run, bool]:
    """Run a function, and tell whether it drew random numbers: if so, it would draw others the next time."""
    before = default_generator().bit_generator.state
    return run(), default_generator().bit_generator.state != before


def _for_each(again: Function, alone: Function, basis: Tensor, draws: bool, axis: int = 0) -> Any:
    """Ask for a part of a Jacobian for each unit vector: for all at once, by running the function again under vmap.

    Where it cannot be run so, since it looks at numbers, writes into Tensors or draws, the one run that there is must
    do: its graph is walked for one after the other.
    """
    if not basis.shape[0]:
        return tree_map(lambda g: stack([g], axis).narrow(axis, 0, 0), alone(basis.sum(0)))
    if not draws:
        try:
            return vmap(again, out_dims=axis)(basis)
        except StandsForMany:
            pass
    return tree_map(lambda *parts: stack(parts, axis), *[alone(unit) for unit in basis])


def _basis(y: Tensor) -> Tensor:
    """List the unit vectors of a shape: (count, *shape)."""
    count = math.prod(y.shape)
    basis: Tensor = eye(count, dtype=y.dtype).reshape(count, *y.shape)
    return basis


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _of_some(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any], places: tuple[int, ...]) -> Function:
    """Make a function of a few of its arguments; the others stay as they are."""
    return lambda *chosen: func(*_with(args, places, chosen), **kwargs)


def _with(args: tuple[Any, ...], places: tuple[int, ...], chosen: tuple[Any, ...]) -> list[Any]:
    """Put other arguments in some places."""
    full = list(args)
    for place, value in zip(places, chosen, strict=True):
        full[place] = value
    return full


def _leaf(x: Tensor) -> Tensor:
    """Make a value that is told apart from x, and depends on it; each example of a vmap gets one of its own."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise TypeError(f"Derivatives are by Tensors of floats, but {x!r:.60} came.")
    x = everywhere(x)
    fresh = plain(x) * 1
    return inside(fresh if fresh.requires_grad else fresh.requires_grad_(), x)


def _goes_on(outputs: list[Tensor], own: list[Tensor]) -> bool:
    """Tell whether a graph leads to more than the leaves that are known."""
    known = {x.node or x for x in own}
    stack = [y.node or y for y in outputs if y.requires_grad]
    seen = set(stack)
    while stack:
        edge = stack.pop()
        if isinstance(edge, Tensor) and edge not in known:
            return True
        for more in getattr(edge, "edges", ()):
            if more not in seen:
                seen.add(more)
                stack.append(more)
    return False
