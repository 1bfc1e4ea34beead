"""Linear algebra under PyTorch's names: every function here takes one matrix or a stack of them, (..., m, n)."""

from numpy.linalg import LinAlgError

from .engine.tensor import Tensor
from .ops.arithmetic import matmul
from .ops.diagonal import diagonal as _diagonal
from .ops.inverse import determinant as det
from .ops.inverse import inverse as inv
from .ops.inverse import slogdet, solve, solve_triangular
from .ops.matrices import cond, lstsq, matrix_exp, matrix_power, matrix_rank, pinv, tensorinv, tensorsolve, vander
from .ops.matrix_norm import linalg_norm as norm
from .ops.matrix_norm import matrix_norm, vector_norm
from .ops.product import cross as _cross
from .ops.product import multi_dot, vecdot
from .ops.spectrum import eigh, eigvalsh, svd, svdvals
from .ops.triangle import cholesky, qr

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the vectors upright on two others, along an axis of size 3.

    >>> from chalkgrad import tensor
    >>> cross(tensor([1.0, 0.0, 0.0]), tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return _cross(input, other, dim)  # type: ignore[no-untyped-call, no-any-return]


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return a diagonal of each matrix, as a last axis.

    >>> from chalkgrad import eye
    >>> diagonal(eye(2))
    tensor([1., 1.])
    """
    return _diagonal(A, offset, dim1, dim2)  # type: ignore[no-untyped-call, no-any-return]
