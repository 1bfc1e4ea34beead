"""Upsample: `interpolate` as a module."""

from __future__ import annotations

from collections.abc import Sequence

from ...engine.tensor import Tensor
from ..module import Module
from .interpolate import interpolate

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Bring rows, images or volumes to another size; the arguments are explained at `interpolate`.

    >>> import chalkgrad as cg
    >>> cg.nn.Upsample(scale_factor=2, mode="linear")(cg.tensor([[[1.0, 3.0]]]))
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """

    scale_factor: float | tuple[float, ...] | None

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple(float(scale) for scale in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """Say the size or the scale, and the mode, as PyTorch does."""
        told = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{told}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Bring images (n, c, h, w) to another size by copies of the nearest pixels.

    >>> import chalkgrad as cg
    >>> cg.nn.UpsamplingNearest2d(scale_factor=2)(cg.tensor([[[[1.0, 3.0]]]]))
    tensor([[[[1., 1., 3., 3.],
              [1., 1., 3., 3.]]]])
    """

    def __init__(
        self, size: int | tuple[int, int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bring images (n, c, h, w) to another size, with what is in between; the outermost pixels stay outermost.

    >>> import chalkgrad as cg
    >>> cg.nn.UpsamplingBilinear2d(size=(1, 5))(cg.tensor([[[[1.0, 3.0]]]]))
    tensor([[[[1. , 1.5, 2. , 2.5, 3. ]]]])
    """

    def __init__(
        self, size: int | tuple[int, int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
