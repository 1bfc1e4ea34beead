"""Orthogonal weights: matrices that turn, and neither stretch nor shrink.

Signals and gradients keep their length through such a layer, however many of them follow each other. Steps along a
gradient would leave the orthogonal matrices; so a matrix of free numbers is learned, and mapped onto them. There are
three classical maps: the exponential of a skew-symmetric matrix, Cayley's (1846), and a product of Householder's
reflections (1958).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...ops.constant import eye
from ...ops.draw import randn
from ...ops.inverse import solve, solve_triangular
from ...ops.matrices import matrix_exp
from ...ops.shape import cat
from ..module import Buffer, Module
from .computed import plain_tensor
from .parametrize import register_parametrization

__all__ = ["cayley", "exponential", "householder", "nearest_orthogonal", "orthogonal", "reflectors", "skew"]


def skew(x: Tensor) -> Tensor:
    """Make a skew-symmetric matrix (n, n) of the lower triangle of x (n, k): A with Aᵀ = -A."""
    n, k = x.shape[-2:]
    low = x.tril()
    if n != k:
        low = cat([low, low.new_zeros(*low.shape[:-2], n, n - k)], dim=-1)
    made: Tensor = low - low.mT
    return made


def exponential(x: Tensor) -> Tensor:
    """Map x (..., n, k), n ≥ k, onto k orthogonal columns: exp A, where A is skew.

    It is orthogonal, since (exp A)ᵀ exp A = exp(-A) exp A = 1.

    >>> from chalkgrad import tensor
    >>> exponential(tensor([[0.0, 0.0], [3.141592653589793 / 2, 0.0]])).round() + 0.0  # a quarter turn
    tensor([[ 0., -1.],
            [ 1.,  0.]])
    """
    q: Tensor = matrix_exp(skew(x))[..., : x.shape[-1]]
    return q


def cayley(x: Tensor) -> Tensor:
    """Map x (..., n, k), n ≥ k, onto k orthogonal columns: (1 - A/2)⁻¹ (1 + A/2), where A is skew.

    It is orthogonal, since (1 + A/2)ᵀ = 1 - A/2, and both commute (Cayley 1846).

    >>> from chalkgrad import tensor
    >>> cayley(tensor([[0.0, 0.0], [2.0, 0.0]]))
    tensor([[ 0., -1.],
            [ 1.,  0.]])
    """
    half, one = skew(x) / 2, eye(x.shape[-2], dtype=x.dtype)
    q: Tensor = solve(one - half, one + half)[..., : x.shape[-1]]
    return q


def householder(x: Tensor) -> Tensor:
    """Map x (..., n, k), n ≥ k, onto k orthogonal columns: a product of reflections, and a sign for each column.

    Column j of V is that of x below the diagonal, 1 on it, and 0 above. It stands for the reflection
    Hⱼ = 1 - (2/‖vⱼ‖²) vⱼ vⱼᵀ at the plane across it. The product of all is H₁ ⋯ Hₖ = 1 - V U⁻¹ Vᵀ, where U has ½‖vⱼ‖²
    on its diagonal, and above it what VᵀV has (Joffrain et al. 2006). The diagonal of x holds the signs.

    >>> from chalkgrad import tensor
    >>> householder(tensor([[-1.0, 0.0], [1.0, -1.0]])).round(decimals=6) + 0.0  # two reflections turn
    tensor([[ 0., -1.],
            [ 1.,  0.]])
    """
    n, k = x.shape[-2:]
    one = eye(n, k, dtype=x.dtype)
    v = x.tril(-1) + one
    met = v.mT @ v
    upper = met.triu(1) + met * eye(k, dtype=x.dtype) / 2
    signs = x.detach().diagonal(0, -2, -1)
    q: Tensor = (one - v @ solve_triangular(upper, v[..., :k, :].mT, upper=True)) * signs.unsqueeze(-2)
    return q


MAPS = {"matrix_exp": exponential, "cayley": cayley, "householder": householder}


def nearest_orthogonal(q: Any) -> Any:
    """Return the orthogonal factor of an array (..., n, k), n ≥ k: q = Q R, with a positive diagonal of R."""
    made, r = np.linalg.qr(q)
    return made * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]


def reflectors(q: Any) -> Any:
    """Return x of which `householder` makes the orthogonal factor of an array (n, k); the signs are those of R."""
    raw, tau = np.linalg.qr(q, mode="raw")
    x = np.swapaxes(raw, -1, -2).copy()
    k = x.shape[-1]
    diagonal = np.sign(x[..., range(k), range(k)])
    x[..., range(k), range(k)] = np.where(tau == 0, -diagonal, diagonal)  # no reflection where LAPACK needs none
    return x


class _Orthogonal(Module):
    base: Any  # a Buffer, or None: what the map is multiplied by

    def __init__(self, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.orthogonal_map, self.use_trivialization = orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., n, k) -> y (..., n, k), with orthogonal columns or, if it is wider than high, rows."""
        wide = x.shape[-2] < x.shape[-1]
        q: Tensor = MAPS[self.orthogonal_map](x.swapaxes(-1, -2) if wide else x)
        if self.use_trivialization:
            q = self.base @ q
        return q.swapaxes(-1, -2) if wide else q

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return what the map makes the orthogonal matrix of that is nearest to a value.

        With trivialization that is always the same, and the value goes into the base.
        """
        wide = value.shape[-2] < value.shape[-1]
        q = np.swapaxes(value.data, -1, -2) if wide else value.data
        if self.use_trivialization:
            self._set_base(q)
            x = np.broadcast_to(-np.eye(*value.shape[-2:], dtype=value.dtype), value.shape)
            return Tensor(x)
        if self.orthogonal_map != "householder":
            raise NotImplementedError(f"orthogonal: what orthogonal_map={self.orthogonal_map!r} makes can be assigned "
                                      "only with use_trivialization=True.")
        x = reflectors(q)
        return Tensor(np.swapaxes(x, -1, -2) if wide else x)

    def _set_base(self, q: Any) -> None:
        """Fill the columns up to a square with random ones, and make all orthogonal, unless they are."""
        n, k = q.shape[-2:]
        if n != k:
            q = np.concatenate([q, randn(*q.shape[:-2], n, n - k, dtype=q.dtype).data], axis=-1)
        eps = 10 * n * np.finfo(q.dtype).eps
        if n != k or not np.allclose(np.swapaxes(q, -1, -2) @ q, np.eye(n), atol=eps):
            q = nearest_orthogonal(q)
        with no_grad():
            if self.base is None:
                self.base = Buffer(q.astype(q.dtype))
            else:
                self.base.copy_(Tensor(q))


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Let a matrix, or several, be orthogonal, and return the module.

    name                of the parameter (..., n, k), whose columns, or the rows if k > n, become orthogonal to each
                        other and of length 1
    orthogonal_map      "matrix_exp", "cayley" or "householder"; if not given, the first for square matrices, else the
                        last
    use_trivialization  learn how far to turn from where the weight was, which is kept as the buffer `base`; so the
                        start is at 0 of the map, where it is smoothest (Lezcano-Casado 2019)

    Raises ValueError if there is no such parameter, or no matrix, or for another map.

    Source: Lezcano-Casado & Martínez-Rubio 2019 for the maps; the arguments are PyTorch's.

    >>> import chalkgrad as cg
    >>> weight = orthogonal(cg.nn.Linear(3, 2)).weight
    >>> bool(((weight @ weight.T - cg.eye(2)).abs() < 1e-6).all())
    True
    """
    weight = plain_tensor("orthogonal", module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: a matrix is expected, but `{name}` has shape {weight.shape}.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(f"orthogonal: orthogonal_map is one of {', '.join(MAPS)}, but {orthogonal_map!r} came.")
    made = _Orthogonal(orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
