"""BatchNorm: each channel gets mean 0 and variance 1 over the batch, and then a mean and a spread that are learned.

A layer then need not follow the changing scale of those before it, and larger steps can be taken (Ioffe & Szegedy
2015). In training the statistics are those of the batch, and a running average of them is kept; afterwards, when an
example may come alone, it is normalized by that average.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.update import update_rule
from .. import init
from ..module import Buffer, Module, Parameter
from .channels import channel_sums, for_each

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "RunningNorm", "batch_norm", "batch_norm_eval", "batch_norm_train",
    "check_channels", "check_variance", "count_batch", "track", "track_evenly",
]


@primitive
def batch_norm_train(x, weight=None, bias=None, *, eps=1e-5):
    """Give every channel mean 0 and variance 1 over the batch: y = weight · (x - mean) / √(variance + eps) + bias.

    x (n, c, ...), weight (c), bias (c) -> y (n, c, ...), mean (c), var (c)

    mean, var  of the batch, for the running averages, which ask for the unbiased variance: over m - 1, not over the
               count m of numbers in a channel. One does not differentiate by these

    Source: Ioffe & Szegedy 2015, algorithm 1; equation 10 for the unbiased variance.

    >>> y, mean, var = batch_norm_train(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> y.round(3), mean, var
    (array([[-1.,  0.], [ 1.,  0.]]), array([2., 5.]), array([2., 0.]))
    """
    m     = max(x.size // x.shape[1], 1)
    mean  = channel_sums(x) / m
    away  = x - for_each(mean, x)
    power = channel_sums(away, away) / m
    rstd  = 1 / np.sqrt(power + eps)
    scale = rstd if weight is None else weight * rstd
    y     = away * for_each(scale, x)
    if bias is not None:
        y += for_each(bias, x)
    var = power * (m / max(m - 1, 1))
    return y, mean, var


@batch_norm_train.backward
def batch_norm_train_backward(grad_y, away, rstd, scale, m):
    """
    1. y = weight · x̂ + bias in each channel, so ∂loss/∂bias = Σᵢ gᵢ and ∂loss/∂weight = Σᵢ gᵢ x̂ᵢ
    2. x̂ᵢ = (xᵢ - mean) · rstd, and the mean and the variance depend on all the m numbers xⱼ of the channel:
       ∂mean/∂xⱼ = 1/m, and ∂rstd/∂xⱼ = -rstd² x̂ⱼ/m
    3. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/m - x̂ᵢ x̂ⱼ/m)
    4. ∂loss/∂xⱼ = Σᵢ gᵢ weight ∂x̂ᵢ/∂xⱼ = weight · rstd · (gⱼ - (1/m) Σᵢ gᵢ - x̂ⱼ (1/m) Σᵢ gᵢ x̂ᵢ),
       where the two sums are those of step 1: shifting or stretching a channel changes nothing
    5. what the large arrays are multiplied by is worked out first, channel by channel: with a = weight · rstd it is
       a · gⱼ - awayⱼ · (a · rstd Σᵢ gᵢ x̂ᵢ/m) - a Σᵢ gᵢ/m, since x̂ⱼ = awayⱼ · rstd
    """
    grad_bias   = channel_sums(grad_y)
    grad_weight = channel_sums(grad_y, away) * rstd
    along_x_hat = scale * rstd * grad_weight / m
    along_ones  = scale * grad_bias / m
    grad_x      = grad_y * for_each(scale, away)
    grad_x     -= away * for_each(along_x_hat, away)
    grad_x     -= for_each(along_ones, away)
    return grad_x, grad_weight, grad_bias


@batch_norm_train.examples
def batch_norm_train_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; sequences, without a bias; pictures, with neither; a channel of equal numbers."""
    draw = rng.standard_normal
    return [
        (draw((5, 3)), draw(3), draw(3)),
        (draw((2, 3, 4)), draw(3), None, {"eps": 1e-3}),
        (100 + draw((2, 3, 2, 2)), None, None),
        (np.ones((4, 1)), draw(1), draw(1), {"eps": 0.1}),
    ]


