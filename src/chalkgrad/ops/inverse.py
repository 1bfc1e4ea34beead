"""Inverses, determinants, and systems of linear equations, of one matrix or of stacks.

All derivatives follow from two facts: d(X⁻¹) = -X⁻¹ dX X⁻¹, since X X⁻¹ = 1 does not change, and Jacobi's formula
d det X = det X · tr(X⁻¹ dX).

Source: Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation".
"""

from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from ..law.errors import ShapeError
from .attach import attach
from .compare import flat
from .constant import ones_like
from .diagonal import diag_embed, diagonal, tril, triu
from .shape import swapaxes, unsqueeze

__all__ = [
    "Slogdet", "cholesky_inverse", "cholesky_solve", "cofactors", "det", "determinant", "inv", "inverse",
    "log_determinant", "log_of_sign", "logdet", "slogdet", "solve", "solve_matrix", "solve_triangular", "squares",
    "tried", "turned_matrix", "well",
]


class Slogdet(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


def tried(operation, *inputs):
    """Call an operation that not every matrix allows, and raise LinAlgError where one does not.

    >>> tried(inv, np.zeros((2, 2)))
    Traceback (most recent call last):
    numpy.linalg.LinAlgError: Singular matrix
    """
    try:
        return operation(*inputs)
    except ShapeError as error:
        if isinstance(error.__cause__, np.linalg.LinAlgError):
            raise np.linalg.LinAlgError(str(error)) from error
        raise


def squares(name, *stacks):
    """Check that the last two axes are those of square matrices of floats."""
    for x in stacks:
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ValueError(f"{name}: square matrices were expected, (..., n, n), but the shape is {x.shape}.")
        if x.dtype.kind != "f":
            raise TypeError(f"{name}: floats were expected, but {x.dtype} came; x.float() makes them.")


def turned_matrix(x):
    """The transposes of a stack of matrices."""
    return np.swapaxes(x, -1, -2)


@implements(np.linalg.inv)
@primitive
def inv(A):
    """The matrix that takes back what a matrix does: A⁻¹ A = 1.

    A (..., n, n) -> y (..., n, n)

    Raises an error of NumPy's if a matrix has none.

    Try: pinv, which every matrix has.

    Source: Giles 2008, section 2.2.3.

    >>> inv(np.array([[2.0, 0.0], [1.0, 1.0]]))
    array([[ 0.5,  0. ],
           [-0.5,  1. ]])
    """
    y = np.linalg.inv(A)
    return y


@inv.backward
def inv_backward(grad_y, y):
    """
    1. A Y = 1 does not change: dA Y + A dY = 0, so dY = -Y dA Y
    2. ⟨g, dY⟩ = -⟨g, Y dA Y⟩ = -⟨Yᵀ g Yᵀ, dA⟩
    """
    turned = turned_matrix(y)
    grad_A = -turned @ grad_y @ turned
    return grad_A


def well(rng, *shape):
    """Draw matrices that are far from having no inverse."""
    return rng.standard_normal(shape) + 3 * np.eye(shape[-1])


@inv.examples
def inv_examples(rng):
    """A stack; stacks of stacks; a number; none."""
    return [(well(rng, 2, 3, 3),), (well(rng, 2, 1, 2, 2),), (well(rng, 1, 1),), (well(rng, 0, 2, 2),)]


def inverse(input):
    """The inverse of each square matrix; the same as linalg.inv.

    Raises LinAlgError, which is a ValueError, if a matrix has none.

    >>> from chalkgrad import tensor
    >>> inverse(tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    squares("inv", input)
    return tried(inv, input)


@primitive
def cofactors(A):
    """For each element, what the determinant grows by as the element does: det A · A⁻ᵀ, also where there is no inverse.

    A (..., n, n) -> y (..., n, n)

    From A = U S Vᵀ: the element of S⁻¹ det S is the product of the other singular values, and that always exists.
    """
    u, s, vh = np.linalg.svd(A)
    n        = A.shape[-1]
    own      = np.eye(n, dtype=np.bool_)
    others   = np.where(own, 1, s[..., None, :]).prod(axis=-1)
    sign     = np.linalg.det(u) * np.linalg.det(vh)
    y        = sign[..., None, None] * ((u * others[..., None, :]) @ vh)
    return y


@cofactors.backward
def cofactors_backward(grad_y, A, y):
    """
    1. C = d A⁻ᵀ with d = det A, and dd = ⟨C, dA⟩
    2. dC = ⟨A⁻ᵀ, dA⟩ C - C dAᵀ A⁻ᵀ
    3. ⟨g, dC⟩ = ⟨⟨g, C⟩ A⁻ᵀ - A⁻ᵀ gᵀ C, dA⟩, where there is an inverse
    """
    inverse_t = turned_matrix(np.linalg.inv(A))
    along     = (grad_y * y).sum(axis=(-2, -1), keepdims=True)
    grad_A    = along * inverse_t - inverse_t @ turned_matrix(grad_y) @ y
    return grad_A


@cofactors.examples
def cofactors_examples(rng):
    """Two stacks."""
    return [(well(rng, 2, 3, 3),), (well(rng, 3, 2, 2),)]


@implements(np.linalg.det)
@primitive
def det(A):
    """How many times a matrix enlarges a volume; negative, if it turns it inside out.

    A (..., n, n) -> y (...)

    Source: Jacobi 1841, "De formatione et proprietatibus determinantium"; Giles 2008, section 2.2.4.

    >>> float(det(np.array([[1.0, 2.0], [3.0, 4.0]])).round(6))
    -2.0
    """
    y = np.linalg.det(A)
    return y


@det.backward
def det_backward(grad_y, A):
    """
    1. expanded along a row, det A = Σ_j a_ij C_ij, and no cofactor C_ij of that row knows the row
    2. so ∂det A/∂a_ij = C_ij
    """
    grad_A = grad_y[..., None, None] * cofactors(A)
    return grad_A


@det.examples
def det_examples(rng):
    """One; a stack; a number; none."""
    return [(well(rng, 3, 3),), (well(rng, 2, 2, 2),), (well(rng, 1, 1),), (well(rng, 0, 2, 2),)]


def determinant(input):
    """The determinant of each square matrix; the same as linalg.det.

    >>> from chalkgrad import tensor
    >>> determinant(tensor([[2.0, 0.0], [1.0, 3.0]]))
    tensor(6.)
    """
    squares("det", input)
    return det(input)


@primitive
def log_determinant(A):
    """The sign of a determinant, and the logarithm of its size, which may be far too large or small for itself.

    A (..., n, n) -> sign (...), logabsdet (...)
    """
    sign, logabsdet = np.linalg.slogdet(A)
    return sign, logabsdet


@log_determinant.backward
def log_determinant_backward(grad_logabsdet, A):
    """d log |det A| = d det A / det A = tr(A⁻¹ dA) = ⟨A⁻ᵀ, dA⟩"""
    grad_A = grad_logabsdet[..., None, None] * turned_matrix(np.linalg.inv(A))
    return grad_A


@log_determinant.examples
def log_determinant_examples(rng):
    """A stack; another, with determinants of both signs; a number."""
    return [(well(rng, 2, 3, 3),), (well(rng, 2, 2, 2) * np.array([1, -1]),), (well(rng, 1, 1),)]


@implements(np.linalg.slogdet)
def slogdet(input):
    """The sign of each determinant, and the logarithm of its size: a pair (sign, logabsdet).

    >>> from chalkgrad import eye
    >>> slogdet(-2.0 * eye(3))
    Slogdet(sign=tensor(-1.), logabsdet=tensor(2.0794))
    """
    squares("slogdet", input)
    return Slogdet(*log_determinant(input))


def logdet(input):
    """The logarithm of each determinant; nan, if it is negative.

    >>> from chalkgrad import eye
    >>> logdet(2.0 * eye(3))
    tensor(2.0794)
    """
    sign, logabsdet = slogdet(input)
    return logabsdet + flat(log_of_sign)(sign)


def log_of_sign(sign):
    """0 for a sign of 1, -∞ for 0, and nan for -1.

    >>> log_of_sign(np.array([1.0, 0.0, -1.0]))
    array([  0., -inf,  nan])
    """
    with np.errstate(all="ignore"):
        return np.log(sign)


@primitive
def solve_matrix(A, B):
    """The X with A X = B: for each column of B, the numbers that the columns of A are to be multiplied by.

    A (..., n, n), B (..., n, k) -> y (..., n, k)

    Raises an error of NumPy's if A has no inverse.

    Try: lstsq, which finds the nearest there is.

    Source: Giles 2008, section 2.3.1.
    """
    y = np.linalg.solve(A, B)
    return y


@solve_matrix.backward
def solve_matrix_backward(grad_y, A, y):
    """
    1. A X = B: dA X + A dX = dB, so dX = A⁻¹ (dB - dA X)
    2. ⟨g, dX⟩ = ⟨A⁻ᵀ g, dB⟩ - ⟨A⁻ᵀ g Xᵀ, dA⟩
    3. A⁻ᵀ g is found as X was: by solving, not by an inverse
    """
    grad_B = np.linalg.solve(turned_matrix(A), grad_y)
    grad_A = -grad_B @ turned_matrix(y)
    return grad_A, grad_B


@solve_matrix.examples
def solve_matrix_examples(rng):
    """One column each; a stack of systems for one matrix; nothing."""
    draw = rng.standard_normal
    return [
        (well(rng, 2, 3, 3), draw((2, 3, 1))),
        (well(rng, 1, 2, 2), draw((4, 2, 3))),
        (well(rng, 2, 2, 2), draw((2, 2, 0))),
    ]


def _as_columns(A, B):
    """PyTorch takes a stack of vectors for what NumPy would take for a matrix, if the shape says that it may be one."""
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    return vector, unsqueeze(B, -1) if vector else B


def solve(A, B, *, left=True):
    """The X with A X = B, or, if not left, with X A = B; B may be vectors, (..., n).

    Raises LinAlgError if A has no inverse, ValueError if it is not square.

    >>> from chalkgrad import tensor
    >>> solve(tensor([[2.0, 0.0], [1.0, 1.0]]), tensor([2.0, 3.0]))
    tensor([1., 2.])
    """
    squares("solve", A)
    vector, columns = _as_columns(A, B)
    if left:
        y = tried(solve_matrix, A, columns)
        return y[..., 0] if vector else y
    if vector:
        raise ValueError(f"solve: with left=False, B is a matrix (..., k, n), but its shape is {B.shape}.")
    return _from_the_right(A, B)


def _from_the_right(A, B):
    """The X with X A = B, for which Aᵀ Xᵀ = Bᵀ."""
    return swapaxes(tried(solve_matrix, swapaxes(A, -1, -2), swapaxes(B, -1, -2)), -1, -2)


@implements(np.linalg.solve)
def _np_solve(a, b):
    return solve_matrix(a, b) if b.ndim > 1 else solve_matrix(a, unsqueeze(b, -1))[..., 0]


def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """The X with A X = B, or X A = B, for a triangular A: what is beyond the diagonal is not looked at.

    unitriangular  take the diagonal for ones, whatever it is

    >>> from chalkgrad import tensor
    >>> solve_triangular(tensor([[2.0, 9.0], [1.0, 1.0]]), tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    squares("solve_triangular", A)
    if B.ndim < 2:
        raise ValueError(f"solve_triangular: B is a matrix, but its shape is {B.shape}.")
    part = triu if upper else tril
    if unitriangular:
        A = part(A, 1 if upper else -1) + diag_embed(ones_like(diagonal(A, 0, -2, -1)))
    else:
        A = part(A)
    return tried(solve_matrix, A, B) if left else _from_the_right(A, B)


def cholesky_solve(B, L, upper=False):
    """The X with L Lᵀ X = B for a lower triangle L; with Lᵀ L X = B for an upper one.

    >>> from chalkgrad import tensor
    >>> cholesky_solve(tensor([[8.0]]), tensor([[2.0]]))
    tensor([[2.]])
    """
    squares("cholesky_solve", L)
    if B.ndim < 2 or B.shape[-2] != L.shape[-1]:
        raise ValueError(f"cholesky_solve: B (..., n, k) was expected for L {L.shape}, but its shape is {B.shape}.")
    L = swapaxes(L, -1, -2) if upper else L
    lower = L - triu(L.detach(), 1)  # what is beyond the diagonal is not looked at, but has a gradient, as in PyTorch
    return solve_matrix(swapaxes(lower, -1, -2), solve_matrix(lower, B))


def cholesky_inverse(input, upper=False):
    """The inverse of L Lᵀ from its triangle L; of Lᵀ L from an upper one."""
    squares("cholesky_inverse", input)
    beyond = tril(input.detach(), -1) if upper else triu(input.detach(), 1)  # it has a gradient all the same
    back = inverse(input - beyond)
    return back @ swapaxes(back, -1, -2) if upper else swapaxes(back, -1, -2) @ back


attach(
    cholesky_inverse=cholesky_inverse, cholesky_solve=cholesky_solve, det=determinant, inverse=inverse,
    logdet=logdet, slogdet=slogdet,
)
