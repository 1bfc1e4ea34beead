"""Losses: every reduction and option, single examples, empty batches where PyTorch takes them, and misuse."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from .rows import Array, Bad, Draw, Row, ints, log_probs, positive, unit

__all__ = ["BAD", "ROWS"]

REDUCTIONS = ("mean", "none", "sum")
WEIGHT = Array(np.array([0.5, 2.0, 1.0, 0.0]))
ADAPTIVE = {"in_features": 16, "n_classes": 20, "cutoffs": [5, 10]}
LINEAR = {"in_features": 3, "num_classes": 4}


def signs(*shape: int) -> Draw:
    """1 or -1, in whole numbers, since PyTorch has no derivative by them."""
    return Draw(shape, lambda rng, shape: rng.choice([-1, 1], shape), "signs")


def low(*shape: int) -> Draw:
    """Probabilities far from 1, which a model that learns does not leave at once."""
    return Draw(shape, lambda rng, shape: rng.uniform(0.05, 0.25, shape), "low")


def dirichlet(*shape: int) -> Draw:
    """Probabilities along the last axis."""
    return Draw(shape, lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1]), "dirichlet")


def spread(*shape: int) -> Draw:
    """Classes of all clusters: for one that no target is in, PyTorch has no gradient, and we have zeros."""
    return Draw(shape, lambda rng, shape: rng.permutation(np.resize([1, 7, 12, 4, 19], shape)), "spread")


def label_rows(*shape: int) -> Draw:
    """Several labels to each row, in any order, then -1."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        rows = rng.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
        return np.where(np.arange(shape[-1]) < rng.integers(0, shape[-1] + 1, (*shape[:-1], 1)), rows, -1)

    return Draw(shape, draw, "labels")


# What is called with two inputs of one shape or other: the name, option sets beside the reduction, and inputs.
PAIRS: list[tuple[str, list[dict[str, Any]], list[list[Any]]]] = [
    ("L1Loss", [{}], [[(4, 3), (4, 3)], [(), ()], [(2, 3, 2), (2, 3, 2)]]),
    ("MSELoss", [{}], [[(4, 3), (4, 3)], [(), ()], [(2, 3, 2), (2, 3, 2)]]),
    ("HuberLoss", [{}, {"delta": 0.25}], [[(4, 3), (4, 3)], [(), ()]]),
    ("SmoothL1Loss", [{}, {"beta": 0.25}, {"beta": 0}], [[(4, 3), (4, 3)], [(), ()]]),
    ("BCELoss", [{}], [[unit(4, 3), unit(4, 3)], [unit(), unit()]]),
    ("BCELoss", [{"weight": WEIGHT}], [[low(3, 4), low(3, 4)]]),
    ("BCEWithLogitsLoss", [{}], [[(4, 3), unit(4, 3)], [(), unit()]]),
    ("BCEWithLogitsLoss", [{"weight": WEIGHT}, {"pos_weight": WEIGHT}, {"weight": WEIGHT, "pos_weight": WEIGHT}],
     [[(3, 4), unit(3, 4)], [(4,), unit(4)]]),
    ("PoissonNLLLoss", [{}, {"log_input": True, "full": True, "eps": 0.01}],
     [[(4, 3), positive(4, 3)], [(), positive()]]),
    ("PoissonNLLLoss", [{"log_input": False, "full": True}, {"log_input": False, "eps": 0.01}],
     [[positive(4, 3), positive(4, 3)]]),
    ("PoissonNLLLoss", [{}], [[(4, 3), ints(5, 4, 3)]]),
    ("HingeEmbeddingLoss", [{}, {"margin": 2.5}], [[positive(4, 3), signs(4, 3)], [positive(), signs()]]),
    ("SoftMarginLoss", [{}], [[(4, 3), signs(4, 3)], [(), signs()]]),
    ("MultiLabelSoftMarginLoss", [{}, {"weight": WEIGHT}], [[(3, 4), unit(3, 4)], [(4,), unit(4)]]),
    ("MultiLabelMarginLoss", [{}], [[(3, 4), label_rows(3, 4)], [(4,), label_rows(4)]]),
    ("MultiMarginLoss", [{}, {"p": 2}, {"margin": 0.25, "weight": WEIGHT}, {"p": 2, "weight": WEIGHT}],
     [[(3, 4), ints(4, 3)], [(4,), ints(4)]]),
    ("NLLLoss", [{}, {"weight": WEIGHT}, {"ignore_index": 1}, {"weight": WEIGHT, "ignore_index": 1}],
     [[log_probs(5, 4), ints(3, 5)], [log_probs(4), ints(1)], [(2, 4, 3), ints(3, 2, 3)],
      [(2, 4, 3, 2), ints(3, 2, 3, 2)]]),
    ("CrossEntropyLoss",
     [{}, {"weight": WEIGHT}, {"ignore_index": 1}, {"label_smoothing": 0.25},
      {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.25}],
     [[(5, 4), ints(3, 5)], [(4,), ints(1)], [(2, 4, 3), ints(3, 2, 3)], [(2, 4, 3, 2), ints(3, 2, 3, 2)]]),
    ("CrossEntropyLoss", [{}, {"weight": WEIGHT}, {"label_smoothing": 0.25}],
     [[(5, 4), dirichlet(5, 4)], [(4,), dirichlet(4)], [(2, 4, 3), unit(2, 4, 3)]]),
]  # fmt: skip

