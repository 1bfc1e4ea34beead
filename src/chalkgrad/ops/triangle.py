"""Matrices taken apart into triangles: L Lᵀ (Cholesky), and Q R, where the columns of Q are at right angles."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import implements
from ..law.errors import GradError
from .attach import attach
from .compare import flat
from .inverse import squares, tried, turned_matrix
from .shape import cat, swapaxes

__all__ = [
    "QR", "cholesky", "cholesky_factor", "complete_q", "complete_r", "factored", "half_of_triangle", "positive", "qr",
    "qr_of_tall",
]


class QR(NamedTuple):
    """A matrix with columns at right angles, and an upper triangle."""

    Q: Any
    R: Any


def half_of_triangle(x):
    """The lower triangle with half of the diagonal.

    >>> half_of_triangle(np.array([[2.0, 3.0], [4.0, 6.0]]))
    array([[1., 0.],
           [4., 3.]])
    """
    return (np.tril(x) + np.tril(x, -1)) * 0.5


def factored(A):
    """The lower triangle L with L Lᵀ = A; a nan, which LAPACK hands on, is refused as no number at all."""
    y = np.linalg.cholesky(A)
    if isinstance(y, np.ndarray) and np.isnan(y).any():
        raise np.linalg.LinAlgError("The matrix is not positive definite: a nan came of it")
    return y


@primitive
def cholesky_factor(A):
    """The lower triangle L with L Lᵀ = A, for a symmetric matrix with positive eigenvalues.

    A (..., n, n) -> y (..., n, n)

    Source: Murray 2016, "Differentiation of the Cholesky decomposition", equations 8 to 10.
    """
    symmetric = (A + turned_matrix(A)) * 0.5
    y = factored(symmetric)
    return y


@cholesky_factor.backward
def cholesky_factor_backward(grad_y, y):
    """
    1. dA = dL Lᵀ + L dLᵀ, so L⁻¹ dA L⁻ᵀ = L⁻¹ dL + (L⁻¹ dL)ᵀ: a lower triangle and its mirror image
    2. hence dL = L Φ(L⁻¹ dA L⁻ᵀ), where Φ takes the lower triangle, and half of the diagonal
    3. ⟨g, dL⟩ = ⟨Φ(Lᵀ g), L⁻¹ dA L⁻ᵀ⟩ = ⟨L⁻ᵀ Φ(Lᵀ g) L⁻¹, dA⟩
    4. A is symmetric, and so is its gradient: half of that, and half of its mirror image
    """
    back   = np.linalg.inv(y)
    one    = turned_matrix(back) @ half_of_triangle(turned_matrix(y) @ grad_y) @ back
    grad_A = (one + turned_matrix(one)) * 0.5
    return grad_A


def positive(rng, *shape):
    """Draw symmetric matrices with positive eigenvalues."""
    x = rng.standard_normal(shape)
    return x @ turned_matrix(x) + np.eye(shape[-1])


@cholesky_factor.examples
def cholesky_factor_examples(rng):
    """Two stacks; a number."""
    return [(positive(rng, 2, 3, 3),), (positive(rng, 3, 2, 2),), (positive(rng, 1, 1),)]


def cholesky(A, *, upper=False):
    """The lower triangle L with L Lᵀ = A for symmetric matrices with positive eigenvalues; or the upper one, Lᵀ.

    Raises LinAlgError if an eigenvalue is not positive, ValueError if the matrices are not square.

    >>> from chalkgrad import tensor
    >>> cholesky(tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    squares("cholesky", A)
    lower = tried(cholesky_factor, A)
    return swapaxes(lower, -1, -2) if upper else lower


implements(np.linalg.cholesky)(lambda a: cholesky(a))


@primitive
def qr_of_tall(A):
    """A = Q R, with Qᵀ Q = 1 and R an upper triangle, for matrices that are not wider than tall.

    A (..., m, n) -> q (..., m, n), r (..., n, n)

    Source: Walter & Lehmann 2013, "Algorithmic differentiation of linear algebra functions".
    """
    q, r = np.linalg.qr(A)
    return q, r


@qr_of_tall.backward
def qr_of_tall_backward(grad_q, grad_r, q, r):
    """
    1. dA = dQ R + Q dR, where Qᵀ dQ is antisymmetric, since Qᵀ Q = 1 stays, and dR R⁻¹ an upper triangle
    2. so the part of Qᵀ dA R⁻¹ below the diagonal tells Qᵀ dQ, and what is left of it dR
    3. with M = R grad_rᵀ - grad_qᵀ Q, and M' its lower triangle mirrored: grad_A = (grad_q + Q M') R⁻ᵀ
    """
    m      = r @ turned_matrix(grad_r) - turned_matrix(grad_q) @ q
    both   = np.tril(m) + turned_matrix(np.tril(m, -1))
    whole  = grad_q + q @ both
    grad_A = turned_matrix(np.linalg.solve(r, turned_matrix(whole)))
    return grad_A


@qr_of_tall.examples
def qr_of_tall_examples(rng):
    """A square matrix; a stack of tall ones; one column."""
    draw = rng.standard_normal
    return [(draw((3, 3)),), (draw((2, 4, 2)),), (draw((3, 1)),)]


def qr(A, mode="reduced"):
    """A = Q R, with the columns of Q at right angles and of length 1, and R an upper triangle: a pair (Q, R).

    mode  "reduced": Q (..., m, k), R (..., k, n) with k = min(m, n); "complete": Q (..., m, m), R (..., m, n);
          "r": Q is empty. The last two have no derivative, but for "complete" where it is the same as "reduced".

    >>> from chalkgrad import tensor
    >>> qr(tensor([[3.0], [4.0]]))
    QR(Q=tensor([[-0.6],
            [-0.8]]), R=tensor([[-5.]]))
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f'qr: mode is "reduced", "complete" or "r", but {mode!r} came.')
    if A.ndim < 2:
        raise ValueError(f"qr: a matrix was expected, but the shape is {A.shape}.")
    m, n = A.shape[-2:]
    if mode == "r" or (mode == "complete" and m > n):
        _no_derivative("qr", A, f"mode={mode!r}")
        q = flat(complete_q)(A) if mode == "complete" else flat(np.empty)((0,), A.dtype)
        return QR(q, flat(np.linalg.qr)(A, "r") if mode == "r" else flat(complete_r)(A))
    if m >= n:
        return QR(*qr_of_tall(A))
    q, r = qr_of_tall(A[..., :m])
    return QR(q, cat([r, swapaxes(q, -1, -2) @ A[..., m:]], -1))


def complete_q(A):
    """All directions, also those that the columns do not reach."""
    return np.linalg.qr(A, "complete")[0]


def complete_r(A):
    """The triangle, with rows of zeros below."""
    return np.linalg.qr(A, "complete")[1]


def _no_derivative(name, A, what):
    if A.requires_grad and mode.grad_enabled:
        raise GradError(f"{name}: {what} has no derivative, but the input requires one. Detach it: x.detach().")


@implements(np.linalg.qr)
def _np_qr(a, mode="reduced"):
    return qr(a, mode)


attach(cholesky=lambda self, upper=False: cholesky(self, upper=upper))
