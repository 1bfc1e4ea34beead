"""Where the data package takes its random numbers from: a seed, a NumPy generator, or the process-wide one."""

from numbers import Integral

import numpy as np

from chalkgrad.seeding import default_generator

__all__ = ["SeedOrGenerator", "as_generator", "generator_or_default"]

SeedOrGenerator = int | np.random.Generator | None


def as_generator(generator: SeedOrGenerator) -> np.random.Generator | None:
    """Turn a seed into a generator of its own; leave a generator, and None, as they are.

    Raises: TypeError for anything else (a `torch.Generator`, a bool), ValueError for a negative seed.
    """
    if generator is None or isinstance(generator, np.random.Generator):
        return generator
    if not isinstance(generator, Integral) or isinstance(generator, bool):
        came = f"{type(generator).__module__}.{type(generator).__qualname__}"
        raise TypeError(f"generator: expected a seed (an int), a numpy.random.Generator or None, got a {came}.")
    if generator < 0:
        raise ValueError(f"generator: a seed is zero or positive, got {generator}.")
    return np.random.default_rng(int(generator))


def generator_or_default(generator: np.random.Generator | None) -> np.random.Generator:
    """The generator to draw from now. None is looked up at every use, so that a later `manual_seed` counts."""
    return default_generator() if generator is None else generator
