"""CTC: a sequence of labels is right however it is spread over time.

Speech comes in a hundred frames a second, and its transcript does not say which frame is which letter. Connectionist
temporal classification (Graves, Fernández, Gomez & Schmidhuber 2006) lets the network say a letter, or blank, in each
frame, and adds up the probabilities of all ways that come to the transcript once repeated letters are merged and blanks
left out. They are too many to list, but a walk from state to state, forwards and backwards, counts them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.constant import as_tensor
from ...ops.index import zeros_with
from .reduction import Loss, check_reduction, reduced

__all__ = ["CTCLoss", "among_probabilities", "ctc", "ctc_loss", "log_add", "never", "with_blanks"]


def log_add(a, b):
    """log(eᵃ + eᵇ), of the larger and what the other adds to it, so that nothing overflows."""
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))


def never(like, shape):
    """Logarithms of nothing, as far below all that comes up as can be added without getting to -∞."""
    return np.zeros_like(like, shape=shape) - 1e30


def with_blanks(targets, lengths, places, blank):
    """Put a blank before, between and after the labels of each row; blanks follow where a row has ended.

    places  0, 1, ... for as many labels as the longest row may have

    >>> with_blanks(np.array([[3, 4], [5, 9]]), np.array([2, 1]), np.arange(2), 0)
    array([[0, 3, 0, 4, 0],
           [0, 5, 0, 0, 0]])
    >>> with_blanks(np.array([3, 4, 5]), np.array([2, 1]), np.arange(2), 0)
    array([[0, 3, 0, 4, 0],
           [0, 5, 0, 0, 0]])
    """
    live = places < lengths[:, None]
    if targets.ndim == 1:  # one row after the other
        starts = np.cumsum(lengths) - lengths
        rows = targets[np.where(live, starts[:, None] + places, 0)]
    else:
        rows = targets[:, : len(places)]
    labels = np.full((len(lengths), 2 * len(places) + 1), blank)
    labels[:, 1::2] = np.where(live, rows, blank)
    return labels


@primitive
def ctc(log_probs, targets, input_lengths, target_lengths, *, blank=0, zero_infinity=False):
    """Minus the log-probability of the labels, over all their alignments: loss = -log Σ Πₜ pₜ(kₜ).

    log_probs (t, n, c), targets (*), input_lengths (n), target_lengths (n) -> losses (n)

    targets        labels: a row for each sequence, or all one after the other
    blank          the class that stands for no label
    zero_infinity  0 instead of ∞ where there are too few frames for the labels

    The states of a sequence are its labels with a blank before, between and after. From one frame to the next one
    stays, goes on to the next state, or skips a blank between two labels that differ. All sequences and states go at
    once.

    Source: Graves et al. 2006, section 4.1, in logarithms where they rescale.

    >>> half = np.log(np.full((2, 1, 2), 0.5))  # of four ways through two frames, three come to "1": 11, 1_ and _1
    >>> ctc(half, np.array([[1]]), np.array([2]), np.array([1])), -np.log(3 / 4)
    (array([0.28768207]), np.float64(0.2876820724517809))
    """
    count, n, _ = log_probs.shape
    places = np.arange(targets.shape[-1])
    if targets.ndim == 1:
        places = places[places < target_lengths.max()]
    labels = with_blanks(targets, target_lengths, places, blank)
    frames = np.arange(count)[:, None, None]
    rows   = np.arange(n)[:, None]
    ends   = np.expand_dims(input_lengths, 1)
    final  = 2 * np.expand_dims(target_lengths, 1)
    # emit[t, i, s]: how probable frame t of sequence i finds the label of state s
    emit   = np.maximum(log_probs[frames, rows, labels], never(log_probs, (1,)))
    # a state may be entered past the one before it only if that is a blank, and stands between two labels that differ
    enters = np.zeros_like(labels, shape=labels.shape, dtype=bool)
    enters[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    barred = never(log_probs, labels.shape) * ~enters
    edge   = never(log_probs, (n, 2))
    # alpha[i, s]: the log-probability of all ways that have come to state s; before the first frame, at its first blank
    alpha  = never(log_probs, labels.shape) * (np.arange(labels.shape[1]) > 0)
    alphas = np.zeros_like(emit)
    for t in range(count):
        past  = np.concatenate([edge, alpha], axis=1)
        come  = log_add(log_add(alpha, past[:, 1:-1]), past[:, :-2] + barred) + emit[t]
        alpha = np.where(t < ends, come, alpha)
        alphas[t] = alpha
    past     = np.concatenate([edge, alpha], axis=1)
    cost     = -log_add(past[rows, final + 2], past[rows, final + 1])[:, 0]
    barren   = cost >= 1e29  # a nan is not: it is to be seen
    losses   = np.where(barren, 0 if zero_infinity else math.inf, cost)
    return losses


@ctc.backward
def ctc_backward(
    grad_losses, log_probs, labels, frames, rows, ends, final, emit, barred, edge, alphas, cost, barren, zero_infinity
):
    """
    1. beta_t(s), the log-probability of all that may follow on state s in frame t, is found as alpha is, from the end:
       after the last frame one is at the last label, or at the blank after it (eq. 9 to 11, less the emission at t)
    2. exp(alpha_t(s) + beta_t(s)) is the probability of all ways through s at t; divided by that of all ways,
       exp(-loss), it is γ, the share of the alignments that are at s at t (eq. 14)
    3. an emission stands once in each of them: ∂loss/∂ log p_t(k) = -Σ γ_t(s) over the states s of label k (eq. 15)
    4. where no way leads to the end the loss is ∞ and has no slope; with zero_infinity it is 0, and flat
    """
    after    = np.concatenate([barred, edge], axis=1)[:, 2:]
    states   = np.arange(labels.shape[1])
    terminal = never(emit, labels.shape) * ((states != final) & (states != final - 1))
    ahead    = never(emit, labels.shape)
    share    = np.expand_dims(np.where(barren, 0 if zero_infinity else math.nan, grad_losses), 1)
    gamma    = np.zeros_like(emit)
    for t in range(len(frames) - 1, -1, -1):
        future = np.concatenate([ahead, edge], axis=1)
        follow = log_add(log_add(ahead, future[:, 1:-1]), future[:, 2:] + after)
        beta   = np.where(t < ends - 1, follow, terminal)
        # the sum is a log-probability; what rounding leaves above 0 could overflow where there is no alignment
        shares = np.exp(np.minimum(alphas[t] + beta + np.expand_dims(cost, 1), np.zeros_like(beta)))
        gamma[t] = np.where(t < ends, share * shares, 0)
        ahead  = beta + emit[t]
    grad_log_probs = zeros_with(-gamma, (frames, rows, labels), log_probs.shape)
    return grad_log_probs


@ctc.examples
def ctc_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Several lengths, a label twice, none at all; one after the other, the last class blank; too few frames."""
    log_p = np.log(rng.dirichlet(np.ones(4), (5, 3)))
    rows, ends = np.array([[1, 1], [2, 3], [0, 0]]), np.array([5, 4, 3])
    return [
        (log_p, rows, ends, np.array([2, 2, 0])),
        (log_p, np.array([1, 0, 2, 2]), ends, np.array([1, 1, 2]), {"blank": 3}),
        (log_p, np.array([[1, 1], [1, 2], [1, 0]]), np.array([2, 2, 1]), np.array([2, 2, 1]), {"zero_infinity": True}),
    ]


