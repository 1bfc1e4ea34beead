"""How a line is told to be one that may be run part by part: by trials, with numbers that this batch may not have."""

from typing import Any

import numpy as np
import pytest

from chalkgrad.compiler.kinds import SUM, WHOLE, Kind, ZeroedNumPy, try_line
from chalkgrad.compiler.lines import Line

RNG = np.random.default_rng(0)
LABELS = np.array([0, 9, 1, 2, 5, 6, 7, 8] * 4)  # no 3 and no 4, and nothing below 0
GIVEN = {"x": (RNG.standard_normal((32, 10)), Kind("split")), "t": (LABELS, Kind("split")),
         "w": (RNG.standard_normal((10, 4)), WHOLE)}


def counted(t: Any, wanted: int) -> Any:
    """Weigh by how many there are, as a user's rule may."""
    return 1.0 / np.maximum((t == wanted).sum(), 1)


# A line, and the kind of what comes out; None if it must not be divided.
LINES: dict[str, tuple[str, Kind | None]] = {
    "rows": ("y = x @ w", Kind("split")),
    "a sum": ("y = x.sum(axis=0)", SUM),
    "picked by labels": ("y = x[np.arange(len(x)), t]", Kind("split")),
    "a table by labels": ("y = w[t % 10]", Kind("split")),
    "what is ignored": ("y = np.where(t == -100, 0.0, x[:, 0])", Kind("split")),
    "a class that is there": ("y = 1.0 / np.maximum((t == 5).sum(), 1)", None),
    "a class that is absent": ("y = 1.0 / np.maximum((t == 3).sum(), 1)", None),
    "none of them": ("y = 1.0 * (t == 4).sum() + 2.0", None),
    "a class below all others": ("y = 1.0 / np.maximum((t == -100).sum(), 1)", None),
    "a class above all others": ("y = 1.0 / np.maximum((255 == t).sum(), 1)", None),
    "by a helper": ("y = counted(t, 4)", None),
    "ignored by a helper": ("y = x * counted(t, -100)", None),
}


@pytest.mark.parametrize("name", LINES)
def test_what_is_absent_in_a_batch_may_come_in_the_next(name: str) -> None:
    text, kind = LINES[name]
    values = {name: value for name, (value, _) in GIVEN.items()}
    own = {name: value[:16] if kind.how == "split" else value for name, (value, kind) in GIVEN.items()}
    kinds = {name: kind for name, (_, kind) in GIVEN.items()}
    known = {"np": ZeroedNumPy(), "counted": counted}
    found = try_line(Line(text), Line(text), kinds, values, own, known, 2)
    assert found == (None if kind is None else {"y": (kind, 1)})