# What is called with three inputs or more.
MORE: list[tuple[str, list[dict[str, Any]], list[list[Any]]]] = [
    ("GaussianNLLLoss", [{}, {"full": True}, {"eps": 1.0}],
     [[(4, 3), (4, 3), positive(4, 3)], [(4, 3), (4, 3), positive(4, 1)], [(4, 3), (4, 3), positive(4)]]),
    ("MarginRankingLoss", [{}, {"margin": 0.5}], [[(4, 3), (4, 3), signs(4, 3)], [(), (), signs()]]),
    ("CosineEmbeddingLoss", [{}, {"margin": 0.25}], [[(4, 3), (4, 3), signs(4)], [(3,), (3,), signs()]]),
    ("TripletMarginLoss", [{}, {"margin": 0.25, "swap": True}, {"p": 1.0, "eps": 0.01}, {"p": 3.0}],
     [[(4, 3), (4, 3), (4, 3)], [(3,), (3,), (3,)]]),
    ("TripletMarginWithDistanceLoss", [{}, {"margin": 0.25, "swap": True}], [[(4, 3), (4, 3), (4, 3)]]),
]  # fmt: skip

OURS: list[tuple[str, list[dict[str, Any]], list[list[Any]]]] = [
    ("FocalLoss", [{}, {"alpha": 0.5, "gamma": 0.0}], [[(4, 3), ints(2, 4, 3)]]),
    ("DiceLoss", [{}, {"eps": 1.0}], [[unit(4, 3), ints(2, 4, 3)], [unit(2, 3, 2), unit(2, 3, 2)]]),
]

LENGTHS = [ints(6, 3, low=5), ints(3, 3)]
CTC: list[tuple[dict[str, Any], list[Any]]] = [
    ({}, [log_probs(5, 3, 4), ints(4, 3, 2, low=1), *LENGTHS]),
    ({"zero_infinity": True}, [log_probs(3, 3, 4), ints(2, 3, 2, low=1), ints(4, 3), ints(3, 3, low=1)]),
    ({"blank": 3}, [log_probs(5, 3, 4), ints(3, 3, 2), *LENGTHS]),
    ({}, [log_probs(5, 3, 4), ints(4, 6, low=1), ints(6, 3), ints(3, 3, low=2)]),
    ({}, [log_probs(5, 4), ints(4, 2, low=1), ints(6, low=5), ints(3, low=2)]),
]  # fmt: skip


