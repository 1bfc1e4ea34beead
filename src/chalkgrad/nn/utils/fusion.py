"""Fusion: a batch norm that has been trained, folded into the weights of the layer before it.

Out of training, a batch norm scales and shifts each channel by fixed numbers, and the layer before it can do that as
well, by other weights. One layer is left, which saves a pass over everything that comes out (Jacob et al. 2018, section
3.2, who fold before they round weights to 8 bits).
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module, Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

Layer = TypeVar("Layer", bound=Module)


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Fold a batch norm into the weight and the bias of a convolution.

    conv_w, conv_b        of the convolution; a bias that is None counts as zeros
    bn_rm, bn_rv, bn_eps  the running mean and variance, (c), and what is added to the variance
    bn_w, bn_b            of the batch norm, (c); None counts as ones and as zeros
    transpose             the convolution is a transposed one, whose weight starts with the channels that come in

    1. what comes out of the norm is y = s · (W ∗ x + b - mean) + β in each channel, with s = γ / √(variance + eps)
    2. a convolution is linear in its weight: s · (W ∗ x) = (s · W) ∗ x
    3. so y = W' ∗ x + b' with W' = s · W and b' = s · (b - mean) + β

    Returns new Parameters of the dtypes of the old; they want a gradient if those did. The bias that there was not does
    not. Raises ShapeError if the channels that come out are others than those of the norm.

    Source: Jacob et al. 2018, eq. 14.

    >>> from chalkgrad import ones, tensor
    >>> mean, var, gamma = tensor([3.0]), tensor([4.0]), tensor([10.0])
    >>> weight, bias = fuse_conv_bn_weights(ones(1, 1, 2), None, mean, var, 0.0, gamma, None)
    >>> weight.tolist(), bias.tolist()
    ([[[5.0, 5.0]]], [-15.0])
    """
    return _folded("fuse_conv_bn_weights", conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Fold a batch norm into the weight and the bias of a linear layer; explained at fuse_conv_bn_weights.

    The norm has as many channels as the layer has outputs, or a single one, which counts for all.

    >>> from chalkgrad import ones, tensor
    >>> weight, bias = fuse_linear_bn_weights(ones(1, 2), ones(1), tensor([3.0]), tensor([4.0]), 0.0, None, None)
    >>> weight.tolist(), bias.tolist()
    ([[0.5, 0.5]], [-1.0])
    """
    return _folded("fuse_linear_bn_weights", linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, False)


def _folded(
    name: str, weight: Tensor, bias: Tensor | None, mean: Tensor, var: Tensor, eps: float, gamma: Tensor | None,
    beta: Tensor | None, transpose: bool,
) -> tuple[Parameter, Parameter]:
    """W' = s · W and b' = s · (b - mean) + β, without a history."""
    with no_grad():
        scale = (var + eps).rsqrt() if gamma is None else (var + eps).rsqrt() * gamma
        folded = weight * _along_weight(name, scale, weight, transpose)
        shift = scale * ((0 if bias is None else bias) - mean)
        shift = shift if beta is None else shift + beta
    if weight.ndim == 2:  # a single channel counts for all
        shift = shift.expand(len(weight))
    dtype = weight.dtype if bias is None else bias.dtype
    return (Parameter(folded.to(weight.dtype), weight.requires_grad),
            Parameter(shift.to(dtype).clone(), bias is not None and bias.requires_grad))


def _along_weight(name: str, scale: Tensor, weight: Tensor, transpose: bool) -> Tensor:
    """Set the scales of the channels that come out against the axes of a weight."""
    channels, (rows, columns, *kernel) = len(scale), weight.shape
    each: Tensor
    if not transpose and (rows == channels or (not kernel and channels == 1)):
        each = scale.reshape(-1, 1, *[1] * len(kernel))
        return each
    if transpose and channels % columns == 0 and rows % (channels // columns) == 0:
        groups = scale.reshape(-1, columns)  # each row of the weight gives to the channels of its group
        each = groups.repeat_interleave(rows // len(groups), 0).reshape(rows, columns, *[1] * len(kernel))
        return each
    raise ShapeError(f"{name}: the norm has {channels} channels, but a weight of shape {weight.shape} has "
                     f"{weight.shape[1 if transpose else 0]}{' in each group' if transpose else ''} that come out.")


def fuse_conv_bn_eval(conv: Layer, bn: Module, transpose: bool = False) -> Layer:
    """Make one convolution of a convolution and the batch norm behind it, both out of training.

    transpose  whether `conv` is a transposed convolution

    Returns a new module; the old ones stay as they are.

    Raises ValueError in training, without running averages, or if `transpose` does not fit.

    >>> import chalkgrad as cg
    >>> conv, norm = cg.nn.Conv2d(3, 4, 3).eval(), cg.nn.BatchNorm2d(4).eval()
    >>> x = cg.randn(2, 3, 5, 5)
    >>> cg.allclose(fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)), atol=1e-6)
    True
    """
    _check("fuse_conv_bn_eval", conv, bn)
    if getattr(conv, "transposed", transpose) != transpose:
        raise ValueError(f"fuse_conv_bn_eval: transpose={transpose}, but {type(conv).__name__} is "
                         f"{'not ' if transpose else ''}a transposed convolution. Say transpose={not transpose}.")
    return _with_weights(conv, fuse_conv_bn_weights, bn, transpose)


def fuse_linear_bn_eval(linear: Layer, bn: Module) -> Layer:
    """Make one linear layer of a linear layer and the batch norm behind it, both out of training.

    Returns a new module; the old ones stay as they are.

    Raises ValueError in training, without running averages, ShapeError if the norm is of other channels than come out.

    >>> import chalkgrad as cg
    >>> layer, norm = cg.nn.Linear(3, 4).eval(), cg.nn.BatchNorm1d(4).eval()
    >>> x = cg.randn(2, 3)
    >>> cg.allclose(fuse_linear_bn_eval(layer, norm)(x), norm(layer(x)), atol=1e-6)
    True
    """
    _check("fuse_linear_bn_eval", linear, bn)
    return _with_weights(linear, fuse_linear_bn_weights, bn)


def _check(name: str, layer: Module, bn: Module) -> None:
    """Raise ValueError unless both are out of training, and the norm has running averages."""
    if layer.training or bn.training:
        raise ValueError(f"{name}: in training a batch norm goes by the batch, which cannot be folded. Try: .eval().")
    if getattr(bn, "running_mean", None) is None or getattr(bn, "running_var", None) is None:
        raise ValueError(f"{name}: {type(bn).__name__} has no running averages to fold; it goes by the batch always.")


def _with_weights(layer: Layer, fuse: Any, bn: Any, *options: bool) -> Layer:
    """Copy a layer, with the weights that fuse gives."""
    fused: Any = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, *options)
    result: Layer = fused
    return result
