"""What else is done with whole matrices: powers, exponentials, the nearest solution where there is no solution."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from .arithmetic import matmul
from .attach import attach
from .axes import atleast_1d
from .compare import flat, numbers_of
from .constant import eye
from .inverse import inv, solve, squares, turned_matrix, well
from .matrix_norm import matrix_norm
from .reduce import sum
from .shape import broadcast_to, movedim, reshape, swapaxes, unsqueeze
from .spectrum import mirrored, one_triangle, singular, svdvals
from .triangle import qr as decomposed

__all__ = [
    "Lstsq", "OldSVD", "cond", "exponential", "exponential_of", "lstsq", "matrix_exp", "matrix_power",
    "matrix_rank", "pinv", "pinverse", "pseudo_inverse", "qr", "rank_of", "svd", "tensorinv", "tensorsolve",
    "vander",
]


class Lstsq(NamedTuple):
    """The nearest solution, how far it is off, the rank of the matrix, and its singular values."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@primitive
def pseudo_inverse(A, *, atol=0.0, rtol=0.0, hermitian=False):
    """The matrix that takes back what a matrix does, as far as that can be: the inverse of what it does not lose.

    A (..., m, n) -> y (..., n, m)

    Source: Golub & Pereyra 1973, "The differentiation of pseudo-inverses", equation 4.12.
    """
    whole    = one_triangle(A, False) if hermitian else A
    u, s, vh = np.linalg.svd(whole, full_matrices=False)
    lost     = s <= np.maximum(atol, rtol * s[..., :1])
    back     = ~lost / (s + lost)
    y        = (turned_matrix(vh) * back[..., None, :]) @ turned_matrix(u)
    return y


@pseudo_inverse.backward
def pseudo_inverse_backward(grad_y, A, y):
    """
    1. as long as the rank P = A⁺ speaks of stays: dP = -P dA P + P Pᵀ dAᵀ (1 - A P) + (1 - P A) dAᵀ Pᵀ P
    2. the first part is that of an inverse; the others tell how the directions turn that A does not reach, or loses
    3. ⟨g, dP⟩ = ⟨-Pᵀ g Pᵀ + (1 - A P) gᵀ P Pᵀ + Pᵀ P gᵀ (1 - P A), dA⟩
    """
    yt, gt = turned_matrix(y), turned_matrix(grad_y)
    right  = gt @ y @ yt
    left   = yt @ y @ gt
    grad_A = -yt @ grad_y @ yt + (right - A @ (y @ right)) + (left - (left @ y) @ A)
    return grad_A


@pseudo_inverse.examples
def pseudo_inverse_examples(rng):
    """A tall matrix; a stack of wide ones; a square one."""
    draw = rng.standard_normal
    return [(draw((4, 2)),), (draw((2, 2, 3)), {"rtol": 1e-10}), (well(rng, 3, 3),)]


def pinv(A, rcond=None, *, atol=None, rtol=None, hermitian=False):
    """The pseudo-inverse A⁺ (..., n, m) of any matrices: A⁺ b is the shortest x for which A x comes nearest to b.

    atol, rtol  singular values up to max(atol, rtol · largest) count as 0; rtol is max(m, n) · eps, if none is given
    hermitian   read the lower triangle of a symmetric matrix alone

    Source: Penrose 1955, "A generalized inverse for matrices".

    >>> from chalkgrad import tensor
    >>> pinv(tensor([[2.0], [0.0]]))
    tensor([[0.5, 0. ]])
    """
    if A.ndim < 2 or A.dtype.kind != "f":
        raise ValueError(f"pinv: matrices of floats were expected, but {A.dtype} of shape {A.shape} came.")
    atol, rtol = _tolerances(A, atol, rcond if rtol is None else rtol)
    if 0 in A.shape:
        return movedim(A * 0, -1, -2)
    return pseudo_inverse(A, atol=atol, rtol=rtol, hermitian=bool(hermitian))


def pinverse(input, rcond=1e-15):
    """The pseudo-inverse of matrices; the same as linalg.pinv but for what counts as 0."""
    return pinv(input, rcond)


def _tolerances(A, atol, rtol):
    """As PyTorch fills in what is not given; of stacks of matrices, each may have its own."""
    if rtol is None:
        rtol = float(np.finfo(A.dtype).eps) * max(A.shape[-2:]) if atol is None else 0.0
    return [unsqueeze(each, -1).to(A.dtype) if hasattr(each, "ndim") else each
            for each in (0.0 if atol is None else atol, rtol)]


def rank_of(A, atol, rtol):
    """Count the singular values of matrices that are larger than max(atol, rtol · the largest).

    >>> int(rank_of(np.array([[1.0, 2.0], [2.0, 4.0]]), 0.0, 1e-10))
    1
    """
    s = np.linalg.svd(A, compute_uv=False)
    return (s > np.maximum(atol, rtol * s.max(axis=-1, keepdims=True, initial=0))).sum(axis=-1)