def is_batch(inputs: list[Any]) -> bool:
    """Tell whether the first axis of the input is one of examples."""
    shape = inputs[0].shape if isinstance(inputs[0], Draw) else inputs[0]
    return len(shape) > 1


ROWS = [
    Row(name, {**options, "reduction": reduction}, inputs, fixed=not is_batch(inputs), own=own)
    for table, own in ((PAIRS, False), (MORE, False), (OURS, True))
    for name, option_sets, shapes in table
    for options, (i, inputs) in product(option_sets, enumerate(shapes))
    for reduction in (REDUCTIONS if i == 0 else REDUCTIONS[:1])
] + [
    Row("CTCLoss", {**options, "reduction": reduction}, inputs, fixed=True)
    for (options, inputs), reduction in product(CTC, REDUCTIONS)
] + [
    # PyTorch warns at the mean of divergences
    *(Row("KLDivLoss", {"reduction": reduction}, [log_probs(4, 3), dirichlet(4, 3)])
      for reduction in ("batchmean", "sum", "none")),
    Row("KLDivLoss", {"reduction": "batchmean"}, [log_probs(3), dirichlet(3)], fixed=True),
    Row("KLDivLoss", {"reduction": "batchmean", "log_target": True}, [log_probs(4, 3), log_probs(4, 3)]),
    Row("AdaptiveLogSoftmaxWithLoss", ADAPTIVE, [(5, 16), spread(5)]),
    Row("AdaptiveLogSoftmaxWithLoss", {**ADAPTIVE, "div_value": 2.0, "head_bias": True}, [(5, 16), spread(5)]),
    Row("AdaptiveLogSoftmaxWithLoss", {**ADAPTIVE, "cutoffs": [5]}, [(16,), ints(20, low=5)], fixed=True),
    Row("LinearCrossEntropyLoss", LINEAR, [(5, 3), ints(4, 5)]),
    Row("LinearCrossEntropyLoss", {**LINEAR, "bias": True, "weight": WEIGHT, "ignore_index": 1}, [(5, 3), ints(3, 5)]),
    Row("LinearCrossEntropyLoss", {**LINEAR, "label_smoothing": 0.25, "out_features": (2,)}, [(5, 3), ints(4, 5, 2)]),
    Row("LinearCrossEntropyLoss", LINEAR, [(5, 3), dirichlet(5, 4)]),
    Row("LinearCrossEntropyLoss", LINEAR, [(3,), ints(4)], fixed=True),
    Row("InfoNCELoss", {}, [(4, 3), (4, 3)], own=True, fixed=True),
    Row("InfoNCELoss", {"temperature": 1.0, "normalize": False}, [(4, 3), (4, 3)], own=True, fixed=True),
    *(Row(name, {"reduction": "sum"}, [(0, 3), (0, 3)]) for name in ("L1Loss", "MSELoss", "HuberLoss", "SmoothL1Loss")),
    *(Row(name, {"reduction": "sum"}, [(0, 3), ints(3, 0)]) for name in ("CrossEntropyLoss", "NLLLoss")),
]  # fmt: skip

NAMES = sorted({row.name for row in ROWS} - {"AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"})
SAME_SHAPE = ["L1Loss", "MSELoss", "HuberLoss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss", "FocalLoss", "DiceLoss"]
OLD = ["L1Loss", "BCELoss", "CrossEntropyLoss", "CosineEmbeddingLoss", "PoissonNLLLoss", "TripletMarginLoss"]

