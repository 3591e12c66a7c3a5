"""Memory that a process frees and takes again."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = Path(__file__).resolve().parents[1]
BLOCK_BYTES, BLOCKS, ROUNDS = 1 << 20, 16, 8
PAGES = BLOCKS * BLOCK_BYTES // resource.getpagesize()  # of a round
ROUNDS_OF_ARRAYS = """
import resource, sys
from common.freed_memory import keep_freed_memory

def take() -> int:
    held = [b"x" * block_bytes for _ in range(blocks)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

block_bytes, blocks, rounds = map(int, sys.argv[1:])
keep_freed_memory()
first = take()
print([take() for _ in range(rounds)][-1] - first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such options")
def test_memory_that_is_taken_again_has_no_page_faults() -> None:
    numbers = map(str, (BLOCK_BYTES, BLOCKS, ROUNDS))
    command = [sys.executable, "-c", ROUNDS_OF_ARRAYS, *numbers]
    found = subprocess.run(command, cwd=STEPS, capture_output=True, text=True, check=True)
    assert int(found.stdout) < PAGES / 2
