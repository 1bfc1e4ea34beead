"""Freed memory is kept where the C library is glibc, and nowhere against one's will."""

import platform
import subprocess
import sys

import pytest


@pytest.mark.parametrize("will, kept", [("1", platform.libc_ver()[0] == "glibc"), ("0", False)])
def test_freed_memory_is_kept_unless_one_says_no(will: str, kept: bool) -> None:
    program = "from chalkgrad.allocator import keep_freed_memory; print(keep_freed_memory())"
    environment = {"CHALKGRAD_KEEP_MEMORY": will, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(kept)
