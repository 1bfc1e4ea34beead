"""Images in another size: upsampling, and pixels that become channels, and back."""

from __future__ import annotations

from chalkgrad import ShapeError

from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

SIZES = {1: (2, 3, 5), 2: (2, 3, 4, 5), 3: (2, 2, 2, 3, 4)}
BETWEEN = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}

ROWS = [
    *(Row("Upsample", {"scale_factor": 2.0, "mode": mode}, [SIZES[n]])
      for mode in ("nearest", "nearest-exact", "area") for n in SIZES),
    *(Row("Upsample", {"scale_factor": 1.7, "mode": mode, "align_corners": aligned}, [SIZES[n]])
      for mode, n in BETWEEN.items() for aligned in (None, True)),
    Row("Upsample", {"size": 3}, [SIZES[2]]),
    Row("Upsample", {"size": (7, 2), "mode": "bilinear"}, [SIZES[2]]),
    Row("Upsample", {"size": (3, 9), "mode": "bicubic", "align_corners": False}, [SIZES[2]]),
    Row("Upsample", {"size": (7, 3), "mode": "area"}, [SIZES[2]]),
    Row("Upsample", {"scale_factor": (0.6, 2.3), "mode": "nearest"}, [SIZES[2]]),
    Row("Upsample", {"scale_factor": (0.6, 2.3), "mode": "bilinear", "recompute_scale_factor": True}, [SIZES[2]]),
    Row("Upsample", {"scale_factor": 2, "mode": "bilinear"}, [(0, 3, 4, 5)]),
    Row("UpsamplingNearest2d", {"scale_factor": 3}, [SIZES[2]]),
    Row("UpsamplingNearest2d", {"size": (5, 3)}, [SIZES[2]]),
    Row("UpsamplingBilinear2d", {"scale_factor": (1.5, 2)}, [SIZES[2]]),
    Row("UpsamplingBilinear2d", {"size": 6}, [SIZES[2]]),
    Row("PixelShuffle", {"upscale_factor": 2}, [(2, 8, 2, 3)]),
    Row("PixelShuffle", {"upscale_factor": 3}, [(9, 2, 3)], fixed=True),
    Row("PixelShuffle", {"upscale_factor": 2}, [(2, 3, 4, 1, 3)]),
    Row("PixelUnshuffle", {"downscale_factor": 2}, [(2, 3, 4, 6)]),
    Row("PixelUnshuffle", {"downscale_factor": 3}, [(2, 3, 6)]),
    Row("ChannelShuffle", {"groups": 2}, [(2, 6, 2, 3)]),
    Row("ChannelShuffle", {"groups": 3}, [(2, 6, 3)]),
    Row("ChannelShuffle", {"groups": 3}, [(2, 6, 2, 1, 3)]),
]

BAD = [
    Bad("Upsample", {}, [SIZES[2]], ValueError, "either size or scale_factor"),
    Bad("Upsample", {"size": 2, "scale_factor": 2}, [SIZES[2]], ValueError, "not both"),
    Bad("Upsample", {"size": 2, "mode": "cubic"}, [SIZES[2]], ValueError, "mode is one of"),
    Bad("Upsample", {"size": 2, "mode": "bilinear"}, [SIZES[1]], ShapeError, "4 axes"),
    Bad("Upsample", {"size": 2}, [(3, 4)], ShapeError, "3 or 4 or 5 axes"),
    Bad("Upsample", {"size": 2, "align_corners": True}, [SIZES[2]], ValueError, "align_corners"),
    Bad("Upsample", {"size": (2, 2, 2)}, [SIZES[2]], ValueError, "one for each of 2 axes"),
    Bad("Upsample", {"size": 2, "recompute_scale_factor": True}, [SIZES[2]], ValueError, "no meaning"),
    Bad("Upsample", {"scale_factor": 0.1}, [SIZES[2]], ValueError, "whole numbers from 1 up"),
    Bad("UpsamplingNearest2d", {"size": 0}, [SIZES[2]], ValueError, "whole numbers from 1 up"),
    Bad("UpsamplingBilinear2d", {"size": 2}, [SIZES[3]], ShapeError, "4 axes"),
    Bad("PixelShuffle", {"upscale_factor": 2}, [(3, 2, 2)], ShapeError, "no multiple"),
    Bad("PixelShuffle", {"upscale_factor": 2}, [(4, 2)], ShapeError, "images"),
    Bad("PixelShuffle", {"upscale_factor": 0}, [(4, 2, 2)], ValueError, "1 or more"),
    Bad("PixelUnshuffle", {"downscale_factor": 2}, [(4, 2, 3)], ShapeError, "no multiples"),
    Bad("ChannelShuffle", {"groups": 3}, [(2, 4, 3)], ValueError, "cannot be divided"),
    Bad("ChannelShuffle", {"groups": 2}, [(4, 4)], ShapeError, "three axes"),
]