@primitive
def batch_norm_eval(x, running_mean, running_var, weight=None, bias=None, *, eps=1e-5):
    """Shift and scale every channel by what was seen in training: y = weight · (x - mean) / √(variance + eps) + bias.

    x (n, c, ...), running_mean (c), running_var (c), weight (c), bias (c) -> y (n, c, ...)

    Source: Ioffe & Szegedy 2015, algorithm 2.

    >>> batch_norm_eval(np.array([[5.0]]), np.array([1.0]), np.array([4.0]), eps=0.0)
    array([[2.]])
    """
    axes  = (0, *range(2, x.ndim))
    row   = (1, -1, *[1] * (x.ndim - 2))
    rstd  = 1 / np.sqrt(running_var + eps)
    x_hat = (x - running_mean.reshape(row)) * rstd.reshape(row)
    if weight is None:
        y = x_hat.copy()  # x_hat is remembered, but y is handed out, and may be changed
    else:
        y = x_hat * weight.reshape(row)
    if bias is not None:
        y = y + bias.reshape(row)
    return y


@batch_norm_eval.backward
def batch_norm_eval_backward(grad_y, weight, x_hat, rstd, axes, row):
    """
    1. y = weight · x̂ + bias in each channel, so ∂loss/∂bias = Σᵢ gᵢ and ∂loss/∂weight = Σᵢ gᵢ x̂ᵢ
    2. x̂ᵢ = (xᵢ - mean) · rstd, and here mean and rstd are constants, so ∂loss/∂xᵢ = gᵢ · weight · rstd
    """
    grad_bias   = grad_y.sum(axis=axes)
    grad_weight = (grad_y * x_hat).sum(axis=axes)
    scale       = rstd
    if weight is not None:
        scale = weight * rstd
    grad_x = grad_y * scale.reshape(row)
    return grad_x, grad_weight, grad_bias


