"""InstanceNorm: each channel of each example gets mean 0 and variance 1 by itself.

It takes the contrast out of a picture, so that what a network makes of it does not depend on the light: styles are
transferred better (Ulyanov, Vedaldi & Lempitsky 2016). It is a group norm whose groups are the channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from .batch_norm import RunningNorm, batch_norm_eval, check_channels, track
from .group_norm import group_norm_over

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "instance_norm"]


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize every channel of every example: by itself, or without use_input_stats by the running averages.

    input                      (n, c, ...)
    running_mean, running_var  (c); with use_input_stats they take in the mean over the batch, in place
    weight, bias               (c)
    momentum                   the share of a running average that one batch replaces
    eps                        keeps a channel whose numbers are all equal from a division by 0

    Raises ShapeError if channels do not match; ValueError for channels of a single number, or running averages that
    are None where they are needed.

    Source: Ulyanov, Vedaldi & Lempitsky 2016, eq. 3; the running averages are PyTorch's.

    >>> from chalkgrad import tensor
    >>> instance_norm(tensor([[[1.0, 3.0], [10.0, 30.0]]]))
    tensor([[[-1.,  1.],
             [-1.,  1.]]])
    """
    given = [each for each in (running_mean, running_var, weight, bias) if each is not None]
    check_channels("instance_norm", input, *(each.numel() for each in given))
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError("instance_norm: without use_input_stats, running_mean and running_var are needed.")
        y: Tensor = batch_norm_eval(input, running_mean, running_var, weight, bias, eps=eps)
        return y
    n, c = input.shape[:2]
    if input.numel() == n * c and n:
        raise ValueError(f"instance_norm: channels of one number have no variance; input has shape {input.shape}.")
    y, mean, var = group_norm_over(input, weight, bias, num_groups=c, eps=eps)
    for running, batch in ((running_mean, mean), (running_var, var)):
        if running is not None and n:
            track(running, batch.mean(0), momentum=momentum)
    return y


class _InstanceNorm(RunningNorm):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
        track_running_stats: bool = False, dtype: Any = np.float32, *, bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) or (c, ...) -> y, of the same shape."""
        self.check_axes(input)
        if input.ndim == self.axes[0]:
            alone: Tensor = self.forward(input.unsqueeze(0)).squeeze(0)
            return alone
        if self.affine or self.track_running_stats:
            check_channels(type(self).__name__, input, self.num_features)
        return instance_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, self.momentum or 0.0, self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance normalization of sequences (n, c, l) or (c, l): over the l steps.

    momentum             the share of the running averages that one batch replaces; None leaves them as they are
    affine, bias         whether there are `weight` and `bias`, (c), which start as ones and zeros
    track_running_stats  whether running averages over the examples are kept, and evaluation goes by them

    As in PyTorch, num_features is only looked at if there are weights or running averages, and num_batches_tracked
    stays 0.

    Raises ShapeError for other shapes, ValueError for channels of a single number.

    >>> import chalkgrad as cg
    >>> cg.nn.InstanceNorm1d(2)(cg.tensor([[1.0, 3.0], [10.0, 30.0]]))
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """

    axes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of pictures (n, c, h, w) or (c, h, w), over the pixels; see InstanceNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.InstanceNorm2d(3)(cg.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    axes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of volumes (n, c, d, h, w) or (c, d, h, w), over the pixels; see InstanceNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.InstanceNorm3d(3)(cg.randn(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    axes = (4, 5)
