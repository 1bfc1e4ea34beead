"""Spectral normalization: a weight matrix is divided by the most that it can stretch a vector.

What a layer makes of two inputs then differs no more than they do. The discriminator of a generative adversarial
network, kept as smooth as that, does not run away from its generator (Miyato et al. 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...ops.draw import randn
from .. import layers
from ..layers.normalize import normalize
from ..module import Buffer, Module
from .computed import let_compute
from .rescaled import Rescaled, remove

__all__ = [
    "SpectralNorm", "as_matrix", "counted_along", "power_iteration", "remove_spectral_norm", "spectral_norm",
    "spectral_norm_of", "unit_vectors",
]


def as_matrix(weight, dim):
    """Write a weight as a matrix, with a row for each place along `dim`.

    >>> as_matrix(np.ones((2, 3, 5)), 1).shape
    (3, 10)
    """
    return np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


@primitive
def spectral_norm_of(weight, u, v, *, dim=0):
    """Divide a weight by its spectral norm, as far as u and v know it: y = W/σ with σ = uᵀ W v.

    weight (...), u (h), v (w) -> y (...)

    u, v  of length 1, nearly the first singular vectors of W; one does not differentiate by them
    dim   the axis of the weight that counts the rows of the matrix W (h, w)

    Source: Miyato et al. 2018, eq. 8.

    >>> spectral_norm_of(np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    array([[0.75, 0.  ],
           [0.  , 1.  ]])
    """
    sigma = u @ (as_matrix(weight, dim) @ v)
    y     = weight / sigma
    return y


@spectral_norm_of.backward
def spectral_norm_of_backward(grad_y, y, u, v, sigma, dim):
    """
    1. σ = uᵀ W v, with u and v held, so ∂σ/∂W = u vᵀ. That is the derivative of the true spectral norm too: where u and
       v are the singular vectors, σ is at its largest, and does not change as they turn
    2. y = W/σ, so ∂loss/∂W = (1/σ) ∇y - (⟨∇y, W⟩/σ²) u vᵀ = (1/σ) (∇y - ⟨∇y, y⟩ u vᵀ)
    """
    moved  = np.moveaxis(y, dim, 0)
    slope  = np.moveaxis((u[:, None] * v).reshape(moved.shape), 0, dim)
    grad_weight = (grad_y - (grad_y * y).sum() * slope) / sigma
    return grad_weight


@spectral_norm_of.examples
def spectral_norm_of_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A matrix; kernels, whose second axis counts the rows; a single row."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw(3), draw(4)),
        (draw((2, 3, 2)), draw(3), draw(4), {"dim": 1}),
        (draw((1, 2)), np.ones(1), draw(2)),
    ]


def power_iteration(matrix: Tensor, one: Tensor, other: Tensor, steps: int, eps: float) -> None:
    """Turn two vectors, in place, towards the first singular vectors: multiply by the matrix and back, at length 1.

    matrix (h, w), one (h), other (w)

    With every step, the part along the first ones grows against the others by the ratio of the singular values,
    squared.

    Source: Golub & van der Vorst 2000; Miyato et al. 2018, algorithm 1.
    """
    with no_grad():
        for _ in range(steps):
            one.copy_(normalize(matrix @ other, dim=0, eps=eps))
            other.copy_(normalize(matrix.T @ one, dim=0, eps=eps))


def unit_vectors(matrix: Tensor, eps: float) -> list[Buffer]:
    """Draw the vectors to start from, of length 1: a column and a row."""
    with no_grad():
        return [Buffer(normalize(randn(n, dtype=matrix.dtype), dim=0, eps=eps)) for n in matrix.shape]


def counted_along(module: Module, dim: int | None) -> int:
    """Say which axis of the weight counts the outputs: that which is given, 1 in transposed convolutions, else 0."""
    kinds = [getattr(layers, f"ConvTranspose{n}d", ()) for n in (1, 2, 3)]
    return dim if dim is not None else int(any(isinstance(module, kind) for kind in kinds))


class SpectralNorm(Rescaled):
    """What `spectral_norm` sets up: the weight is divided by its spectral norm."""

    what, parts = "spectral_norm", ("orig", "u", "v")

    def __init__(self, name: str, n_power_iterations: int, eps: float, dim: int) -> None:
        super().__init__(name)
        self.n_power_iterations, self.eps, self.dim = n_power_iterations, eps, dim

    def get(self, module: Module) -> Tensor:
        """Return W/σ."""
        weight, u, v = self.made_of(module)
        y: Tensor = spectral_norm_of(weight, u.clone(), v.clone(), dim=self.dim)  # they will turn on, in place
        return y

    def __call__(self, module: Module, args: Any) -> None:
        """Turn u and v a bit further before a forward, in training."""
        if module.training:
            weight, u, v = self.made_of(module)
            power_iteration(as_matrix(weight.detach(), self.dim).T, v, u, self.n_power_iterations, self.eps)


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Let a weight be divided by its spectral norm, and return the module.

    name                of the parameter, which becomes `weight_orig`, beside the buffers `weight_u` and `weight_v`
    n_power_iterations  steps of the power iteration at each forward in training
    eps                 the least length that a vector is divided by
    dim                 the axis that counts the outputs; if not given, 1 in transposed convolutions, else 0

    Raises RuntimeError if it is so already, ValueError if there is no such parameter, or for no iteration.

    >>> import chalkgrad as cg
    >>> layer = spectral_norm(cg.nn.Linear(3, 2))
    >>> {key: tensor.shape for key, tensor in layer.state_dict().items()}
    {'bias': (2,), 'weight_orig': (2, 3), 'weight_u': (2,), 'weight_v': (3,)}
    """
    how = SpectralNorm(name, n_power_iterations, eps, counted_along(module, dim))
    weight = how.check(module)
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations is 1 or more, but {n_power_iterations} came.")
    u, v = unit_vectors(as_matrix(weight.detach(), how.dim), eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(how)
    return let_compute(module, how)


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Undo `spectral_norm`: the weight is a parameter again, divided as it was.

    Raises ValueError if there is nothing to undo.
    """
    for handle, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook.function, SpectralNorm) and hook.function.name == name:
            handle.remove()
    return remove(SpectralNorm, module, name)
