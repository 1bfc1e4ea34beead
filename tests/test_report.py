"""The report: one page that holds what it must, needs nothing else, and lets nothing in unescaped."""

import base64
import dataclasses
import math
import re
import struct
import zlib
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from chalkgrad.train import Session, choose
from chalkgrad.train.charts import chart
from chalkgrad.train.outcome import examine
from chalkgrad.train.pictures import png
from chalkgrad.train.report import render

VOID = {"br", "circle", "img", "line", "meta", "polyline"}
RUNS: dict[str, dict[str, Any]] = {
    "digits": {"dataset": "digits", "epochs": 2},
    "iris": {"dataset": "iris", "epochs": 3},
    "moons": {"dataset": "moons", "model": "linear", "epochs": 1},
    "celsius": {"dataset": "celsius", "epochs": 5},
}


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its text, and whether every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        """Return the attributes of the tags of one name and, if it is given, one class."""
        found = [attributes for name, attributes in self.tags if name == tag]
        return [each for each in found if not kind or kind in (each.get("class") or "").split()]


def trained(name: str) -> Session:
    session = Session(choose(**RUNS[name]))
    session.trainer.fit(session.settings.epochs)
    return session


@pytest.fixture(scope="module", params=RUNS)
def made(request: pytest.FixtureRequest) -> tuple[Session, str]:
    session = trained(request.param)
    return session, render(session, examine(session), "2031-05-07-180000-a-run")


def test_the_page_needs_nothing_but_itself(made: tuple[Session, str]) -> None:
    _, html = made
    page = Page(html)
    assert not [tag for tag, _ in page.tags if tag in {"a", "iframe", "link", "object", "script"}]
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in page.all("img"))
    assert not re.search(r"@import|url\(|\bon\w+=", html)


def test_the_page_holds_what_it_must(made: tuple[Session, str]) -> None:
    session, html = made
    page, problem = Page(html), session.problem
    assert "2031-05-07-180000-a-run" in page.text
    assert len(page.all("polyline")) == 4  # training and validation, loss and score
    assert problem.data.licence in page.text and problem.data.description in page.text
    for path, module in session.model.named_children():
        assert path in page.text and type(module).__name__ in page.text
    assert str(session.program).strip() in page.text
    for name in problem.data.class_names:
        assert name in page.text


@pytest.mark.parametrize("name", ["digits", "iris", "moons"])
def test_the_confusion_matrix_counts_every_test_row(name: str) -> None:
    session = trained(name)
    outcome = examine(session)
    page = render(session, outcome, "run")
    counts = [int(text) for text in re.findall(r'<td class="(?:none|right|wrong)"[^>]*>(\d+)</td>', page)]
    classes = len(session.problem.data.class_names)
    assert np.array_equal(np.reshape(counts, (classes, classes)), outcome.confusion)
    assert sum(counts) == len(session.problem.test[1])


def test_the_worst_mistakes_are_shown_as_pictures() -> None:
    session = Session(choose("digits", model="linear", epochs=1))
    session.trainer.fit(1)
    outcome = examine(session)
    page = Page(render(session, outcome, "run"))
    assert len(page.all("img")) == len(outcome.worst) == 12
    sizes = [mistake.size for mistake in outcome.worst]
    assert sizes == sorted(sizes, reverse=True) and 0.1 < sizes[-1] < 1
    for image, mistake in zip(page.all("img"), outcome.worst):
        assert mistake.true != mistake.predicted
        content = base64.b64decode((image["src"] or "").partition(",")[2])
        np.testing.assert_array_equal(pixels(content)[0], 255 - np.rint(255 * mistake.x[0]))


def test_the_largest_errors_of_a_regression() -> None:
    session = trained("celsius")
    outcome = examine(session)
    x, y = session.problem.data.x, session.problem.data.y
    for mistake in outcome.worst:
        true = y[np.abs(x - mistake.x).argmin(), 0]
        assert mistake.true == f"{true:.4f} °F"
        assert abs(float(mistake.predicted.split()[0]) - true) == pytest.approx(mistake.size, abs=2e-4)
    assert np.mean([mistake.size for mistake in outcome.worst]) > outcome.score
    page = Page(render(session, outcome, "run"))
    assert "The largest errors" in page.text and "celsius" in page.text and not page.all("table", "confusion")


