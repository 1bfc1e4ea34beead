"""Parametrizations that are ready to use, for any parameter of any module: normalized, or orthogonal."""

from __future__ import annotations

from ...engine.tensor import Tensor
from ..layers.normalize import normalize
from ..module import Module
from .computed import plain_tensor
from .orthogonal import orthogonal
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, counted_along, power_iteration, spectral_norm_of, unit_vectors
from .weight_norm import norm_except_dim, weight_norm_of

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """weight_g (*), weight_v (...) -> weight (...)."""
        weight: Tensor = weight_norm_of(weight_v, weight_g, dim=self.dim)
        return weight

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the lengths and the weight itself, which has them."""
        return norm_except_dim(weight, self.dim), weight


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm: dim is an axis of the weight, of shape {weight.shape}, but {dim} came.")
        if n_power_iterations < 1:
            raise ValueError(f"spectral_norm: n_power_iterations is 1 or more, but {n_power_iterations} came.")
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), self.dim)
            self._u, self._v = unit_vectors(matrix, eps)
            power_iteration(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        """weight (...) -> weight (...)."""
        if weight.ndim == 1:  # a single vector stretches by its length
            return normalize(weight, dim=0, eps=self.eps)
        if self.training:
            power_iteration(as_matrix(weight.detach(), self.dim), self._u, self._v, self.n_power_iterations, self.eps)
        y: Tensor = spectral_norm_of(weight, self._u.clone(), self._v.clone(), dim=self.dim)  # they turn on in place
        return y

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value: if its spectral norm is 1, it is what it was made from."""
        return value


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a parameter as its length, original0, and its direction, original1, and return the module.

    name  of the parameter
    dim   the axis that counts the weight vectors; None if all is one

    Source: Salimans & Kingma 2016, eq. 2.

    >>> import chalkgrad as cg
    >>> layer = weight_norm(cg.nn.Linear(3, 2))
    >>> {key: tensor.shape for key, tensor in layer.state_dict().items()}
    {'bias': (2,), 'parametrizations.weight.original0': (2, 1), 'parametrizations.weight.original1': (2, 3)}
    """
    return register_parametrization(module, name, _WeightNorm(-1 if dim is None else dim), unsafe=True)


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a parameter by its spectral norm, and return the module.

    name                of the parameter
    n_power_iterations  steps of the power iteration each time that it is asked for in training; 15 at the start
    eps                 the least length that a vector is divided by
    dim                 the axis that counts the outputs; if not given, 1 in transposed convolutions, else 0

    Source: Miyato et al. 2018, eq. 8 and algorithm 1.

    >>> import chalkgrad as cg
    >>> layer = spectral_norm(cg.nn.Linear(3, 2, bias=False))
    >>> list(layer.state_dict())
    ['parametrizations.weight.original', 'parametrizations.weight.0._u', 'parametrizations.weight.0._v']
    """
    weight = plain_tensor("spectral_norm", module, name)
    norm = _SpectralNorm(weight, n_power_iterations, counted_along(module, dim), eps)
    return register_parametrization(module, name, norm)