BAD = [
    Bad("CrossEntropyLoss", {"ignore_index": 1}, [(2, 3), unit(2, 3)], ValueError, "leaves none out"),
    *(Bad(name, {"reduction": "average"}, [], ValueError, "'mean'.*but 'average' came") for name in NAMES),
    *(Bad(name, {"size_average": False}, [], ValueError, "reduction='mean'") for name in OLD),
    *(Bad(name, {"reduce": False}, [], ValueError, "reduction='mean'") for name in OLD),
    *(Bad(name, {}, [unit(4, 1), unit(4)], ValueError, r"\(4, 1\), but target \(4,\).*reshape") for name in SAME_SHAPE),
    Bad("AdaptiveLogSoftmaxWithLoss", {**ADAPTIVE, "cutoffs": [10, 5]}, [], ValueError, "increasing integers"),
    Bad("AdaptiveLogSoftmaxWithLoss", {**ADAPTIVE, "cutoffs": []}, [], ValueError, "from 1 to 19"),
    *(Bad("AdaptiveLogSoftmaxWithLoss", {**ADAPTIVE, "div_value": div}, [], ValueError, f"above 0, but {div} came")
      for div in (0, 0.0, -2.0, float("nan"))),
    Bad("AdaptiveLogSoftmaxWithLoss", ADAPTIVE, [(5, 16), ints(5, 4)], ValueError, r"\(n, in_features\) and \(n\)"),
    Bad("AdaptiveLogSoftmaxWithLoss", ADAPTIVE, [(5, 16), ints(21, 5, low=20)], IndexError, "classes are 0 to 19"),
    Bad("LinearCrossEntropyLoss", {**LINEAR, "options": "auto"}, [], ValueError, "options"),
    Bad("HuberLoss", {"delta": 0.0}, [(3,), (3,)], ValueError, "above 0, but 0.0 came"),
    Bad("SmoothL1Loss", {"beta": -1.0}, [(3,), (3,)], ValueError, "0 or above, but -1.0 came"),
    Bad("GaussianNLLLoss", {}, [(4, 3), (4, 3), positive(4, 2)], ValueError, r"var has shape \(4, 2\)"),
    Bad("GaussianNLLLoss", {}, [(4, 3), (4, 3), ints(-1, 4, 3, low=-3)], ValueError, "variances, 0 or above"),
    Bad("GaussianNLLLoss", {"eps": 0.0}, [(4, 3), (4, 3), positive(4, 3)], ValueError, "above 0, but 0.0 came"),
    Bad("PoissonNLLLoss", {}, [(4, 3), (2, 3)], ValueError, r"input.*\(4, 3\)"),
    Bad("KLDivLoss", {}, [(4, 3), unit(2, 3)], ValueError, r"input.*\(4, 3\)"),
    Bad("HingeEmbeddingLoss", {}, [(4, 3), signs(2, 3)], ValueError, r"input.*\(4, 3\)"),
    Bad("SoftMarginLoss", {}, [(4, 3), signs(2, 3)], ValueError, r"input.*\(4, 3\)"),
    Bad("MarginRankingLoss", {}, [(4, 1), (4, 1), signs(4)], ValueError, "equally many axes"),
    Bad("MultiLabelSoftMarginLoss", {}, [(), ()], ValueError, "last axis holds the labels"),
    Bad("MultiLabelMarginLoss", {}, [(3, 4), ints(4, 3)], ValueError, r"\(3, 4\), but target \(3,\)"),
    Bad("MultiLabelMarginLoss", {}, [(3, 4), (3, 4)], TypeError, "labels, which are integers"),
    Bad("MultiLabelMarginLoss", {}, [(3, 4), ints(5, 3, 4, low=4)], IndexError, "labels are 0 to 3, and -1 ends them"),
    Bad("MultiLabelMarginLoss", {}, [(3, 4, 1), ints(1, 3, 4, 1)], ValueError, r"\(n, c\), or \(c\)"),
    Bad("MultiMarginLoss", {"p": 3}, [], ValueError, "p is 1, or 2 for squares, but 3 came"),
    Bad("MultiMarginLoss", {}, [(3, 4), ints(5, 3, low=4)], IndexError, r"holds 4, but the classes .* are 0 to 3\."),
    Bad("MultiMarginLoss", {}, [(3, 4, 1), ints(1, 3)], ValueError, r"\(n, c\), or \(c\)"),
    Bad("MultiMarginLoss", {"weight": WEIGHT}, [(3, 5), ints(4, 3)], ValueError, "one weight for each"),
    Bad("NLLLoss", {}, [(3, 4), ints(5, 3, low=4)], IndexError, "holds 4.*only ignore_index=-100 is ignored"),
    Bad("NLLLoss", {}, [(3, 4), (3,)], TypeError, "target.long()"),
    Bad("CrossEntropyLoss", {}, [(3, 4), ints(4, 4)], ValueError, r"classes have shape \(3,\)"),
    Bad("CrossEntropyLoss", {"label_smoothing": 1.5}, [], ValueError, "a share, 0 to 1, but 1.5 came"),
    Bad("CrossEntropyLoss", {"weight": WEIGHT}, [(3, 5), ints(4, 3)], ValueError, "one weight for each"),
    Bad("CosineEmbeddingLoss", {}, [(4, 3), (4, 3), signs(4, 1)], ValueError, r"\(n, d\), \(n, d\) and \(n\)"),
    Bad("TripletMarginLoss", {"margin": 0.0}, [], ValueError, "above 0, but 0.0 came"),
    Bad("TripletMarginLoss", {}, [(4, 3), (3,), (4, 3)], ValueError, "equally many axes"),
    Bad("TripletMarginWithDistanceLoss", {"margin": -1.0}, [], ValueError, "above 0, but -1.0 came"),
    Bad("TripletMarginWithDistanceLoss", {}, [(4, 3), (3,), (4, 3)], ValueError, "equally many axes"),
    Bad("FocalLoss", {"alpha": 2.0}, [], ValueError, "a share, 0 to 1"),
    Bad("DiceLoss", {}, [(3,), (3,)], ValueError, "an axis of examples"),
    Bad("DiceLoss", {"eps": 0.0}, [(2, 3), (2, 3)], ValueError, "0/0"),
    Bad("InfoNCELoss", {"temperature": 0.0}, [(2, 3), (2, 3)], ValueError, "above 0, but 0.0 came"),
    Bad("InfoNCELoss", {}, [(2, 3), (2, 4)], ValueError, r"\(2, 3\), but target \(2, 4\)"),
    Bad("InfoNCELoss", {}, [(3,), (3,)], ValueError, r"\(n, d\), a row for each"),
    Bad("CTCLoss", {}, [(5, 3), ints(4, 2), ints(6, low=5), ints(3, 2)], ValueError, r"for 1 sequences, \(1,\)"),
    Bad("CTCLoss", {}, [(5, 3, 4), ints(4, 3, 2), ints(8, 3, low=7), ints(3, 3)], ValueError, "7, but 0 to 5 fit"),
    Bad("CTCLoss", {}, [(5, 3, 4), ints(4, 3, 2), ints(6, 3), ints(4, 3, low=3)], ValueError, "3, but 0 to 2 fit"),
    Bad("CTCLoss", {}, [(5, 3, 4), ints(9, 3, 2, low=8), ints(6, 3), ints(3, 3, low=2)], IndexError, "but 0 to 3 fit"),
    Bad("CTCLoss", {}, [(5, 3, 4), ints(4, 7), ints(6, 3), ints(3, 3, low=2)], ValueError, "one after the other"),
    Bad("CTCLoss", {}, [(5, 3, 4), unit(3, 2), ints(6, 3), ints(3, 3)], TypeError, "targets.long"),
    Bad("CTCLoss", {}, [(5, 3, 4), ints(4, 3, 2), unit(3), ints(3, 3)], TypeError, "integers, but float32 came"),
    Bad("CTCLoss", {"blank": 4}, [(5, 3, 4), ints(4, 3, 2), ints(6, 3), ints(3, 3)], ValueError, "0 to 3, but 4 came"),
    Bad("CTCLoss", {}, [(3,), ints(4, 3), ints(6), ints(3)], ValueError, r"\(t, n, c\), or \(t, c\)"),
]  # fmt: skip
