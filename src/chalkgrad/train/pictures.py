"""Pictures for the report: an image of a dataset as a PNG inside the page."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["data_uri", "png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR = {1: 0, 3: 2}  # channels -> PNG's number for grey, and for red, green and blue


def png(image: NDArray[Any]) -> bytes:
    r"""Encode an image (c, h, w) with values in [0, 1] as a PNG: one channel as ink on white paper, three as colours.

    Source: W3C, Portable Network Graphics (PNG) Specification, third edition: sections 5.3, 11.2.

    Raises: ValueError if there are neither one nor three channels.

    >>> png(np.zeros((1, 8, 8)))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    channels, height, width = image.shape
    if channels not in COLOR:
        raise ValueError(f"png: expected 1 or 3 channels, (c, h, w), but the image has shape {image.shape}.")
    levels = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    if channels == 1:
        levels = 255 - levels
    rows = np.moveaxis(levels, 0, -1).reshape(height, -1)
    lines = np.pad(rows, ((0, 0), (1, 0)))  # each line starts with the number of its filter: 0, none
    header = struct.pack(">IIBBBBB", width, height, 8, COLOR[channels], 0, 0, 0)
    content = zlib.compress(lines.tobytes(), level=9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def data_uri(image: NDArray[Any]) -> str:
    """Return the picture as text that stands in a page in place of an address."""
    return f"data:image/png;base64,{base64.b64encode(png(image)).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
