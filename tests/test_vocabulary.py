"""docs/vocabulary.md says what there is: it is as scripts/vocabulary.py writes it, and leaves nothing out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # of PyTorch about itself


@pytest.fixture(scope="module")
def vocabulary(root: Path) -> ModuleType:
    """Load the script."""
    spec = importlib.util.spec_from_file_location("vocabulary", root / "scripts" / "vocabulary.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_page_is_up_to_date(vocabulary: ModuleType, root: Path) -> None:
    written = (root / "docs" / "vocabulary.md").read_text(encoding="utf-8").splitlines()
    stale = [line for line in vocabulary.page().splitlines() if line not in set(written)]
    assert not stale, f"run scripts/vocabulary.py: {len(stale)} lines are new, the first of them {stale[0]}"
    assert len(written) == len(vocabulary.page().splitlines()), "run scripts/vocabulary.py: it has lines that are gone"


def test_every_entry_is_told(vocabulary: ModuleType) -> None:
    entries = [entry for _, each in vocabulary.SECTIONS() for entry in each]
    assert not [entry.name for entry in entries if not entry.what or not entry.held]
    assert not [entry.name for entry in entries if not entry.file], "its file is not in this repository"


def test_nothing_of_pytorchs_is_left_without_a_reason(vocabulary: ModuleType) -> None:
    assert "| not yet |" not in vocabulary.page()
