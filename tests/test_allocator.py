"""Freed memory is kept where the C library lets itself be told so, and nowhere against one's will."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("will, kept", [("1", sys.platform.startswith("linux")), ("0", False)])
def test_freed_memory_is_kept_unless_one_says_no(will: str, kept: bool) -> None:
    program = "from chalkgrad.allocator import keep_freed_memory; print(keep_freed_memory())"
    environment = {"CHALKGRAD_KEEP_MEMORY": will, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ({"True", "False"} if kept else {"False"})  # a C library without mallopt cannot