def matrix_rank(A, tol=None, *, atol=None, rtol=None, hermitian=False):
    """How many directions matrices keep apart: singular values larger than max(atol, rtol · the largest).

    >>> from chalkgrad import tensor
    >>> matrix_rank(tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    if A.ndim < 2:
        raise ValueError(f"matrix_rank: a matrix was expected, but the shape is {A.shape}.")
    atol, rtol = _tolerances(A, tol if atol is None else atol, rtol)
    return flat(rank_of)(mirrored(A.detach()) if hermitian else A, atol, rtol)


def lstsq(A, B, rcond=None, *, driver=None):
    """The X for which A X comes nearest to B: a tuple (solution, residuals, rank, singular_values).

    B          (..., m, k), or vectors (..., m)
    rcond      singular values up to rcond · largest count as 0; max(m, n) · eps, if none is given
    driver     the name of a routine of LAPACK, which tells what else is returned: "gels" no rank, "gelsd" and "gelss"
               also singular values; what is not there is empty. The solution is A⁺ B in any case

    Residuals are the sums Σ (A X - B)² of each column. They are there if m > n, no direction is lost, and one of
    "gels", "gelsd" and "gelss" is asked for.

    >>> from chalkgrad import tensor
    >>> lstsq(tensor([[1.0], [1.0]]), tensor([[1.0], [2.0]]), driver="gels")[:2]
    (tensor([[1.5]]), tensor([0.5]))
    """
    drivers = (None, "gels", "gelsy", "gelsd", "gelss")
    if driver not in drivers:
        raise ValueError(f"lstsq: driver is one of {', '.join(map(repr, drivers))}, but {driver!r} came.")
    if A.ndim < 2 or B.ndim < 1:
        raise ValueError(f"lstsq: a matrix and columns were expected, but shapes {A.shape} and {B.shape} came.")
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    columns = unsqueeze(B, -1) if vector else B
    m, n = A.shape[-2:]
    solution = pinv(A, rcond) @ columns
    rank = matrix_rank(A, rtol=rcond)
    none = flat(np.empty)((0,), A.dtype)
    full = m > n and (driver == "gels" or (driver in ("gelsd", "gelss") and bool((numbers_of(rank) == n).all())))
    residuals = sum((A @ solution - columns) ** 2, axis=-2) if full else none
    values = svdvals(A.detach()) if driver in ("gelsd", "gelss") else none
    no_rank = flat(np.empty)((0,), np.dtype(np.int64))
    return Lstsq(solution[..., 0] if vector else solution, residuals, no_rank if driver == "gels" else rank, values)


def cond(A, p=None):
    """How many times larger the error of a result may be than that of what goes in: ‖A‖ ‖A⁻¹‖.

    p  a measure as for matrix_norm; by default 2, the ratio of the largest to the smallest singular value

    >>> from chalkgrad import tensor
    >>> cond(tensor([[2.0, 0.0], [0.0, 0.5]]))
    tensor(4.)
    """
    if p in (None, 2, -2):
        s = svdvals(A)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    squares("cond", A)
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def matrix_power(A, n):
    """The product of n times the same matrix, by squaring; of its inverse, if n is negative.

    >>> from chalkgrad import tensor
    >>> matrix_power(tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    squares("matrix_power", A)
    if n == 0:
        return broadcast_to(eye(A.shape[-1], dtype=A.dtype), A.shape) + A * 0
    A, n, y = (inv(A), -n, None) if n < 0 else (A, n, None)
    while n:
        if n % 2:
            y = A if y is None else matmul(y, A)
        A, n = matmul(A, A) if n > 1 else A, n // 2
    return y


PADE = (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
        10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0)


def exponential_of(A):
    """1 + A + A²/2 + A³/6 + ... of matrices, by halving them until they are small, and squaring as often at the end.

    In between, the ratio of two polynomials of degree 13 is as near as rounding allows (Padé), up to a size of 5.37.

    Source: Higham 2005, "The scaling and squaring method for the matrix exponential revisited", algorithm 2.3.

    >>> exponential_of(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])
    """
    size = np.abs(A).sum(axis=-2).max() / 5.37 if A.size else np.ones(())
    halvings = int(np.ceil(np.log2(np.maximum(size, 1.0))))
    A = A * 0.5**halvings
    one = np.zeros_like(A) + np.eye(A.shape[-1], dtype=A.dtype)
    A2 = A @ A
    A4 = A2 @ A2
    A6 = A4 @ A2
    b = [each / PADE[0] for each in PADE]
    odd = A @ (A6 @ (b[13] * A6 + b[11] * A4 + b[9] * A2) + b[7] * A6 + b[5] * A4 + b[3] * A2 + b[1] * one)
    even = A6 @ (b[12] * A6 + b[10] * A4 + b[8] * A2) + b[6] * A6 + b[4] * A4 + b[2] * A2 + b[0] * one
    y = np.linalg.solve(even - odd, even + odd)
    for _ in range(halvings):
        y = y @ y
    return y


@primitive
def exponential(A):
    """The matrix exponential: where x' = A x leads to in one unit of time.

    A (..., n, n) -> y (..., n, n)

    Source: Najfeld & Havel 1995, "Derivatives of the matrix exponential and their computation".
    """
    y = exponential_of(A)
    return y


@exponential.backward
def exponential_backward(grad_y, A):
    """
    1. the exponential of [[A, dA], [0, A]] is [[exp A, d exp A], [0, exp A]]: multiply out the series
    2. what belongs to the gradient is the same with Aᵀ and g: ⟨g, d exp A⟩ = ⟨L(Aᵀ, g), dA⟩
    """
    n      = A.shape[-1]
    turned = turned_matrix(A)
    above  = np.concatenate([turned, grad_y], axis=-1)
    below  = np.concatenate([np.zeros_like(turned), turned], axis=-1)
    grad_A = exponential_of(np.concatenate([above, below], axis=-2))[..., :n, n:]
    return grad_A


@exponential.examples
def exponential_examples(rng):
    """Small; a stack of large ones."""
    draw = rng.standard_normal
    return [(0.1 * draw((3, 3)),), (3 * draw((2, 2, 2)),)]


def matrix_exp(A):
    """1 + A + A²/2 + A³/6 + ... of square matrices.

    >>> from chalkgrad import tensor
    >>> matrix_exp(tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    squares("matrix_exp", A)
    return exponential(A)


def tensorinv(A, ind=2):
    """The inverse of a tensor, where its first `ind` axes together are the rows of a matrix.

    >>> from chalkgrad import eye
    >>> tensorinv(eye(6).reshape(6, 2, 3), 1).shape
    (2, 3, 6)
    """
    rows, columns = A.shape[:ind], A.shape[ind:]
    n = math.prod(rows)
    if ind < 1 or n != math.prod(columns):
        raise ValueError(f"tensorinv: the axes {rows} and {columns} do not make a square matrix.")
    return reshape(inv(reshape(A, n, n)), (*columns, *rows))


def tensorsolve(A, B, dims=None):
    """The X with tensordot(A, X, X.ndim) = B.

    dims  axes of A that are moved to its end before
    """
    if dims is not None:
        A = movedim(A, dims, tuple(range(-len(dims), 0)))
    shape, n = A.shape[B.ndim :], math.prod(B.shape)
    if math.prod(shape) != n:
        raise ValueError(f"tensorsolve: shapes {A.shape} and {B.shape} do not make a square system.")
    return reshape(solve(reshape(A, n, n), reshape(B, n)), shape)


def vander(x, N=None):
    """Powers 0 to N - 1 of each element, as a last axis.

    >>> from chalkgrad import tensor
    >>> vander(tensor([2.0, 3.0]), 3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    x = atleast_1d(x)
    n = x.shape[-1] if N is None else N
    if n < 2 and N is not None:
        raise ValueError(f"vander: N={N} came; there are at least 2 powers.")
    return unsqueeze(x, -1) ** flat(np.arange)(n)


class OldSVD(NamedTuple):
    """Directions of the result, how much each is stretched, and directions of the input, as columns."""

    U: Any
    S: Any
    V: Any


def svd(input, some=True, compute_uv=True):
    """A = U diag(S) Vᵀ: a triple (U, S, V). linalg.svd is the newer form, which returns Vᵀ.

    some        as many directions as there are singular values, instead of all
    compute_uv  whether U and V are wanted; zeros, if not

    >>> from chalkgrad import tensor
    >>> svd(tensor([[0.0, 3.0], [4.0, 0.0]])).S
    tensor([4., 3.])
    """
    if compute_uv:
        u, s, vh = singular(input, full_matrices=not some)
        return OldSVD(u, s, swapaxes(vh, -1, -2))
    *stack, m, n = input.shape
    u, v = (flat(np.zeros)((*stack, size, size), input.dtype) for size in (m, n))
    return OldSVD(u, svdvals(input), v)


def qr(input, some=True):
    """A = Q R: a pair (Q, R). linalg.qr is the newer form.

    some  as many columns in Q as rows in R are not 0, instead of all
    """
    return decomposed(input, "reduced" if some else "complete")


attach(matrix_exp=matrix_exp, matrix_power=matrix_power, pinverse=pinverse, qr=qr, svd=svd)
