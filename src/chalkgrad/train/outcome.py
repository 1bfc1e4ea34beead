"""The outcome of a run: what the trained model does on rows that it has never seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .metrics import confusion_matrix
from .problem import Problem
from .session import Session

__all__ = ["Mistake", "Outcome", "examine", "show_score"]

WORST = 12  # mistakes that are shown


class Mistake(NamedTuple):
    """One row that the model is wrong about.

    x     the row as it is in the dataset, not standardized
    size  of a classification, the probability of the class that was predicted: how sure it was; of a regression, the
          distance from what is true, in the unit of the target
    """

    x: NDArray[Any]
    true: str
    predicted: str
    size: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the test found.

    score      the accuracy, from 0 to 1, or the mean error in `unit`
    confusion  counts, row: true class, column: predicted class; None for a regression
    worst      the mistakes that were made with the greatest confidence, or those that are farthest off, worst first
    """

    rows: int
    loss: float
    measure: str
    score: float
    unit: str
    class_names: tuple[str, ...]
    confusion: NDArray[np.int64] | None
    worst: list[Mistake]

    @property
    def headline(self) -> str:
        """Say the score in words: "test accuracy 98.3 %"."""
        measure = "mean error" if self.measure == "error" else self.measure
        return f"test {measure} {show_score(self.score, self.measure, self.unit)}"

    def as_dict(self, session: Session) -> dict[str, Any]:
        """Return what a program may want to read."""
        found = {"test_loss": self.loss, f"test_{self.measure}": self.score, "test_rows": self.rows}
        confusion = {} if self.confusion is None else {"confusion": self.confusion.tolist()}
        return {"epochs": session.trainer.epoch, **found, **confusion}


def show_score(score: float, measure: str, unit: str = "") -> str:
    """Write an accuracy in percent, and an error with its unit.

    >>> show_score(0.98310, "accuracy"), show_score(0.0123456, "error", "°F")
    ('98.3 %', '0.0123 °F')
    """
    return f"{100 * score:.1f} %" if measure == "accuracy" else f"{score:.3g} {unit}".rstrip()


def examine(session: Session) -> Outcome:
    """Test the model on the rows that were held out."""
    problem, (x, y) = session.problem, session.problem.test
    found = session.trainer.evaluate(x, y)
    outputs = session.trainer.predict(x)
    confusion, worst = None, _farthest(problem, outputs)
    if problem.is_classification:
        confusion = confusion_matrix(outputs.argmax(axis=1), y, len(problem.data.class_names))
        worst = _most_confident(problem, outputs)
    return Outcome(
        len(y), found["loss"], problem.measure, found[problem.measure], problem.unit, problem.data.class_names,
        confusion, worst,
    )


def _most_confident(problem: Problem, outputs: NDArray[Any]) -> list[Mistake]:
    x, y = problem.test
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    predicted, confidence = outputs.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != y)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    names, original = problem.data.class_names, problem.inputs.inverse_transform(x[wrong])
    return [Mistake(row, names[y[i]], names[predicted[i]], float(confidence[i])) for row, i in zip(original, wrong)]


def _farthest(problem: Problem, outputs: NDArray[Any]) -> list[Mistake]:
    if problem.targets is None:
        return []
    x, y = problem.inputs.inverse_transform(problem.test[0]), problem.targets.inverse_transform(problem.test[1])
    predicted = problem.targets.inverse_transform(outputs)
    distance = np.abs(predicted - y).max(axis=1)
    order = np.argsort(-distance, kind="stable")[:WORST]
    return [Mistake(x[i], _numbers(y[i], problem.unit), _numbers(predicted[i], problem.unit), float(distance[i]))
            for i in order]


def _numbers(values: NDArray[Any], unit: str) -> str:
    return f"{', '.join(f'{value:.4f}' for value in values)} {unit}".rstrip()
