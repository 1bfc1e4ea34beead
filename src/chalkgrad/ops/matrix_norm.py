"""How large a vector or a matrix is, by PyTorch's names in linalg."""

import math

import numpy as np

from .attach import attach_both
from .choice import where
from .extremes import amax, amin
from .norms import p_norm
from .reduce import sum
from .shape import movedim, places, reshape
from .spectrum import svdvals

__all__ = [
    "linalg_norm", "matrix_norm", "renorm", "vector_norm",
]


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """(Σ |x|ᵖ)^(1/p) along an axis, several, or over all elements, where p is `ord`.

    ord    a number; ∞ for the largest |x|, -∞ for the smallest, 0 for how many are not 0
    dtype  what the elements are made before

    >>> from chalkgrad import tensor
    >>> vector_norm(tensor([3.0, -4.0])), vector_norm(tensor([3.0, -4.0]), float("inf"))
    (tensor(5.), tensor(4.))
    """
    x = _as_float("vector_norm", x, dtype)
    if not isinstance(ord, int | float):
        raise TypeError(f"vector_norm: ord is a number, but {ord!r} came; names of norms are for matrix_norm.")
    axis = None if dim is None or dim == () else places(dim, x.ndim)[: x.ndim]
    return p_norm(x, p=ord, axis=axis, keepdims=keepdim)


def _as_float(name, x, dtype):
    if dtype is not None:
        x = x.to(dtype)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: floats were expected, but {x.dtype} came; x.float() makes them.")
    return x


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """How large matrices are, by one of several measures.

    ord  "fro": root of the sum of all squares; "nuc": sum of the singular values; 2, -2: the largest, smallest singular
         value; 1, -1: the largest, smallest sum of a column's absolute values; inf, -inf: of a row's
    dim  the two axes of the matrices

    >>> from chalkgrad import tensor
    >>> A = tensor([[3.0, 0.0], [0.0, -4.0]])
    >>> matrix_norm(A), matrix_norm(A, "nuc"), matrix_norm(A, 1)
    (tensor(5.), tensor(7.), tensor(4.))
    """
    A = _as_float("matrix_norm", A, dtype)
    if A.ndim < 2 or np.ndim(dim) != 1 or len(dim) != 2:
        raise ValueError(f"matrix_norm: a matrix and two axes were expected, but shape {A.shape} and dim={dim} came.")
    row, column = places(dim, A.ndim)
    if ord == "fro":
        return p_norm(A, p=2, axis=(row, column), keepdims=keepdim)
    if ord in ("nuc", 2, -2):
        y = _of_values(svdvals(movedim(A, (row, column), (-2, -1))), ord)
    elif ord in (1, -1, math.inf, -math.inf):
        along, rest = (row, column) if ord in (1, -1) else (column, row)
        sums = p_norm(A, p=1, axis=along, keepdims=True)
        y = (amax if ord > 0 else amin)(sums, axis=(along, rest))
    else:
        raise ValueError(f'matrix_norm: ord is "fro", "nuc", 1, -1, 2, -2, inf or -inf, but {ord!r} came.')
    shape = [1 if i in (row, column) else n for i, n in enumerate(A.shape)]
    return reshape(y, shape) if keepdim else y


def _of_values(values, ord):
    return sum(values, axis=-1) if ord == "nuc" else amax(values, axis=-1) if ord == 2 else amin(values, axis=-1)


def renorm(input, p, dim, maxnorm):
    """Shorten the slices along an axis that are longer than `maxnorm`, by the norm of the power p, to that length.

    >>> from chalkgrad import tensor
    >>> renorm(tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6, 0.8],
            [0.3, 0.4]])
    """
    if input.ndim < 2:
        raise ValueError(f"renorm: slices have at least one axis, so two are needed, but the shape is {input.shape}.")
    axis, = places(dim, input.ndim)
    length = p_norm(input, p=p, axis=tuple(i for i in range(input.ndim) if i != axis), keepdims=True)
    return input * where(length > maxnorm, maxnorm / (length + 1e-7), 1.0)  # the small number is PyTorch's


def linalg_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of vectors or of matrices: of vectors along one axis, of matrices along two.

    Without `ord`, the length of all elements along `dim`, or of all there are; with `ord` and no `dim`, of a row or of
    a matrix, as the tensor has one axis or two.

    >>> from chalkgrad import tensor
    >>> linalg_norm(tensor([[3.0, 0.0], [0.0, 4.0]])), linalg_norm(tensor([[3.0, 0.0], [0.0, 4.0]]), 2)
    (tensor(5.), tensor(4.))
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    axes = A.ndim if dim is None else len(dim) if isinstance(dim, tuple | list) else 1
    if axes == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, dim, keepdim, dtype=dtype)
    if axes != 2:
        raise ValueError(f"norm: ord={ord!r} wants one or two axes, but the shape is {A.shape}, and dim={dim}.")
    return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)


attach_both(renorm)
