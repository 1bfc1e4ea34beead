"""Weight normalization: the length of a weight vector and its direction are learned apart.

How far a step turns a vector then no longer depends on how long it is, and the length is found by a number of its own
(Salimans & Kingma 2016). It does for the weights of one neuron what batch normalization does for what they make of the
batch, and needs no batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...ops.distance import length
from ..module import Module, Parameter
from .computed import let_compute
from .rescaled import Rescaled, remove

__all__ = [
    "WeightNorm", "all_but", "norm_except_dim", "remove_weight_norm", "weight_norm", "weight_norm_of",
]


def all_but(dim, ndim):
    """List the axes of one weight vector: all but `dim`, which counts them; all, for dim=-1.

    >>> all_but(0, 4), all_but(-1, 2)
    ((1, 2, 3), (0, 1))
    """
    return tuple([axis for axis in range(ndim) if axis != dim])


@primitive
def weight_norm_of(v, g, *, dim=0):
    """Give each vector of v the length g: w = g · v/‖v‖.

    v (...), g (*) -> w (...)

    dim  the axis that counts the vectors; -1 if all of v is one vector. g has size 1 along the others

    Source: Salimans & Kingma 2016, eq. 2.

    >>> weight_norm_of(np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([[5.0], [1.0]]))
    array([[3., 4.],
           [0., 1.]])
    """
    axes = all_but(dim, v.ndim)
    size = length(v, 2, axes)
    w    = v * (g / size)
    return w


@weight_norm_of.backward
def weight_norm_of_backward(grad_w, v, g, size, axes):
    """
    1. w = g · v/‖v‖ is linear in g, so ∂loss/∂g = ⟨∇w, v⟩/‖v‖: the part of the gradient along v
    2. ∂(v/‖v‖)ᵢ/∂vⱼ = (1{i=j} - vᵢ vⱼ/‖v‖²)/‖v‖
    3. ∂loss/∂v = (g/‖v‖) ∇w - (g ∇g/‖v‖²) v, which is eq. 3: the gradient by v is at a right angle to v
    """
    grad_g = (grad_w * v).sum(axis=axes, keepdims=True) / size
    grad_v = grad_w * (g / size) - v * (g * grad_g / (size * size))
    return grad_v, grad_g


@weight_norm_of.examples
def weight_norm_of_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A vector a row; kernels, counted by the second axis; all of it one vector; a vector of one number."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 1))),
        (draw((2, 3, 2, 2)), draw((1, 3, 1, 1)), {"dim": 1}),
        (draw((2, 3)), draw(()), {"dim": -1}),
        (draw((3, 1)), draw((3, 1))),
    ]


def norm_except_dim(v: Tensor, dim: int = 0) -> Tensor:
    """The lengths of the vectors of v, as `weight_norm_of` takes them: size 1 but along dim; for -1, a single number.

    Raises IndexError for an axis that v does not have.
    """
    if not -1 <= dim < v.ndim:
        raise IndexError(f"weight_norm: dim is an axis of the weight, of shape {v.shape}, or -1, but {dim} came.")
    size: Tensor = length(v, 2, all_but(dim, v.ndim))
    return size.reshape(()) if dim == -1 else size


class WeightNorm(Rescaled):
    """What `weight_norm` sets up: the weight is made of its length and its direction."""

    what, parts = "weight_norm", ("g", "v")

    def __init__(self, name: str, dim: int) -> None:
        super().__init__(name)
        self.dim = dim

    def get(self, module: Module) -> Tensor:
        """Return g · v/‖v‖."""
        g, v = self.made_of(module)
        w: Tensor = weight_norm_of(v, g, dim=self.dim)
        return w


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Replace a parameter by two, its length `weight_g` and its direction `weight_v`, and return the module.

    name  of the parameter
    dim   the axis that counts the weight vectors; None if all is one

    The weight itself is made of the two whenever it is asked for.

    Raises RuntimeError if it is so already, ValueError if there is no such parameter, IndexError for no such axis.

    >>> import chalkgrad as cg
    >>> layer = weight_norm(cg.nn.Linear(3, 2))
    >>> {key: tensor.shape for key, tensor in layer.state_dict().items()}
    {'bias': (2,), 'weight_g': (2, 1), 'weight_v': (2, 3)}
    """
    how = WeightNorm(name, -1 if dim is None else dim)
    weight = how.check(module)
    with no_grad():
        size = norm_except_dim(weight, how.dim)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(size))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    return let_compute(module, how)


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Undo `weight_norm`: the weight is a parameter again, with the numbers that it has.

    Raises ValueError if there is nothing to undo.
    """
    return remove(WeightNorm, module, name)
