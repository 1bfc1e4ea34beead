"""Padding and resampling against PyTorch, on many shapes and options drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad.nn import functional as F

from .pairs import BACKWARD, FORWARD, agree

SPATIAL = {
    3: ["nearest", "nearest-exact", "area", "linear"], 5: ["nearest", "nearest-exact", "area", "trilinear"],
    4: ["nearest", "nearest-exact", "area", "bilinear", "bicubic", "bilinear+", "bicubic+", "lanczos+"],
}


def compare(name: str, shape: tuple[int, ...], options: dict[str, Any], dtype: Any, rng: np.random.Generator) -> bool:
    """Call a function in both libraries, and compare values and gradients; tell whether PyTorch took it."""
    x = rng.standard_normal(shape).astype(dtype)
    a, b = cg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    try:
        z = getattr(torch.nn.functional, name)(b, **options)
    except (RuntimeError, ValueError):
        return False
    if not z.numel():
        return False  # the gradient of nothing is not initialized there
    y = getattr(F, name)(a, **options)
    agree(y, z, FORWARD, f"{shape} {options}")
    g = rng.standard_normal(y.shape).astype(dtype)
    y.backward(cg.tensor(g))
    z.backward(torch.tensor(g))
    agree(a.grad, b.grad, BACKWARD, f"the gradient, {shape} {options}")
    return True


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("ndim", "mode"), [(ndim, mode) for ndim, modes in SPATIAL.items() for mode in modes])
def test_interpolate(ndim: int, mode: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    most, compared = {3: 30, 4: 10, 5: 5}[ndim], 0
    while compared < 12:
        sizes, wanted = rng.integers(2, most + 1, ndim - 2), rng.integers(2, most + 1, ndim - 2)
        options: dict[str, Any] = {"mode": mode.rstrip("+")} | ({"antialias": True} if mode.endswith("+") else {})
        if "linear" in mode or mode == "bicubic":
            options["align_corners"] = [None, False, True][rng.integers(3)]
        if rng.random() < 0.5:
            options["size"] = tuple(wanted.tolist())
        else:
            options["scale_factor"] = tuple((wanted / sizes * rng.uniform(1, 1.1, ndim - 2)).tolist())
            options["recompute_scale_factor"] = bool(rng.random() < 0.3)
            counts = np.floor(sizes * np.asarray(options["scale_factor"]))
            # At these, PyTorch leaves the scale out in the backward, or in one memory layout, and not elsewhere.
            if (mode in ("nearest", "nearest-exact") or mode.endswith("+")) and any(counts % sizes == 0):
                continue
        compared += compare("interpolate", (2, 3, *sizes.tolist()), options, dtype, rng)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_pad(mode: str) -> None:
    rng = np.random.default_rng(0)
    compared = 0
    while compared < 150:
        shape, count = rng.integers(1, 6, rng.integers(1, 6)).tolist(), int(rng.integers(1, 4))
        widths = rng.integers(-2, 5, 2 * min(count, len(shape))).tolist()
        if mode == "circular" and min(widths) < 0 < max(widths):
            continue  # PyTorch wraps round what is not there any more
        value = {"value": float(rng.standard_normal())} if mode == "constant" else {}
        compared += compare("pad", tuple(shape), {"pad": widths, "mode": mode, **value}, np.float64, rng)


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: F.pad(x, (1, 1), mode="edge"), "the mode is one of"),
    (lambda x: F.pad(x, (1, 1, 1)), "whole numbers are expected"),
    (lambda x: F.pad(x, (1, 1), mode="reflect", value=2.0), "no use for value"),
    (lambda x: F.pad(x, (1,) * 10), "widths for 5 axes"),
    (lambda x: F.interpolate(x, 2, mode="bilinear", antialias=True), "4 axes"),
    (lambda x: F.interpolate(x[0], 2, antialias=True, mode="nearest"), "antialias=True is for"),
    (lambda x: F.interpolate(x[0], 2, mode="lanczos"), "goes with antialias"),
    (lambda x: F.interpolate(x[0].long(), 2, mode="bilinear"), "holds floats"),
])
def test_what_does_not_go_together_is_refused(call: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        call(cg.ones(1, 2, 3, 4, 5) if words != "widths for 5 axes" else cg.ones(1, 2, 3, 4))
