"""Update rules on large arrays: cut into blocks where no element looks at another, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad import Tensor, update_rule
from chalkgrad.optim import ASGD, SGD, Adam, Adamax, AdamW, RMSprop, Rprop

WIDE = [
    (SGD, {"momentum": 0.9}), (Adam, {}), (Adam, {"amsgrad": True}), (AdamW, {"weight_decay": 0.1}), (Adamax, {}),
    (ASGD, {"t0": 1}), (RMSprop, {"centered": True, "momentum": 0.9}), (Rprop, {}),
]


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


def looking_around() -> dict[str, Any]:
    """Declare rules that look from one element at another, or at how many there are."""

    @update_rule
    def by_the_norm(param, grad, *, lr):
        param -= lr * grad / np.sqrt((grad * grad).sum())

    @update_rule
    def by_the_size(param, grad, *, lr):
        param -= lr * grad / grad.size

    @update_rule
    def by_the_first(param, grad, *, lr):
        param -= lr * grad * grad[0]

    @update_rule
    def by_how_many(param, grad, *, lr):
        places, = np.where(grad > 0)
        param[places] -= lr

    @update_rule
    def in_order(param, grad, *, lr):
        param[::-1] = lr * grad

    return locals()


@pytest.mark.parametrize("name", ["by_the_norm", "by_the_size", "by_the_first", "by_how_many", "in_order"])
def test_a_rule_that_looks_at_other_elements_is_not_cut_into_blocks(name: str) -> None:
    rule = looking_around()[name]
    grad = np.random.default_rng(0).standard_normal(300_000)
    param, expected = Tensor(np.zeros(300_000)), np.zeros(300_000)
    rule(param, Tensor(grad), lr=1.0)
    rule.function(expected, grad, lr=1.0)
    np.testing.assert_array_equal(param.data, expected)
