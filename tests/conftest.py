"""What every test shares: the repository's root, a fixed seed, and examples of hypothesis that stay the same."""

import gc
from pathlib import Path

import hypothesis
import pytest

from chalkgrad.seeding import manual_seed

collect_ignore = ["golden"]  # emitted programs, which are compared and not imported

# A shared machine is sometimes slow, which is no failure of a property: no deadline.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None)
hypothesis.settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is there for good: PyTorch, and tens of thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same random state, so that the order of tests does not matter."""
    manual_seed(0)
