"""What the table of losses cannot say: weights of functions, alignments by hand, edges, older arguments, steps."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional as F

from .pairs import BACKWARD, FORWARD, agree, both

RNG = np.random.default_rng(0)
REDUCTIONS = ("none", "mean", "sum")


def compare(name: str, inputs: list[Any], options: dict[str, Any], what: str = "") -> None:
    """Call a function of both libraries on float64 arrays, and compare what it returns and all gradients."""
    ours, theirs = both(tuple(inputs), np.float64, learns=True)
    mine, other = both(tuple(options.values()), np.float64)
    y = getattr(F, name)(*ours, **dict(zip(options, mine, strict=True)))
    z = getattr(torch.nn.functional, name)(*theirs, **dict(zip(options, other, strict=True)))
    agree(y, z, FORWARD, what)
    weight = RNG.standard_normal(y.shape)
    (y * cg.tensor(weight)).sum().backward()
    (z * torch.tensor(weight)).sum().backward()
    for one, two in zip(ours, theirs, strict=True):
        if isinstance(one, cg.Tensor) and one.requires_grad:
            agree(one.grad, two.grad, BACKWARD, f"{what} gradient")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["l1_loss", "mse_loss", "huber_loss"])
def test_weights_of_examples(name: str, reduction: str) -> None:
    x, y, weight = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4)), RNG.random((3, 4))
    compare(name, [x, y], {"reduction": reduction, "weight": weight})
    with pytest.raises(ValueError, match="weight"):
        getattr(F, name)(cg.tensor(x), cg.tensor(y), weight=cg.ones(4))


@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
@pytest.mark.parametrize("log_target", [False, True])
def test_the_mean_of_a_divergence(log_target: bool) -> None:
    log_q, p = np.log(RNG.dirichlet(np.ones(4), 3)), RNG.dirichlet(np.ones(4), 3)
    compare("kl_div", [log_q, np.log(p) if log_target else p], {"log_target": log_target})


OLD = [name for name in F.__all__ if "size_average" in inspect.signature(getattr(F, name)).parameters]


@pytest.mark.parametrize("name", OLD)
def test_older_arguments_are_refused_in_words(name: str) -> None:
    inputs = [cg.zeros(2, 3) for p in inspect.signature(getattr(F, name)).parameters.values() if p.default is p.empty]
    for argument in ("size_average", "reduce"):
        with pytest.raises(ValueError, match="reduction='mean', 'sum' or 'none'"):
            getattr(F, name)(*inputs, **{argument: True})


@pytest.mark.parametrize(
    "name", ["l1_loss", "mse_loss", "huber_loss", "soft_margin_loss", "poisson_nll_loss", "dice_loss"]
)
def test_whole_targets_leave_float32(name: str) -> None:
    x = cg.ones(2, 3).requires_grad_()
    loss = getattr(F, name)(x, cg.tensor(np.ones((2, 3), np.int64)))
    loss.backward()
    assert x.grad is not None
    assert loss.dtype == x.grad.dtype == np.float32


@pytest.mark.filterwarnings("ignore:invalid value|divide by zero")
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_nothing_is_learned_where_nothing_counts(name: str) -> None:
    x = cg.ones(2, 3).requires_grad_()
    loss = getattr(F, name)(x, cg.tensor([-100, -100]))
    loss.backward()
    assert np.isnan(loss.data)
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.data, np.zeros((2, 3)))


# ---------------------------------------------------------------------------------------------------------------- CTC


def by_hand(log_p: Any, labels: tuple[int, ...]) -> float:
    """Minus the log-probability of labels, by listing every path through the frames and merging it; blank is 0."""
    total = 0.0
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        merged = tuple(k for k, _ in itertools.groupby(path) if k != 0)
        if merged == labels:
            total += np.exp(sum(log_p[t, k] for t, k in enumerate(path)))
    return float(-np.log(total)) if total else np.inf


@pytest.mark.parametrize("labels", [(), (1,), (2, 2), (1, 2), (1, 2, 1), (1, 1, 1), (2, 1, 2, 1), (1, 1, 2)])
def test_ctc_counts_every_alignment(labels: tuple[int, ...]) -> None:
    log_p = np.log(RNG.dirichlet(np.ones(3), 4))
    loss = F.ctc_loss(cg.tensor(log_p), cg.tensor(np.array(labels, int)), 4, len(labels), reduction="none")
    np.testing.assert_allclose(loss.data, by_hand(log_p, labels), rtol=1e-12)


LOG_P = np.log(RNG.dirichlet(np.ones(5), (6, 3)))
FAR = 300 * RNG.standard_normal((6, 3, 5))
ROWS = np.array([[1, 1, 1], [1, 2, 3], [2, 2, 2]])
# Log-probabilities, targets, frames and labels of each: what is long, short, repeated, impossible, or not there.
CTC: dict[str, tuple[Any, Any, Any, Any]] = {
    "a label repeated": (LOG_P, ROWS, (6, 6, 5), (3, 3, 2)),
    "no labels": (LOG_P, ROWS, (6, 4, 1), (0, 0, 0)),
    "too few frames": (LOG_P, ROWS, (4, 3, 2), (3, 3, 2)),
    "no frames": (LOG_P, ROWS, (0, 0, 6), (0, 2, 3)),
    "one after the other": (LOG_P, np.array([1, 2, 3, 1, 2]), (6, 6, 4), (2, 2, 1)),
    "one after the other, some without": (LOG_P, np.array([4, 4]), (6, 6, 4), (0, 2, 0)),
    "one sequence": (LOG_P[:, 0], np.array([1, 1]), (6,), (2,)),
    "one sequence as a row": (LOG_P[:, 0], np.array([[3, 1]]), (6,), (2,)),
    "lengths in arrays": (LOG_P, ROWS, np.array([6, 6, 5]), np.array([3, 3, 2])),
    "no number": (np.where(np.arange(5) == 1, [[[np.nan], [0], [0]]], LOG_P), ROWS, (6, 6, 2), (3, 3, 3)),
    "confident and wrong": (FAR - np.log(np.exp(FAR - FAR.max(2, keepdims=True)).sum(2, keepdims=True))
                            - FAR.max(2, keepdims=True), ROWS, (6, 6, 6), (3, 3, 2)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value")  # of ∞ less ∞
@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", CTC)
def test_ctc_is_that_of_pytorch(case: str, reduction: str, zero_infinity: bool) -> None:
    compare("ctc_loss", [*CTC[case]], {"reduction": reduction, "zero_infinity": zero_infinity}, case)


def test_ctc_bears_classes_that_are_impossible() -> None:
    """PyTorch's gradient is nan there."""
    log_p = cg.tensor(np.array([[[np.log(0.5), np.log(0.5), -np.inf]]] * 3), requires_grad=True)
    loss = F.ctc_loss(log_p, cg.tensor([[1]]), (3,), (1,))
    loss.backward()
    np.testing.assert_allclose(loss.data, -np.log(6 / 8), rtol=1e-12)
    assert log_p.grad is not None
    assert np.isfinite(log_p.grad.data).all()


