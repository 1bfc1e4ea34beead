"""Four small datasets: two that come with the package, two that are generated."""

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Data", "celsius", "digits", "iris", "load", "moons", "names"]


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A dataset as two arrays, with what is to be known about it.

    x (n, ...) float32; y (n) int64 class numbers, or for regression (n, 1) float32
    """

    name: str
    x: NDArray[np.float32]
    y: NDArray[Any]
    task: Literal["classification", "regression"]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    description: str
    source: str
    licence: str

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Data({self.name!r}, {self.task}, x {self.x.shape} {self.x.dtype}, y {self.y.shape} {self.y.dtype})"


def load(name: str, **options: Any) -> Data:
    """Load a dataset by name; the options are those of the function of that name in this module.

    Raises: ValueError for a name that is not in `names()`, TypeError for an option that the dataset does not have.

    >>> load("digits")
    Data('digits', classification, x (1797, 1, 8, 8) float32, y (1797,) int64)
    >>> load("moons", n=200, seed=1)
    Data('moons', classification, x (200, 2) float32, y (200,) int64)
    """
    if name not in DATASETS:
        nearest = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"datasets.load: there is no dataset {name!r}, only {', '.join(names())}.{hint}")
    known = inspect.signature(DATASETS[name]).parameters
    unknown = ", ".join(sorted(options.keys() - known))
    if unknown:
        raise TypeError(f"datasets.load: {name} has no option {unknown}; it takes {', '.join(known) or 'none'}.")
    return DATASETS[name](**options)


def names() -> list[str]:
    """The names that `load` knows.

    >>> names()
    ['celsius', 'digits', 'iris', 'moons']
    """
    return sorted(DATASETS)


def digits() -> Data:
    """1,797 handwritten digits, 8 x 8 pixels: x (1797, 1, 8, 8) in [0, 1], from white to black; y (1797).

    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, the test set.

    >>> for row in digits().x[0, 0]:
    ...     print("".join(".-+#"[int(3.99 * ink)] for ink in row))
    ..-#+...
    ..##+#-.
    ..#..+-.
    ..+..--.
    .--..+-.
    ..+..+-.
    ..#-++..
    ..-#+...
    >>> digits().y[:3]
    array([0, 1, 2])
    """
    with _file("digits.npz").open("rb") as file, np.load(file) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return Data(
        name="digits",
        # A pixel counts the black ones among 4 x 4 finer pixels, so 16 is all black.
        x=images[:, np.newaxis].astype(np.float32) / 16,
        y=labels.astype(np.int64),
        task="classification",
        class_names=tuple("0123456789"),
        feature_names=(),
        description="Handwritten digits of 13 people, as 8 x 8 grey pixels.",
        source="E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, "
        "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49",
        licence="CC BY 4.0",
    )


def iris() -> Data:
    """150 iris flowers of three species: x (150, 4), lengths and widths in cm; y (150), 50 of each species.

    Source: R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, table I.

    >>> iris().class_names
    ('setosa', 'versicolor', 'virginica')
    >>> iris().x[[34, 37]]
    array([[4.9, 3.1, 1.5, 0.2],
           [4.9, 3.6, 1.4, 0.1]], dtype=float32)
    """
    # Two variants of this dataset circulate. The copy in the UCI repository has (4.9, 3.1, 1.5, 0.1) in its 35th row
    # and again in its 38th; ours is scikit-learn's, which has what Fisher printed there.
    text = _file("iris.csv").read_text(encoding="utf-8")
    header, *rows = (line.split(",") for line in text.splitlines())
    species = [row[-1] for row in rows]
    class_names = tuple(dict.fromkeys(species))
    return Data(
        name="iris",
        x=np.array([row[:-1] for row in rows], dtype=np.float32),
        y=np.array([class_names.index(one) for one in species], dtype=np.int64),
        task="classification",
        class_names=class_names,
        feature_names=tuple(header[:-1]),
        description="Sepals and petals, in cm, of 50 flowers each of three species of iris.",
        source="R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, "
        "179-188; UCI Machine Learning Repository, https://doi.org/10.24432/C56C76",
        licence="CC BY 4.0",
    )


def moons(n: int = 400, noise: float = 0.1, seed: int = 0) -> Data:
    """Two half circles that reach into each other, which no straight line separates: x (n, 2), y (n).

    Class 0 is the upper half of the unit circle around (0, 0), class 1 the lower half of the one around (1, 0.5).
    Points lie at random angles, alternate between the classes and get normal noise of standard deviation `noise`.

    Raises: ValueError if n < 1, or if noise is negative or not finite.

    >>> exact = moons(noise=0)
    >>> x, y = exact.x[exact.y == 1].T
    >>> np.allclose((x - 1) ** 2 + (y - 0.5) ** 2, 1, atol=1e-6), bool(y.max() <= 0.5)
    (True, True)
    """
    rng = _generator("moons", n, noise, seed)
    y = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    x = np.where(y[:, np.newaxis] == 0, upper, lower) + noise * rng.standard_normal((n, 2))
    return Data(
        name="moons",
        x=x.astype(np.float32),
        y=y.astype(np.int64),
        task="classification",
        class_names=("upper", "lower"),
        feature_names=("x", "y"),
        description=f"{n} points on two half circles that reach into each other, noise {noise:g}, seed {seed}.",
        source="generated",
        licence="MIT",
    )


def celsius(n: int = 100, noise: float = 0.0, seed: int = 0) -> Data:
    """Temperatures: x (n, 1) in degrees Celsius, from -40 to 100; y (n, 1) in degrees Fahrenheit, F = 1.8 C + 32.

    `noise` is the standard deviation of a normal error in y, in degrees Fahrenheit.

    Raises: ValueError if n < 1, or if noise is negative or not finite.

    >>> exact = celsius()
    >>> np.allclose(exact.y, 1.8 * exact.x + 32)
    True
    """
    rng = _generator("celsius", n, noise, seed)
    x = rng.uniform(-40, 100, (n, 1))
    y = 1.8 * x + 32 + noise * rng.standard_normal((n, 1))
    return Data(
        name="celsius",
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        task="regression",
        class_names=(),
        feature_names=("celsius",),
        description=f"{n} temperatures in degrees Celsius and Fahrenheit, noise {noise:g}, seed {seed}.",
        source="generated",
        licence="MIT",
    )


DATASETS: dict[str, Callable[..., Data]] = {make.__name__: make for make in (celsius, digits, iris, moons)}


def _file(name: str) -> Traversable:
    return resources.files("chalkgrad.data") / "files" / name


def _generator(name: str, n: int, noise: float, seed: int) -> np.random.Generator:
    """The generator for a dataset of n samples, once its options are seen to make sense."""
    if n < 1:
        raise ValueError(f"{name}: n is the number of samples, at least 1, got {n}.")
    if not 0 <= noise < np.inf:
        raise ValueError(f"{name}: noise is a standard deviation, zero or positive and finite, got {noise}.")
    return np.random.default_rng(seed)
