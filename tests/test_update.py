"""Update rules on large arrays: cut into blocks where no element looks at another, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad import Tensor, update_rule
from chalkgrad.optim import SGD, Adam, AdamW

WIDE = [(SGD, {"momentum": 0.9}), (Adam, {}), (Adam, {"amsgrad": True}), (AdamW, {"weight_decay": 0.1})]


@pytest.mark.parametrize("kind, options", WIDE)
def test_large_arrays_are_updated_in_blocks_to_the_same_numbers(kind: Any, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    start, grad = (rng.standard_normal(300_001, np.float32) for _ in range(2))
    whole = Tensor(start, requires_grad=True)
    parts = [Tensor(part, requires_grad=True) for part in np.array_split(start, 7)]
    one, many = kind([whole], lr=0.1, **options), kind(parts, lr=0.1, **options)
    for _ in range(3):
        whole.grad = Tensor(grad)
        for part, g in zip(parts, np.array_split(grad, 7), strict=True):
            part.grad = Tensor(g)
        one.step()
        many.step()
    np.testing.assert_array_equal(whole.data, np.concatenate([part.data for part in parts]))
    assert all(values["step"].item() == 3 for values in one.state.values() if "step" in values)


def test_a_rule_that_looks_at_other_elements_is_not_cut_into_blocks() -> None:
    @update_rule
    def normalize(param, grad, *, lr):
        param -= lr * grad / np.sqrt((grad * grad).sum())

    param, grad = Tensor(np.zeros(300_000)), Tensor(np.ones(300_000))
    normalize(param, grad, lr=1.0)
    np.testing.assert_allclose(param.data, -1 / np.sqrt(300_000))
