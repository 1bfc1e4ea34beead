"""vmap: a function that was written for one example does all of them at once.

Nobody has to carry the axis of the batch through a function by hand: it sees Tensors without it. Gradients for each
example, Jacobians and ensembles of models are functions of one example, and so come out as one batch of array
operations (Bradbury et al. 2018, JAX).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..engine.tensor import Tensor
from ..ops import broadcast_to, movedim
from ..seeding import default_generator
from .batched import Batched, levels, many
from .trees import tree_map, with_prefix

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
    *, chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Turn a function of one example into a function of a batch.

    in_dims     which axis of each argument counts the examples: a number, None for an argument that all of them share,
                or a tuple of these, one for each argument, built like it where it is a tuple, list or dict
    out_dims    where that axis goes in what is returned
    randomness  "error": random numbers may not be drawn; "same": all examples get the same ones
    chunk_size  do so many examples at a time; all at once if None

    Raises ValueError if arguments differ in their number of examples, if there is none, if a size follows from the
    numbers and differs between examples, and for randomness="different". An `if` on the numbers of one example, and
    changes in place, are refused as a TypeError.

    >>> from chalkgrad import tensor
    >>> dot = vmap(lambda a, b: (a * b).sum())
    >>> dot(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([[1.0, 1.0], [0.0, 1.0]]))
    tensor([3., 4.])
    """
    if randomness not in ("error", "same"):
        raise ValueError(f"vmap: randomness is 'error' or 'same', but {randomness!r} came. Draw what is to differ "
                         f"before, "
                         "and hand it over as an argument.")
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ValueError(f"vmap: chunk_size is a whole number from 1 up or None, but {chunk_size!r} came.")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = with_prefix(in_dims if isinstance(in_dims, tuple | list) else (in_dims,) * len(args), args, "in_dims")
        size = _count(args, dims)
        state = default_generator().bit_generator.state if randomness == "error" else None
        step = chunk_size or size
        made = [
            _run(func, tree_map(lambda x, d, at=at: _part(x, d, at, at + step), args, dims), dims, kwargs, out_dims)
            for at in range(0, size, step)
        ]
        if state is not None and default_generator().bit_generator.state != state:
            raise RuntimeError("vmap: the function draws random numbers. Say randomness='same' if all examples are to "
                               "get "
                               "the same ones, or draw them before and hand them over as an argument.")
        return made[0] if len(made) == 1 else _put_together(made, out_dims)

    return mapped


def _count(args: Any, dims: Any) -> int:
    """Find how many examples there are."""
    sizes: dict[int, None] = {}

    def note(x: Any, dim: int | None) -> None:
        if dim is None:
            return
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: only a Tensor has an axis of examples, but in_dims is {dim} for {x!r:.40}; say "
                             f"None.")
        if not -x.ndim <= dim < x.ndim:
            raise ValueError(f"vmap: in_dims is {dim}, but that argument has shape {x.shape}.")
        sizes[x.shape[dim]] = None

    tree_map(note, args, dims)
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"vmap: all arguments have one number of examples, 1 or more, but {[*sizes]} came.")
    return next(iter(sizes))


def _part(x: Any, dim: int | None, start: int, end: int) -> Any:
    """Take some of the examples, the whole if there are no more; their axis comes first."""
    if dim is None:
        return x
    x = movedim(x, dim, 0)
    return x if start == 0 and end >= x.shape[0] else x[start:end]


def _run(func: Callable[..., Any], args: Any, dims: Any, kwargs: Any, out_dims: Any) -> Any:
    """Call the function with Tensors that stand for all examples, and put their axis where it is to go."""
    size = _count(args, tree_map(lambda _, dim: None if dim is None else 0, args, dims))
    levels.sizes.append(size)
    level = len(levels.sizes)
    try:
        made = func(*tree_map(lambda x, dim: x if dim is None else many(x, level), args, dims), **kwargs)
    finally:
        levels.sizes.pop()
    return tree_map(lambda y, dim: _out(y, dim, size, level), made, with_prefix(out_dims, made, "out_dims"))


def _out(y: Any, dim: int | None, size: int, level: int) -> Any:
    """Take a result out of the vmap; what is the same for all examples is repeated, unless no axis is asked for."""
    if not isinstance(y, Tensor):
        raise ValueError(f"vmap: the function returns Tensors, in tuples, lists and dicts, but a {type(y).__name__} "
                         f"came.")
    if isinstance(y, Batched) and y.level == level:
        if dim is None:
            raise ValueError("vmap: out_dims is None for a result that differs between examples; give it an axis.")
        return movedim(y.inner, 0, dim)
    return y if dim is None else movedim(broadcast_to(y, (size, *y.shape)), 0, dim)


def _put_together(made: list[Any], out_dims: Any) -> Any:
    """Join the results of one chunk after the other."""
    from ..ops import cat

    dims = with_prefix(out_dims, made[0], "out_dims")
    return tree_map(lambda dim, *ys: ys[0] if dim is None else cat(ys, dim), dims, *made)