@pytest.mark.parametrize("targets", [ROWS, np.array([1, 2, 3, 1, 2])], ids=["rows", "one after the other"])
def test_a_compiled_ctc_takes_other_lengths(targets: Any) -> None:
    model = nn.Linear(4, 5)
    x = cg.tensor(RNG.standard_normal((6, 3, 4)).astype(np.float32))

    def step(x: Any, targets: Any, ends: Any, counts: Any) -> Any:
        model.zero_grad()
        loss = F.ctc_loss(F.log_softmax(model(x), 2), targets, ends, counts)
        loss.backward()
        return loss

    compiled = cg.compile(step)
    for ends, counts in [((6, 6, 5), (2, 2, 1)), ((6, 5, 4), (3, 1, 1)), ((3, 6, 6), (0, 3, 2))]:
        given = x, cg.tensor(targets), cg.tensor(np.array(ends)), cg.tensor(np.array(counts))
        expected = step(*given).data.copy()
        gradient = np.copy(model.weight.grad.data)  # type: ignore[union-attr]
        np.testing.assert_array_equal(compiled(*given).data, expected)
        np.testing.assert_array_equal(model.weight.grad.data, gradient)  # type: ignore[union-attr]


# -------------------------------------------------------------------------------------------------------- our own


def test_focal_loss_without_focus_is_half_of_the_cross_entropy() -> None:
    x, target = cg.tensor(RNG.standard_normal((3, 4))), cg.tensor(RNG.integers(0, 2, (3, 4)).astype(float))
    ours = F.focal_loss(x, target, alpha=0.5, gamma=0.0)
    np.testing.assert_allclose(ours.data, F.binary_cross_entropy_with_logits(x, target).data / 2, rtol=1e-12)


def test_dice_loss_is_nothing_for_the_same_region_and_all_for_another() -> None:
    region = cg.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(F.dice_loss(region, region, reduction="none").data, [0, 0], atol=1e-6)
    np.testing.assert_allclose(F.dice_loss(region, 1 - region, reduction="none").data, [1, 1], atol=1e-6)


@pytest.mark.parametrize("normalize", [True, False])
def test_info_nce_is_the_cross_entropy_of_finding_the_partner(normalize: bool) -> None:
    q, k = RNG.standard_normal((2, 5, 3))
    one, two = (each / np.linalg.norm(each, axis=1, keepdims=True) if normalize else each for each in (q, k))
    expected = F.cross_entropy(cg.tensor(one @ two.T / 0.5), cg.arange(5))
    ours = F.info_nce_loss(cg.tensor(q), cg.tensor(k), temperature=0.5, normalize=normalize)
    np.testing.assert_allclose(ours.data, expected.data, rtol=1e-9)


# ------------------------------------------------------------------------------------------------- many classes


def test_two_softmaxes_make_one_distribution() -> None:
    module = nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs=[3, 7], div_value=2.0, head_bias=True).double()
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs=[3, 7], div_value=2.0, head_bias=True).double()
    theirs.load_state_dict({name: torch.from_numpy(each.data) for name, each in module.state_dict().items()})
    x, target = RNG.standard_normal((24, 8)), np.arange(24) % 12
    log_p = module.log_prob(cg.tensor(x))
    np.testing.assert_allclose(np.exp(log_p.detach().data).sum(1), 1)
    agree(log_p, theirs.log_prob(torch.tensor(x)), FORWARD, "log_prob")
    agree(module.predict(cg.tensor(x)), theirs.predict(torch.tensor(x)), FORWARD, "predict")
    output, loss = module(cg.tensor(x), cg.tensor(target))
    np.testing.assert_allclose(output.detach().data, log_p.detach().data[np.arange(24), target])
    np.testing.assert_allclose(loss.item(), F.nll_loss(log_p, cg.tensor(target)).item())
