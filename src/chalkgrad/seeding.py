"""The one source of randomness that everything uses unless it is handed another."""

from __future__ import annotations

import numpy as np

__all__ = ["default_generator", "manual_seed"]

_generator = np.random.default_rng()


def default_generator() -> np.random.Generator:
    """Return the generator that initialisers, dropout and data loaders draw from."""
    return _generator


def manual_seed(seed: int) -> np.random.Generator:
    """Start the default generator anew, so that what is drawn from now on can be repeated.

    >>> a = manual_seed(0).random()
    >>> b = manual_seed(0).random()
    >>> a == b
    True
    """
    # the state is replaced, not the object: whoever holds the generator already is reseeded too
    _generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return _generator
