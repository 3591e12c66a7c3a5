"""Batches of a lane: of limited bytes, with whole pairs, and the same however the files are read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import lanes
from common.program import BadInput
from lanes import open_lanes

# The step's process leaves its files open until its end.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def write(path: Path, names: list[str], length: int = 10) -> str:
    path.write_text("".join(f"@{name}\n{'ACGTA' * (length // 5)}\n+\n{'F' * length}\n" for name in names))
    return str(path)


def batches(*files: str, layout: str = "auto") -> list[tuple[str, ...]]:
    first, second = (*files, None)[:2]
    (lane,) = open_lanes("s", [{"lane": "L001", "fastq_1": first, "fastq_2": second}], layout)
    return [tuple(text.decode() for text in batch.texts) for batch in lane.batches(0)]


def counts(texts: list[tuple[str, ...]]) -> list[list[int]]:
    return [[text.count("\n") // 4 for text in batch] for batch in texts]


def test_batches_have_two_thousand_reads(tmp_path: Path) -> None:
    single = write(tmp_path / "a.fq", [f"r{n}" for n in range(4300)])
    assert counts(batches(single)) == [[2000], [2000], [300]]
    mates = write(tmp_path / "b.fq", [f"r{n}" for n in range(4300)])
    assert counts(batches(single, mates)) == [[1000, 1000]] * 4 + [[300, 300]]


def test_long_reads_come_in_smaller_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "BATCH_BYTES", 200_000)
    names = [f"r{n}" for n in range(100)]
    long, short = write(tmp_path / "a.fq", names, 20_000), write(tmp_path / "b.fq", names)
    whole = Path(long).read_text()
    single, paired = batches(long), batches(long, short)
    assert "".join(text for (text,) in single) == "".join(first for first, _ in paired) == whole
    assert max(count for (count,) in counts(single)) < 20
    assert all(first == second for first, second in counts(paired))
    interleaved = batches(write(tmp_path / "c.fq", [f"r{n // 2}" for n in range(100)], 20_000))
    assert all(count % 2 == 0 for (count,) in counts(interleaved))
    assert sum(count for (count,) in counts(interleaved)) == 100


def test_mates_in_two_batches_are_refused_among_single_reads(tmp_path: Path) -> None:
    names = [f"r{n}" for n in range(2000)]
    file = write(tmp_path / "a.fq", [*names, "r1999 comment", "r2000"])
    with pytest.raises(BadInput, match=r"a\.fq: record 2001: expected single reads, .* found the mate of r1999"):
        batches(file)
    assert counts(batches(file, layout="single")) == [[2000], [2]]
