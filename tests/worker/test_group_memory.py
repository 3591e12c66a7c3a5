"""The memory of a process group."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.worker import group_memory
from genomics_pipeline.worker.group_memory import group_mib

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say it")

# Two processes with 100 MiB of their own each, and 100 MiB that they share; they end with the standard input.
FAMILY = """
import os, sys
shared = bytearray(os.urandom(100 << 20))
read, write = os.pipe()
child = os.fork()
own = bytearray(os.urandom(100 << 20))
if child == 0:
    os.write(write, b"x")
else:
    os.read(read, 1)
    print(flush=True)
sys.stdin.read()
child and os.wait()
"""


def test_pages_of_all_processes_of_a_group_count_once() -> None:
    argv = [sys.executable, "-c", FAMILY]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as family:
        assert family.stdout is not None
        family.stdout.readline()
        assert 300 <= group_mib(family.pid) < 360
        family.stdin and family.stdin.close()
    assert group_mib(family.pid) == 0


def test_processes_without_numbers_count_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process may end before its group is read, and before its memory is."""
    groups = {7: 42, 8: 42, 9: 43, 10: None}

    def group_of(pid: int) -> int:
        if (group := groups[pid]) is None:
            raise ProcessLookupError
        return group

    for pid in groups:
        (tmp_path / str(pid)).mkdir()
    for pid, kib in {7: 4096, 9: 8192, 10: 8192}.items():
        (tmp_path / str(pid) / "smaps_rollup").write_text(f"Rss: 1 kB\nPss: {kib} kB\nPss_Anon: 1 kB\n")
    monkeypatch.setattr(group_memory, "_PROC", tmp_path)
    monkeypatch.setattr(os, "getpgid", group_of)
    assert group_mib(42) == 4