@batch_norm_eval.examples
def batch_norm_eval_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; sequences, without a bias; a single picture, with neither; a channel that never varied."""
    draw, var = rng.standard_normal, rng.random
    return [
        (draw((5, 3)), draw(3), var(3), draw(3), draw(3)),
        (draw((2, 3, 4)), draw(3), var(3), draw(3), None, {"eps": 1e-3}),
        (draw((1, 3, 2, 2)), draw(3), var(3), None, None),
        (draw((4, 1)), draw(1), np.zeros(1), draw(1), draw(1), {"eps": 0.1}),
    ]


@update_rule
def track(running, batch, *, momentum):
    """Let a running average forget a share of its past, and take in as much of the batch."""
    running += momentum * (batch - running)


@update_rule
def track_evenly(running, batch, batches):
    """Keep the average of all batches alike: the k-th of them moves it by 1/k of the way."""
    running += (batch - running) / batches


@update_rule
def count_batch(batches):
    """Count one more batch."""
    batches += 1


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:
    """Normalize every channel: in training by the batch, otherwise by the running averages.

    input                      (n, c) or (n, c, ...)
    running_mean, running_var  (c); in training they take in the batch, in place, unless they are None
    weight, bias               (c)
    momentum                   the share of a running average that one batch replaces
    eps                        keeps a channel whose numbers are all equal from a division by 0

    Raises ShapeError if channels do not match; ValueError in training for a single value per channel or an eps that is
    not positive, and otherwise for running averages that are None.

    >>> from chalkgrad import ones, tensor, zeros
    >>> running_mean, running_var = zeros(1), ones(1)
    >>> batch_norm(tensor([[1.0], [3.0]]), running_mean, running_var, training=True)
    tensor([[-1.],
            [ 1.]])
    >>> running_mean, running_var
    (tensor([0.2]), tensor([1.1]))
    """
    given = [each for each in (running_mean, running_var, weight, bias) if each is not None]
    check_channels("batch_norm", input, *(each.numel() for each in given))
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: outside of training, running_mean and running_var are needed, but None came.")
        y: Tensor = batch_norm_eval(input, running_mean, running_var, weight, bias, eps=eps)
        return y
    check_variance("batch_norm", input, eps)
    y, mean, var = batch_norm_train(input, weight, bias, eps=eps)
    for running, batch in ((running_mean, mean), (running_var, var)):
        if running is not None and input.numel():
            track(running, batch, momentum=momentum)
    return y


def check_channels(name: str, input: Any, *expected: int) -> None:
    """Raise ShapeError unless there are two axes or more, the second of the size that is expected."""
    if input.ndim < 2:
        raise ShapeError(f"{name}: input has shape {input.shape}, but examples and channels take two axes.")
    for channels in expected:
        if input.shape[1] != channels:
            raise ShapeError(f"{name}: input of shape {input.shape} has {input.shape[1]} channels, its second axis, "
                             f"but {channels} are expected.")


def check_variance(name: str, input: Any, eps: float) -> None:
    """Raise ValueError for channels of a single number, which has no variance, and for an eps that is not positive."""
    if eps <= 0:
        raise ValueError(f"{name}: eps keeps channels of equal numbers from a division by 0; it is above 0, not {eps}.")
    if input.size == input.shape[1]:
        raise ValueError(f"{name}: to normalize by the batch, it takes more than 1 value per channel, but input has "
                         f"shape {input.shape}. Try: a larger batch, DataLoader(..., drop_last=True), or .eval().")


class RunningNorm(Module):
    """What BatchNorm and InstanceNorm share: weights, biases and running averages for channels.

    The classes beneath differ in what they average over, and in the number of axes that they expect.
    """

    axes: tuple[int, ...]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Any  # a Buffer, or None; so are the next two
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, dtype: Any = np.float32, *, bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(np.empty(num_features, dtype)) if affine else None
        self.bias = Parameter(np.empty(num_features, dtype)) if affine and bias else None
        self.running_mean = Buffer(np.empty(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.empty(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forget all batches, and set the weights to ones and the biases to zeros."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def check_axes(self, x: Tensor) -> None:
        """Raise ShapeError for another number of axes."""
        if x.ndim not in self.axes:
            axes = " or ".join(map(str, self.axes))
            raise ShapeError(f"{type(self).__name__}: input has shape {x.shape}, but {axes} axes are expected.")

    def extra_repr(self) -> str:
        """Say the size and options, as PyTorch does."""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class _BatchNorm(RunningNorm):
    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        name = type(self).__name__
        self.check_axes(input)
        check_channels(name, input, self.num_features)
        if not self.training and self.track_running_stats:
            y: Tensor = batch_norm_eval(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
            return y
        check_variance(name, input, self.eps)
        y, mean, var = batch_norm_train(input, self.weight, self.bias, eps=self.eps)
        if self.track_running_stats:
            count_batch(self.num_batches_tracked)
            if input.numel():
                self.track(mean, var)
        return y

    def track(self, mean: Tensor, var: Tensor) -> None:
        """Take the statistics of a batch into the running averages."""
        for running, batch in ((self.running_mean, mean), (self.running_var, var)):
            if self.momentum is None:
                track_evenly(running, batch, self.num_batches_tracked)
            else:
                track(running, batch, momentum=self.momentum)


class BatchNorm1d(_BatchNorm):
    """Batch normalization of rows (n, c) or sequences (n, c, l), over all axes but that of the c channels.

    momentum             the share of the running averages that one batch replaces; None: the average of all batches
    affine, bias         whether there are `weight` and `bias`, (c), which start as ones and zeros
    track_running_stats  whether running averages are kept; without them, evaluation goes by the batch too

    Raises ShapeError for other shapes, ValueError in training for a single value per channel.

    >>> import chalkgrad as cg
    >>> norm = cg.nn.BatchNorm1d(2, affine=False)
    >>> norm(cg.tensor([[1.0, -5.0], [3.0, 5.0]]))
    tensor([[-1., -1.],
            [ 1.,  1.]])
    >>> norm.running_mean.tolist(), norm.num_batches_tracked.item()
    ([0.20000000298023224, 0.0], 1)
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of pictures (n, c, h, w), over all axes but that of the c channels; see BatchNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.BatchNorm2d(3)(cg.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of volumes (n, c, d, h, w), over all axes but that of the c channels; see BatchNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.BatchNorm3d(3)(cg.randn(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    axes = (5,)
