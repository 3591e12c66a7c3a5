"""Damaged BED files: the check before a run and the caller agree on each, and neither drops a region."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.reference.bed import bed_problems
from genomics_pipeline.stores.local import LocalStore
from tests.fuzz.harness import batches, for_each_input
from tests.fuzz.mutations import HOSTILE, damage_bytes

sys.path[:0] = [str(Path(__file__).parents[2] / "steps" / name) for name in ("variant_calling", "")]
from calling_units import read_bed  # noqa: E402
from common.program import BadInput  # noqa: E402

pytestmark = pytest.mark.fuzz
CONTIGS = {"chr1": 1000, "chr2": 500, "HLA-A*01:01:01:01": 300}
BED = b"""\
track name="targets"
# made by hand
chr1\t0\t100\tfirst\t0\t+
chr1\t150\t300
chr2 10 20
HLA-A*01:01:01:01\t5\t300\r
chr1\t900\t1000
"""
WORDS = (
    *HOSTILE,
    b"chr1\t1\t2\n",
    b"chr3\t1\t2\n",
    b"chr1\t5\t5\n",
    b"chr2\t499\t501\n",
    b"\xd9\xa3",
    b" ",
    b"browser",
)


@pytest.mark.parametrize("numbers", batches(2000, 500))
def test_bed(numbers: range, tmp_path: Path) -> None:
    file, store, ends = tmp_path / "targets.bed", LocalStore(), Counter[bool]()

    def check(random: Random) -> None:
        text = damage_bytes(BED, random, WORDS)
        stored = gzip.compress(text, 1, mtime=0) if random.random() < 0.3 else text
        if stored is not text and random.random() < 0.5:
            stored = damage_bytes(stored, random)
        file.write_bytes(stored)
        problems = list(map(str, bed_problems(str(file), store, CONTIGS)))
        covered = covered_bases(file)
        ends[covered is not None] += 1
        assert (covered is None) == bool(problems), (text, problems)
        assert all(problem.startswith(str(file)) for problem in problems), problems
        if covered is not None:
            assert covered == expected_bases(text), text

    for_each_input("bed", numbers, check)
    assert min(ends[True], ends[False]) > 0


def covered_bases(file: Path) -> set[tuple[str, int]] | None:
    """Return the bases that the caller calls; None if it refuses the file."""
    try:
        spans = read_bed(str(file), CONTIGS)
    except BadInput:
        return None
    return {(span.contig, base) for span in spans for base in range(span.start, span.end)}


def expected_bases(text: bytes) -> set[tuple[str, int]]:
    """Return the bases of all regions of valid BED."""
    bases = set()
    for line in text.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if line.strip() and not line.startswith(("#", "track", "browser")):
            contig, start, end, *_ = line.split("\t") if "\t" in line else line.split()
            assert 0 <= int(start) < int(end) <= CONTIGS[contig]
            bases |= {(contig, base) for base in range(int(start), int(end))}
    return bases
