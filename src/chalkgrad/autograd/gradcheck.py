"""gradcheck: hold the derivatives that a function claims to have against what they are, taken from differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..engine.backward import grad
from ..engine.tape import enable_grad
from ..engine.tensor import Tensor
from ..ops import zeros_like
from ..seeding import default_generator

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A derivative is not what differences say."""


def gradcheck(
    func: Callable[..., Any], inputs: Tensor | Sequence[Tensor], *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0, fast_mode: bool = False,
) -> bool:
    """Tell whether the derivatives of `func`, by all inputs that require one, are the slopes (f(x + ε) - f(x - ε)) /
    2ε.

    eps              half the step; it suits float64, and float32 is refused
    atol, rtol       how far they may be apart: atol + rtol · |slope|
    raise_exception  raise GradcheckError, which says where they differ; False returns False instead
    nondet_tol       how far two runs of the backward pass may be apart
    fast_mode        look along one random direction, instead of at every element

    Raises ValueError if no input requires a gradient, or one is not float64.

    >>> from chalkgrad import float64, tensor
    >>> gradcheck(lambda x: x.sin() * x, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
    True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ValueError("gradcheck: no input requires a gradient, so there is nothing to check.")
    if any(x.dtype != np.float64 for x in wanted):
        raise ValueError("gradcheck: differences need float64, but an input that requires a gradient is float32. "
                         "Try: x.double().detach().requires_grad_().")
    try:
        for number, y in enumerate(_outputs(func, inputs)):
            for words in _problems(func, inputs, wanted, number, y, eps, atol, rtol, nondet_tol, fast_mode):
                raise GradcheckError(words)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Tensor | Sequence[Tensor], grad_outputs: Any = None, *, eps: float = 1e-6,
    atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0, fast_mode: bool =
    False,
) -> bool:
    """Do the same for second derivatives: check the gradient, as a function of inputs and of what it starts with.

    grad_outputs  what the gradient starts with, for each output; random numbers if None

    >>> from chalkgrad import float64, tensor
    >>> gradgradcheck(lambda x: x.sin() * x, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
    True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = [y for y in _outputs(func, inputs) if y.requires_grad]
    given = [grad_outputs] if isinstance(grad_outputs, Tensor) else grad_outputs
    if given is None:
        given = [Tensor(default_generator().standard_normal(y.shape)) for y in outputs]
    seeds = [seed.detach().requires_grad_() for seed in given]

    def gradient(*values: Tensor) -> tuple[Tensor, ...]:
        some, starts = values[: len(inputs)], values[len(inputs) :]
        by = [x for x in some if isinstance(x, Tensor) and x.requires_grad]
        ys = [y for y in _outputs(func, some) if y.requires_grad]
        with enable_grad():
            found = grad(ys, by, list(starts), create_graph=True, allow_unused=True)
        return tuple(zeros_like(x) if g is None else g for g, x in zip(found, by, strict=True))

    return gradcheck(gradient, (*inputs, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
                     nondet_tol=nondet_tol, fast_mode=fast_mode)


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    """Call the function, and list the floats that it returns."""
    with enable_grad():
        made = func(*inputs)
    return [y for y in (made if isinstance(made, tuple | list) else [made]) if y.dtype.kind == "f"]


def _problems(
    func: Callable[..., Any], inputs: Sequence[Any], wanted: list[Tensor], number: int, y: Tensor, eps: float,
    atol: float, rtol: float, nondet_tol: float, fast_mode: bool,
) -> Iterator[str]:
    """Say what is wrong with the derivatives of one output."""
    for place, x in enumerate(wanted):
        for seed in _seeds(y, fast_mode):
            claimed, again = _claimed(y, x, seed), _claimed(_outputs(func, inputs)[number], x, seed)
            if np.abs(claimed - again).max(initial=0) > nondet_tol:
                yield (f"The backward of output {number} by input {place} gives other numbers the second time: "
                       f"{claimed} and {again}. nondet_tol says how far they may be apart.")
            slopes, claims = _compared(func, inputs, number, x, seed, claimed, eps, fast_mode)
            if not np.allclose(claims, slopes, rtol, atol):
                yield (f"The derivative of output {number} by input {place} is\n{claims}\nbut differences "
                       f"say\n{slopes}\n"
                       "Is the backward wrong, is there a corner near this input, or is eps too large?")


def _seeds(y: Tensor, fast_mode: bool) -> Iterator[Any]:
    """List the gradients to start with: one element after the other, or one random direction."""
    if fast_mode:
        yield default_generator().standard_normal(y.shape)
        return
    for i in range(y.data.size):
        seed = np.zeros(y.data.size)
        seed[i] = 1
        yield seed.reshape(y.shape)


def _claimed(y: Tensor, x: Tensor, seed: Any) -> Any:
    """The gradient that the graph gives."""
    if not y.requires_grad:
        return np.zeros(x.shape)
    (found,) = grad([y], [x], [Tensor(seed.astype(y.dtype))], retain_graph=True, allow_unused=True)
    return np.zeros(x.shape) if found is None else found.data


def _compared(
    func: Callable[..., Any], inputs: Sequence[Any], number: int, x: Tensor, seed: Any, claimed: Any, eps: float,
    fast_mode: bool,
) -> tuple[Any, Any]:
    """Take slopes by every element of x, or along one direction, and the gradient as it goes with them."""
    def slope(direction: Any) -> float:
        ends = []
        for step in (eps, -eps):
            moved = [Tensor(each.data + step * direction) if each is x else each for each in inputs]
            for each, original in zip(moved, inputs, strict=True):
                if each is not original:
                    each.requires_grad_()
            y = _outputs(func, moved)[number]
            ends.append(float((y.data * seed).sum()))
        return (ends[0] - ends[1]) / (2 * eps)

    if fast_mode:
        direction = default_generator().standard_normal(x.shape)
        return slope(direction), float((claimed * direction).sum())
    unit = np.eye(x.data.size).reshape(x.data.size, *x.shape)
    return np.array([slope(direction) for direction in unit]).reshape(x.shape), claimed
