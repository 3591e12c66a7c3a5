"""The progress of an alignment, of the reads that are aligned and of those that are sorted in a fork."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aligner import Aligned
from common.forks import fork, wait_for
from lanes import Lane
from metrics import Counts
from qc.batches import Batch
from qualities import Evidence
from read_progress import ALIGNING, ReadProgress


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))


def lane_of(size_bytes: int | None) -> Lane:
    file: Any = SimpleNamespace(size_bytes=size_bytes)
    return Lane({}, False, (file,), "auto", "auto")


def batch_of(records: int) -> Batch:
    return Batch(np.zeros(0, np.uint8), np.zeros(records, np.int64), np.zeros(0))


def test_sorting_is_a_part_of_the_work(tmp_path: Path) -> None:
    file, shown = tmp_path / "progress.txt", tmp_path / "shown.txt"
    progress, (begin, go) = ReadProgress({"progress": str(file)}, [lane_of(100), lane_of(300)]), os.pipe()

    def sort() -> None:
        os.read(begin, 1)
        lines = [file.read_text() for _ in progress.sorted(map(batch_of, (20, 20, 2)))]  # 2 more than reads
        shown.write_text("".join(lines))

    sorting = fork(sort, "sort")  # before the first read is aligned, as in the step
    progress.add(Aligned(0, b"", Counts(10), Evidence.NONE, 100))
    assert file.read_text() == f"10 reads {ALIGNING / 4:.6f}\n"
    progress.add(Aligned(1, b"", Counts(30), Evidence.NONE, 300))
    os.write(go, b"1")
    assert wait_for(sorting) == 0
    assert shown.read_text() == "".join(f"40 reads {share:.6f}\n" for share in (ALIGNING, (ALIGNING + 1) / 2, 1))
    assert file.read_text() == "40 reads 1.000000\n"


def test_of_lanes_of_unknown_size_the_share_is_known_when_they_are_aligned(tmp_path: Path) -> None:
    file = tmp_path / "progress.txt"
    progress = ReadProgress({"progress": str(file)}, [lane_of(None)])
    progress.add(Aligned(0, b"", Counts(8), Evidence.NONE))
    assert file.read_text() == "8 reads\n"
    assert len(list(progress.sorted(iter([batch_of(4)])))) == 1
    assert file.read_text() == f"8 reads {(ALIGNING + 1) / 2:.6f}\n"
