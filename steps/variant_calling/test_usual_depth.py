"""The usual depth of a sample."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

import pysam
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Span
from usual_depth import COHORT_DEPTH, LOW_DEPTH, POSITIONS, are_below, depths, spread

LIMITS = (LOW_DEPTH, COHORT_DEPTH)
CONTIGS = {"a": 40_000, "b": 300}
READS = st.tuples(
    st.sampled_from([0, 0, 0, pysam.FREVERSE, pysam.FDUP, pysam.FSECONDARY, pysam.FSUPPLEMENTARY, pysam.FQCFAIL]),
    st.sampled_from([0, 19, 20, 60]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 250),
    st.sampled_from(["50M", "10S40M", "20M5D30M", "20M2I28M", "10M16000N40M"]),
)


def write_bam(path: Path, reads: list[tuple[int, int, str, int, str]], step: int) -> None:
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": length} for name, length in CONTIGS.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        segments = []
        for flag, quality, contig, start, cigar in reads:
            read = pysam.AlignedSegment(bam.header)
            read.query_name, read.flag, read.mapping_quality, read.cigarstring = "r", flag, quality, cigar
            read.reference_name = contig if cigar != "10M16000N40M" else "a"
            read.reference_start = start * (step if read.reference_name == "a" else 1)
            read.query_sequence = "A" * 50
            segments.append(read)
        for read in sorted(segments, key=lambda read: (read.reference_id, read.reference_start)):
            bam.write(read)
    pysam.index(str(path))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(reads=st.lists(READS, max_size=60), step=st.sampled_from([1, 80]), start=st.integers(0, 39_000))
def test_depths_are_those_of_look_ups_at_each_position(
    tmp_path: Path, reads: list[tuple[int, int, str, int, str]], step: int, start: int
) -> None:
    write_bam(tmp_path / "reads.bam", reads, step)
    spans = [Span("a", start, 40_000), Span("b", 10, 290)]

    def counts(read: pysam.AlignedSegment) -> bool:
        left_out = read.is_duplicate or read.is_secondary or read.is_qcfail or read.is_unmapped
        return not left_out and read.mapping_quality >= 20

    with pysam.AlignmentFile(str(tmp_path / "reads.bam")) as bam:
        expected = [bam.count(name, at, at + 1, read_callback=counts) for name, at in spread(spans, POSITIONS)]
    assert list(depths(str(tmp_path / "reads.bam"), "", spans, 20)) == expected


@given(st.lists(st.integers(0, 2 * LOW_DEPTH), max_size=POSITIONS))
@example([LOW_DEPTH - 1, LOW_DEPTH])
@example([LOW_DEPTH - 1, LOW_DEPTH + 1])
@example([LOW_DEPTH - 1] * (POSITIONS // 2) + [LOW_DEPTH + 1] * (POSITIONS // 2))
@example([LOW_DEPTH] * (POSITIONS // 2) + [COHORT_DEPTH + 1] * (POSITIONS // 2))
def test_half_of_the_positions_decide_as_their_median_does(found: list[int]) -> None:
    rest = iter(found)
    middle = median([depth for depth in found if depth] or [0])
    assert are_below(rest, LIMITS) == [middle < limit for limit in LIMITS]


def test_positions_are_not_read_once_the_others_decide() -> None:
    rest = iter([COHORT_DEPTH] * POSITIONS)
    assert are_below(rest, LIMITS) == [False, False]
    assert len(list(rest)) == POSITIONS // 2 - 1
