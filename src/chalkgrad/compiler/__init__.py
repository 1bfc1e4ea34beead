"""Compiling: a function of Tensors is traced once, and from then on runs as one fast NumPy program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["compile"]


def compile(function: Callable[..., Any] | None = None, *, explain: bool = False) -> Any:
    r"""Return a function that does the same as `function`, faster; may be a decorator.

    function  any function of Tensors: a forward, a loss, a whole training step. It may use models, optimizers and
              tensors from its closure, from globals, or from the object that it is a method of
    explain   say on stderr, each time that it is compiled, why

    The first call runs the function twice to write it out (as `spell` does), then makes a program of that text which
    computes the same with fewer passes over memory and on more cores, and proves it on the numbers of those runs.
    Later calls run the program: parameters, gradients, buffers and the optimizer's state change as the function would
    change them, so both may be mixed. Other shapes, dtypes, options, or `train()` and `eval()` make another program.
    What comes out is the same but for rounding, since sums may be taken in another order. Results have their gradients
    (first derivatives), so a loss may be taken outside. Arrays for Tensors, and empty batches, are computed eagerly.

    `source` is the text of the program, and `readable` that of the spelled step which it was made from.

    Raises SpellError for what cannot be a program, such as a branch on the value of a Tensor, or a Python object that
    the function changes.

    >>> import chalkgrad as cg
    >>> @cg.compile
    ... def hypotenuse(a, b):
    ...     return (a * a + b * b).sqrt()
    >>> hypotenuse(cg.tensor([3.0, 5.0]), cg.tensor([4.0, 12.0]))
    tensor([ 5., 13.])
    >>> print(hypotenuse.source.rpartition("\n\n")[2])
    def step(a, b):
        multiply = a * a
        ...
    """
    from .compiled import Compiled  # only who compiles waits for it

    if function is None:
        return lambda function: compile(function, explain=explain)
    return Compiled(function, explain)
