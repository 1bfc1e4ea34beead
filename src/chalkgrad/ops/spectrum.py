"""What a matrix stretches, by how much, and along which directions: eigenvalues and singular values."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .inverse import squares, turned_matrix
from .triangle import positive

__all__ = [
    "Eigh", "SVD", "divided", "eigen", "eigenvalues", "eigh", "eigvalsh", "mirrored", "one_triangle", "singular",
    "singular_values", "svd", "svdvals",
]


class SVD(NamedTuple):
    """Directions of the result, how much each is stretched, and directions of the input."""

    U: Any
    S: Any
    Vh: Any


class Eigh(NamedTuple):
    """How much a symmetric matrix stretches, and along which directions: the columns."""

    eigenvalues: Any
    eigenvectors: Any


def one_triangle(A, upper):
    """Matrices made symmetric from one of their triangles.

    >>> one_triangle(np.array([[1, 9], [2, 3]]), False)
    array([[1, 2],
           [2, 3]])
    """
    part, beyond = (np.triu(A), np.triu(A, 1)) if upper else (np.tril(A), np.tril(A, -1))
    return part + turned_matrix(beyond)


@primitive
def mirrored(A, *, upper=False):
    """Symmetric matrices of which one triangle is read; the other one is not looked at.

    A (..., n, n) -> y (..., n, n)
    """
    y = one_triangle(A, upper)
    return y


@mirrored.backward
def mirrored_backward(grad_y):
    """A symmetric matrix changes on both sides of its diagonal at once: the gradient stays on both, as in PyTorch."""
    grad_A = grad_y
    return grad_A


@mirrored.examples
def mirrored_examples(rng):
    """A symmetric matrix, by either triangle."""
    return [(positive(rng, 3, 3),), (positive(rng, 2, 2, 2), {"upper": True})]


def divided(x, by):
    """x / by, but 0 / 0 = 0: where nothing is asked of directions that cannot be told apart, nothing is answered.

    >>> divided(np.array([4.0, 0.0]), np.array([2.0, 0.0]))
    array([2., 0.])
    """
    return x / (by + ((x == 0) & (by == 0)))


@primitive
def eigen(A):
    """Eigenvalues of symmetric matrices, from the smallest on, and their eigenvectors, which are the columns of v.

    A (..., n, n) -> w (..., n), v (..., n, n)

    Source: Giles 2008, section 3.1.
    """
    w, v = np.linalg.eigh((A + turned_matrix(A)) * 0.5)
    return w, v


@eigen.backward
def eigen_backward(grad_w, grad_v, w, v):
    """
    1. A V = V W: in the directions of V, with P = Vᵀ dV antisymmetric: Vᵀ dA V = dW + P W - W P
    2. on the diagonal: dw_i = (Vᵀ dA V)_ii; beside it: P_ij = (Vᵀ dA V)_ij / (w_j - w_i)
    3. grad_A = V (diag(grad_w) + (Vᵀ grad_v)_ij / (w_j - w_i)) Vᵀ; equal eigenvalues have no directions of their own
    4. A is symmetric, and so is its gradient: half of that, and half of its mirror image
    """
    gaps   = w[..., None, :] - w[..., :, None]
    diag   = np.eye(w.shape[-1], dtype=np.bool_)
    beside = divided((turned_matrix(v) @ grad_v) * ~diag, gaps)
    inner  = beside + grad_w[..., None, :] * diag
    one    = v @ inner @ turned_matrix(v)
    grad_A = (one + turned_matrix(one)) * 0.5
    return grad_A


@eigen.examples
def eigen_examples(rng):
    """One; a stack."""
    return [(positive(rng, 3, 3),), (positive(rng, 2, 2, 2),)]


@primitive
def eigenvalues(A):
    """Eigenvalues of symmetric matrices, from the smallest on.

    A (..., n, n) -> w (..., n)

    Source: Giles 2008, section 3.1.
    """
    parts = np.linalg.eigh((A + turned_matrix(A)) * 0.5)
    w, v = parts[0], parts[1]
    return w


@eigenvalues.backward
def eigenvalues_backward(grad_w, v):
    """dw_i = v_iᵀ dA v_i, so ∂loss/∂A = Σ_i g_i v_i v_iᵀ"""
    grad_A = (v * grad_w[..., None, :]) @ turned_matrix(v)
    return grad_A


@eigenvalues.examples
def eigenvalues_examples(rng):
    """One; a stack."""
    return [(positive(rng, 3, 3),), (positive(rng, 2, 2, 2),)]


def _triangle(name, A, UPLO):
    squares(name, A)
    if UPLO not in ("L", "U"):
        raise ValueError(f'{name}: UPLO is "L" or "U", for the triangle that is read, but {UPLO!r} came.')
    return mirrored(A, upper=UPLO == "U")


def eigh(A, UPLO="L"):
    """Eigenvalues of symmetric matrices, from the smallest on, and eigenvectors: a pair (eigenvalues, eigenvectors).

    UPLO  which triangle is read: "L", the lower, or "U", the upper one

    The sign of an eigenvector is free, and a loss must not depend on it; nor on the directions of equal eigenvalues.

    >>> from chalkgrad import tensor
    >>> eigh(tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return Eigh(*eigen(_triangle("eigh", A, UPLO)))


def eigvalsh(A, UPLO="L"):
    """Eigenvalues of symmetric matrices, from the smallest on.

    >>> from chalkgrad import tensor
    >>> eigvalsh(tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    return eigenvalues(_triangle("eigvalsh", A, UPLO))


implements(np.linalg.eigh)(lambda a: eigen(a))


@primitive
def singular(A, *, full_matrices=False):
    """A = U S Vᵀ: directions v, each stretched by a singular value, the largest first, and turned to u.

    A (..., m, n) -> u (..., m, *), s (..., k), vh (..., *, n)

    Source: Townsend 2016, "Differentiating the singular value decomposition".
    """
    u, s, vh = np.linalg.svd(A, full_matrices)
    return u, s, vh


@singular.backward
def singular_backward(grad_u, grad_s, grad_vh, u, s, vh):
    """
    1. with P = Uᵀ dU and R = Vᵀ dV, both antisymmetric: Uᵀ dA V = P S + dS - S R
    2. the diagonal is dS; beside it, two equations for each pair give P and R: a division by s_j² - s_i²
    3. so ∂loss/∂A = U ((Uᵀg_u - g_uᵀU) / (s_j² - s_i²) S + diag(g_s) + S (Vᵀg_v - g_vᵀV) / (s_j² - s_i²)) Vᵀ
    4. where U reaches not all directions, dU also has a part at right angles to it, of (1 - U Uᵀ) dA V S⁻¹; so has V
    """
    k      = s.shape[-1]
    m, n   = u.shape[-2], vh.shape[-1]
    left   = u[..., :, :k]
    right  = turned_matrix(vh[..., :k, :])
    to_u   = grad_u[..., :, :k]
    to_v   = turned_matrix(grad_vh[..., :k, :])
    row, column = s[..., None, :], s[..., :, None]
    gaps   = (row - column) * (row + column)
    in_u   = turned_matrix(left) @ to_u
    in_v   = turned_matrix(right) @ to_v
    turn_u = divided(in_u - turned_matrix(in_u), gaps)
    turn_v = divided(in_v - turned_matrix(in_v), gaps)
    inner  = turn_u * row + grad_s[..., None, :] * np.eye(k, dtype=np.bool_) + column * turn_v
    grad_A = left @ inner @ turned_matrix(right)
    if m > k:
        grad_A = grad_A + divided(to_u - left @ in_u, row) @ turned_matrix(right)
    if n > k:
        grad_A = grad_A + left @ turned_matrix(divided(to_v - right @ in_v, row))
    return grad_A


@singular.examples
def singular_examples(rng):
    """A square matrix; a stack of wide ones; a tall one."""
    draw = rng.standard_normal
    return [(draw((3, 3)),), (draw((2, 2, 3)),), (draw((4, 2)),), (draw((2, 2)), {"full_matrices": True})]


@primitive
def singular_values(A):
    """How much a matrix stretches, along directions at right angles; the largest first.

    A (..., m, n) -> s (..., k)
    """
    parts = np.linalg.svd(A, False)
    u, s, vh = parts[0], parts[1], parts[2]
    return s


@singular_values.backward
def singular_values_backward(grad_s, u, vh):
    """ds_i = u_iᵀ dA v_i, so ∂loss/∂A = Σ_i g_i u_i v_iᵀ; equal ones are no trouble here."""
    grad_A = (u * grad_s[..., None, :]) @ vh
    return grad_A


@singular_values.examples
def singular_values_examples(rng):
    """A square matrix; a stack of wide ones; a tall one."""
    draw = rng.standard_normal
    return [(draw((3, 3)),), (draw((2, 2, 3)),), (draw((4, 2)),)]


def _matrix(name, A):
    if A.ndim < 2 or A.dtype.kind != "f":
        raise ValueError(f"{name}: matrices of floats were expected, but {A.dtype} of shape {A.shape} came.")


def svd(A, full_matrices=True):
    """A = U S Vᵀ, for any matrices: a triple (U, S, Vh), with the singular values in S, the largest first.

    full_matrices  U (..., m, m) and Vh (..., n, n), with directions that A does not reach; otherwise (..., m, k) and
                   (..., k, n) with k = min(m, n). A loss must not depend on them, nor on the signs of directions.

    >>> from chalkgrad import tensor
    >>> svd(tensor([[0.0, 3.0], [4.0, 0.0]])).S
    tensor([4., 3.])
    """
    _matrix("svd", A)
    return SVD(*singular(A, full_matrices=bool(full_matrices)))


def svdvals(A):
    """Singular values: how much a matrix stretches, along directions at right angles; the largest first.

    >>> from chalkgrad import tensor
    >>> svdvals(tensor([[0.0, 3.0], [4.0, 0.0]]))
    tensor([4., 3.])
    """
    _matrix("svdvals", A)
    return singular_values(A)


@implements(np.linalg.svd)
def _np_svd(a, full_matrices=True):
    return singular(a, full_matrices=full_matrices)
