"""Where a function ends: no features at all, whole numbers, held to PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad.nn import functional as F

from .pairs import BACKWARD, FORWARD, agree


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("sizes", [(0, 2), (3, 0), (0, 0)])
@pytest.mark.parametrize("shape", [(4,), (0,)])
def test_linear_without_features(shape: tuple[int, ...], sizes: tuple[int, int], bias: bool) -> None:
    i, o = sizes
    arrays = [np.ones((*shape, i), np.float32), np.ones((o, i), np.float32), *([np.arange(o, dtype=np.float32)] * bias)]
    mine = [cg.tensor(array, requires_grad=True) for array in arrays]
    other = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, z = F.linear(*mine), torch.nn.functional.linear(*other)
    agree(y, z, FORWARD, "y")
    y.sum().backward()
    z.sum().backward()
    for one, two in zip(mine, other, strict=True):
        agree(one.grad, two.grad, BACKWARD, "gradient")


@pytest.mark.parametrize("bounds", [(1, 5), (1.5, 5), (-1.5, 5), (1, 5.5), (1, 2**6 + 0.5)])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16])
def test_threshold_of_whole_numbers_gives_whole_numbers(bounds: tuple[float, float], dtype: Any) -> None:
    x = np.array([-2, -1, 0, 1, 2, 3]).astype(dtype)
    y, z = F.threshold(cg.tensor(x), *bounds), torch.nn.functional.threshold(torch.tensor(x), *bounds)
    assert y.dtype == dtype and y.tolist() == z.tolist()


@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_powers_of_booleans_are_counts(power: int) -> None:
    agree(cg.tensor([True, False]) ** power, torch.tensor([True, False]) ** power, FORWARD, "y")
