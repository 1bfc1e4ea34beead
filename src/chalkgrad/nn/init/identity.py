"""Identities: weights with which a layer hands its input on, so that depth does no harm at first."""

from __future__ import annotations

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor, wrap

__all__ = ["dirac_", "eye_"]


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros beside it: y = W x begins with x, as far as both reach.

    All singular values are 1, so that neither signals nor gradients change their size at all.

    Raises ValueError for what is no matrix.

    >>> import chalkgrad as cg
    >>> eye_(cg.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_ fills a matrix, but this tensor has shape {tensor.shape}.")
    return _fill(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it hands its input on: a one in the middle, from channel i to channel i.

    groups  of the convolution; each hands on its own channels

    With stride 1 and half of the kernel as padding, y = x in as many channels as there are on both sides.

    Raises ValueError for a weight with other than 3, 4 or 5 axes, or with channels that cannot be divided into groups.

    >>> import chalkgrad as cg
    >>> from chalkgrad.nn.layers.conv1d import conv1d
    >>> x = cg.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    >>> conv1d(x, dirac_(cg.empty(2, 2, 3)), padding=1)
    tensor([[[1., 2., 3.],
             [4., 5., 6.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("dirac_ fills the weight of a convolution, with 3, 4 or 5 axes, but this has shape "
                         f"{tensor.shape}.")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ValueError(f"dirac_: {outputs} output channels cannot be divided into {groups} groups.")
    weight = np.zeros((groups, outputs // groups, inputs, *kernel))
    channel = np.arange(min(outputs // groups, inputs))
    weight[(slice(None), channel, channel, *(size // 2 for size in kernel))] = 1
    return _fill(tensor, weight.reshape(tensor.shape))


def _fill(tensor: Tensor, numbers: np.ndarray) -> Tensor:
    with no_grad():
        tensor.copy_(wrap(numbers.astype(tensor.dtype), None))
    return tensor
