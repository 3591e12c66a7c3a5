"""The places of indels that few reads show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Span
from few_reads import places_of_few

HERE, AGAIN = "20M2D30M", "30M2D20M"  # of reads from 100 and from 90: the same deletion behind base 119
PROPER = pysam.FPAIRED | pysam.FPROPER_PAIR


class Read(NamedTuple):
    start: int
    cigar: str
    flag: int = 0
    quality: int = 60


def write_bam(path: Path, reads: list[Read]) -> str:
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "c", "LN": 1000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for one in sorted(reads):
            read = pysam.AlignedSegment(bam.header)
            read.query_name, read.flag, read.mapping_quality, read.cigarstring = "r", one.flag, one.quality, one.cigar
            read.reference_id, read.reference_start = 0, one.start
            read.query_sequence = "A" * (read.infer_query_length() or 0)
            bam.write(read)
    pysam.index(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("reads", "positions"),
    [
        ([Read(100, HERE)], [119]),
        ([Read(100, HERE), Read(90, AGAIN)], []),
        ([Read(100, HERE), Read(90, "30M1D20M")], [119]),  # another length
        ([Read(100, HERE), Read(90, "30M2I20M")], [119]),
        ([Read(100, HERE), Read(90, AGAIN), Read(100, "20M1D30M")], []),  # mpileup has a record of it
        ([Read(100, HERE), Read(90, AGAIN, pysam.FDUP)], [119]),
        ([Read(100, HERE), Read(90, AGAIN, pysam.FSUPPLEMENTARY)], []),
        ([Read(100, HERE), Read(90, AGAIN, quality=19)], [119]),
        ([Read(100, HERE), Read(90, AGAIN, pysam.FPAIRED)], [119]),  # an orphan
        ([Read(100, HERE, PROPER), Read(90, AGAIN, PROPER)], []),
        ([Read(100, "5S15M3I100N10M1D20M")], [114, 224]),
        ([Read(480, HERE), Read(499, HERE), Read(880, HERE)], [499]),
        ([Read(100, "50M"), Read(100, "10S40M")], []),
    ],
)
def test_reads_are_counted_as_mpileup_does(tmp_path: Path, reads: list[Read], positions: list[int]) -> None:
    bam, bed = write_bam(tmp_path / "reads.bam", reads), tmp_path / "unit.bed"
    bed.write_text("c\t50\t300\nc\t310\t500\n")
    parameters = {"min_cohort_indel_reads": 1, "min_indel_reads": 2, "min_mapq": 20, "count_orphans": False}
    assert places_of_few(bam, "", bed, parameters) == [Span("c", one, one + 1) for one in positions]
    assert places_of_few(bam, "", bed, {**parameters, "min_cohort_indel_reads": 2}) == []


def test_orphans_count_where_mpileup_takes_them(tmp_path: Path) -> None:
    bam, bed = write_bam(tmp_path / "reads.bam", [Read(100, HERE), Read(90, AGAIN, pysam.FPAIRED)]), tmp_path / "u.bed"
    bed.write_text("c\t0\t1000\n")
    parameters = {"min_cohort_indel_reads": 1, "min_indel_reads": 2, "min_mapq": 20, "count_orphans": True}
    assert places_of_few(bam, "", bed, parameters) == []