@primitive
def among_probabilities(log_p):
    """Take what is given for log-probabilities along the last axis, which stay such: y = log_p, where Σ exp log_p = 1.

    log_p (...) -> y (...)

    Source: as PyTorch has it; Graves et al. 2006 reach it by way of the softmax.

    >>> among_probabilities(np.log([0.25, 0.75]))
    array([-1.38629436, -0.28768207])
    """
    y = np.copy(log_p)
    return y


@among_probabilities.backward
def among_probabilities_backward(grad_y, y):
    """
    1. log-probabilities cannot all rise: a change of each by dᵢ makes Σ exp(yᵢ) dᵢ = 0
    2. raising one alone means lowering all in proportion: ∂yⱼ/∂xᵢ = 1{i=j} - exp yᵢ, as that of a log-softmax
    3. of a log-softmax before it, this leaves the derivative as it is
    """
    grad_log_p = grad_y - np.exp(y) * grad_y.sum(axis=-1, keepdims=True)
    return grad_log_p


@among_probabilities.examples
def among_probabilities_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows of log-probabilities."""
    return [(np.log(rng.dirichlet(np.ones(4), 3)),)]


Lengths = Tensor | Sequence[int] | int


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:
    """Minus the log-probability of sequences of labels, over all ways to spread them over time.

    log_probs       log-probabilities, as log_softmax gives them: (t, n, c), or (t, c) for one sequence
    targets         the labels, integers from 0 to c - 1 but for blank: (n, s), what is beyond a length not looked at;
                    or all one after the other, (sum of target_lengths)
    input_lengths   how many frames each sequence has, 0 to t: (n)
    target_lengths  how many labels: (n)
    blank           the class that stands for no label
    reduction       "mean" over the sequences, each divided by its number of labels; "sum"; or "none"
    zero_infinity   0 instead of ∞ where there are too few frames for the labels, so that nothing is learned from those

    As PyTorch's, the gradient supposes that log_probs come from a log_softmax: it is exp(log_probs) - γ, with γ the
    probability that a frame is that label, given the labels (eq. 16), where -γ alone would do after a log_softmax.

    Raises ValueError, TypeError and IndexError for shapes, dtypes, lengths and labels that do not fit.

    >>> from chalkgrad import tensor
    >>> log_probs = tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
    >>> ctc_loss(log_probs, tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    check_reduction("ctc_loss", reduction)
    ends, counts = (_lengths(lengths, log_probs.ndim) for lengths in (input_lengths, target_lengths))
    single = log_probs.ndim == 2
    if single:
        log_probs, targets = log_probs.unsqueeze(1), targets.reshape(-1)
    _check(log_probs, targets, ends, counts, blank)
    losses = ctc(among_probabilities(log_probs), targets, ends, counts, blank=blank, zero_infinity=zero_infinity)
    if reduction == "mean":
        losses = losses / np.maximum(counts, 1)
    return reduced(losses.squeeze(0) if single else losses, reduction)


def _lengths(lengths: Lengths, ndim: int) -> Any:
    """Make lengths an array, or leave them a Tensor, with an axis for the sequences."""
    known = lengths if isinstance(lengths, Tensor) else as_tensor(lengths, np.int64 if lengths == () else None)
    if known.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: lengths are numbers of frames and labels, integers, but {known.dtype} came.")
    return known.reshape(1) if ndim == 2 and known.size == 1 else known


def _check(log_probs: Tensor, targets: Tensor, ends: Any, counts: Any, blank: int) -> None:
    """Raise an error for shapes, lengths and labels that do not fit together."""
    shape, sizes = log_probs.shape, _array(counts)
    if len(shape) != 3 or 0 in shape:
        raise ValueError(f"ctc_loss: log_probs has shape {shape}, but (t, n, c), or (t, c) for one sequence, was "
                         "expected, with no axis empty.")
    t, n, c = shape
    if ends.shape != (n,) or counts.shape != (n,):
        raise ValueError(f"ctc_loss: input_lengths has shape {ends.shape} and target_lengths {counts.shape}; for {n} "
                         f"sequences, ({n},) was expected.")
    if not 0 <= blank < c:
        raise ValueError(f"ctc_loss: blank is one of the classes, 0 to {c - 1}, but {blank} came.")
    _check_range("input_lengths", ends, t)
    rows = targets.ndim == 2 and targets.shape[0] == n
    if not rows and targets.shape != (sizes.sum(),):
        raise ValueError(f"ctc_loss: targets has shape {targets.shape}; a row for each of {n} sequences, or the "
                         f"{sizes.sum()} labels one after the other, was expected.")
    _check_range("target_lengths", counts, targets.shape[-1])
    if targets.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: targets is {targets.dtype}, but holds labels, which are integers: targets.long().")
    _check_range("targets", with_blanks(targets.data, sizes, np.arange(sizes.max()), 0), c - 1, IndexError)


def _check_range(name: str, numbers: Any, most: int, error: type[Exception] = ValueError) -> None:
    """Raise an error unless all numbers are from 0 to `most`."""
    known = _array(numbers)
    if known.size and (known.min() < 0 or known.max() > most):
        raise error(f"ctc_loss: {name} holds numbers from {known.min()} to {known.max()}, but 0 to {most} fit.")


def _array(numbers: Any) -> Any:
    """Take the array out of a Tensor."""
    return numbers.data if isinstance(numbers, Tensor) else numbers


class CTCLoss(Loss):
    """loss = -log Σ Πₜ pₜ(kₜ), a sum over all ways k to spread the labels over time.

    >>> import chalkgrad as cg
    >>> log_probs = cg.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
    >>> cg.nn.CTCLoss()(log_probs, cg.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths) -> Tensor:
        """log_probs (t, n, c), targets (n, s), input_lengths (n), target_lengths (n) -> loss ()."""
        return ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