def test_no_mistakes_is_worth_saying() -> None:
    session = trained("iris")
    outcome = dataclasses.replace(examine(session), worst=[])
    assert "No mistakes" in render(session, outcome, "run")


def test_everything_is_escaped() -> None:
    session = trained("moons")
    evil = "<script>alert('&')</script>"
    texts = {"name": evil, "description": evil, "source": evil, "licence": evil, "class_names": (evil, evil)}
    session.problem = dataclasses.replace(session.problem, data=dataclasses.replace(session.problem.data, **texts))
    html = render(session, examine(session), evil)
    assert evil not in html and html.count("&lt;script&gt;") >= 6


# -------------------------------------------------------------------------------------------------------- charts

SERIES: dict[str, list[float]] = {
    "one epoch": [0.7],
    "a falling loss": [2.3, 1.0, 0.5, 0.3],
    "many decades": [1.0, 1e-5, 1e-14],
    "constant": [0.25] * 5,
    "nothing but zeros": [0.0, 0.0],
    "zero at the end": [1.0, 0.1, 0.0],
    "tiny": [1e-30, 2e-30],
    "huge": [3e30, 1e30],
    "below zero": [-1.0, -3.0],
    "many epochs": [1 / (i + 1) for i in range(1000)],
}


SHARES = [what for what, values in SERIES.items() if min(values) >= 0 and max(values) <= 1]
CHARTS = [(what, False) for what in SERIES] + [(what, True) for what in SHARES]


@pytest.mark.parametrize("what, percent", CHARTS)
def test_a_chart_keeps_to_its_frame(what: str, percent: bool) -> None:
    values = SERIES[what]
    drawing = chart("loss", {"one": values, "other": [value / 2 for value in values]}, percent=percent)
    points = [tuple(map(float, point.split(","))) for curve in drawing.curves for point in curve.points.split()]
    assert len(points) == 2 * len(values)
    for x, y in points:
        assert drawing.left <= x <= drawing.right and drawing.top <= y <= drawing.bottom
    for ticks, most in ((drawing.x_ticks, 9), (drawing.y_ticks, 9)):
        assert 1 <= len(ticks) <= most and len({tick.label for tick in ticks}) == len(ticks)
        assert all(math.isfinite(tick.at) for tick in ticks)


def test_a_chart_puts_values_where_they_belong() -> None:
    drawing = chart("loss", {"one": [4.0, 2.0, 0.0]})
    places = {tick.label: tick.at for tick in drawing.y_ticks}
    heights = [float(point.split(",")[1]) for point in drawing.curves[0].points.split()]
    middle = (drawing.top + drawing.bottom) / 2
    assert heights == [places["4"], places["2"], places["0"]] == [drawing.top, middle, drawing.bottom]


# ------------------------------------------------------------------------------------------------------ pictures


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    """Decode a PNG of 8 bits without filters to (c, h, w), and check its checksums."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, content[8:]
    while rest:
        length = int.from_bytes(rest[:4])
        kind, body = rest[4:8], rest[8 : 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(rest[8 + length : 12 + length])
        chunks[kind], rest = body, rest[12 + length :]
    width, height, depth, color, *others = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth == 8 and others == [0, 0, 0] and [*chunks] == [b"IHDR", b"IDAT", b"IEND"]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    return np.moveaxis(lines[:, 1:].reshape(height, width, {0: 1, 2: 3}[color]), -1, 0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 5, 9), (3, 4, 6)])
def test_a_picture_keeps_every_pixel(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape)
    expected = np.rint(255 * image)
    np.testing.assert_array_equal(pixels(png(image)), 255 - expected if shape[0] == 1 else expected)


def test_a_picture_of_two_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 or 3 channels.*\(2, 4, 4\)"):
        png(np.zeros((2, 4, 4)))
