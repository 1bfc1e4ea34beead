"""The lazy forms of normalizations: made without the number of channels, which the first call tells; see `nn.lazy`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ..parameter import Buffer, UninitializedBuffer, UninitializedParameter
from .batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d, RunningNorm
from .instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .lazy import LazyLayer

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyNorm",
]


class LazyNorm(LazyLayer, RunningNorm):
    """The base of all lazy normalizations: `num_features` is the number of channels of the first input.

    Raises ShapeError for a first input with another number of axes.
    """

    counted = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        dtype: Any = np.float32, *, bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, dtype, bias=False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(dtype=dtype)
            self.bias = UninitializedParameter(dtype=dtype) if bias else None
        if track_running_stats:
            self.running_mean, self.running_var = UninitializedBuffer(dtype=dtype), UninitializedBuffer(dtype=dtype)
            self.num_batches_tracked = Buffer(np.array(0))

    def count(self, x: Tensor) -> int:
        """Read the size of the axis of channels, which comes first where one example may come alone, and does."""
        self.check_axes(x)
        alone = isinstance(self, InstanceNorm1d | InstanceNorm2d | InstanceNorm3d) and x.ndim == self.axes[0]
        channels: int = x.shape[0 if alone else 1]
        return channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what there may be: one number for each channel."""
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (self.num_features,))


class LazyBatchNorm1d(LazyNorm, BatchNorm1d):
    """A BatchNorm1d whose `num_features` is the number of channels of its first input.

    >>> import chalkgrad as cg
    >>> norm = cg.nn.LazyBatchNorm1d()
    >>> norm(cg.ones(4, 3)).shape, norm.running_mean.shape
    ((4, 3), (3,))
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyNorm, BatchNorm2d):
    """A BatchNorm2d whose `num_features` is the number of channels of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyBatchNorm2d()(cg.ones(4, 3, 5, 6)).shape
    (4, 3, 5, 6)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyNorm, BatchNorm3d):
    """A BatchNorm3d whose `num_features` is the number of channels of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyBatchNorm3d()(cg.ones(4, 3, 5, 6, 7)).shape
    (4, 3, 5, 6, 7)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyNorm, InstanceNorm1d):
    """An InstanceNorm1d whose `num_features` is the number of channels of its first input.

    Like PyTorch's, it has weights and running averages unless it is told otherwise, which InstanceNorm1d has not.

    >>> import chalkgrad as cg
    >>> norm = cg.nn.LazyInstanceNorm1d()
    >>> norm(cg.ones(4, 3, 5)).shape, norm.weight.shape
    ((4, 3, 5), (3,))
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyNorm, InstanceNorm2d):
    """An InstanceNorm2d whose `num_features` is the number of channels of its first input; see LazyInstanceNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyInstanceNorm2d()(cg.ones(4, 3, 5, 6)).shape
    (4, 3, 5, 6)
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyNorm, InstanceNorm3d):
    """An InstanceNorm3d whose `num_features` is the number of channels of its first input; see LazyInstanceNorm1d.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyInstanceNorm3d()(cg.ones(4, 3, 5, 6, 7)).shape
    (4, 3, 5, 6, 7)
    """

    cls_to_become = InstanceNorm3d
