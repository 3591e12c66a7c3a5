"""Primers of amplicons: their bases are clipped, and all that is said of mates and differences holds afterwards."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_support import COMPLEMENT, READ_BP, Align, Pair, each_aligner, lane

LEFT, RIGHT = (1000, 1022), (1278, 1300)  # primers of an amplicon on chr1


def amplicon(bases: str, number: int, start: int, end: int) -> Pair:
    """Return a pair of a fragment whose first base differs from the reference; odd ones are of the other strand."""
    fragment = bases[start:end].translate(str.maketrans("ACGT", "CGTA"))[:1] + bases[start + 1 : end]
    ends = fragment[:READ_BP], fragment[-READ_BP:].translate(COMPLEMENT)[::-1]
    return (f"r{number}", *(ends if number % 2 else ends[::-1]))


@each_aligner
@pytest.mark.parametrize("mark_duplicates", [False, True])
def test_primers_are_clipped_and_mates_agree(
    align: Align, sequences: dict[str, str], tmp_path: Path, mark_duplicates: bool
) -> None:
    bases = sequences["chr1"]
    spans = [(LEFT[0], RIGHT[1])] * 6 + [(950, 1250)] * 4  # the last four only span a primer: they did not begin in it
    reads = [amplicon(bases, number, *span) for number, span in enumerate(spans)]
    bed = tmp_path / "primers.bed.gz"
    primers = [("-", *RIGHT), ("+", *LEFT), ("-", 950, 970)]  # at the last, reads begin of the other strand only
    lines = [f"chr1\t{start}\t{end}\tprimer\t1\t{strand}" for strand, start, end in primers]
    bed.write_bytes(gzip.compress("\r\n".join(["track name=primers", *lines]).encode()))
    outcome = align([lane(tmp_path, "L001", reads)], primers=str(bed), mark_duplicates=mark_duplicates)
    assert outcome.code == 0, outcome.error
    records = outcome.records()
    assert [record.reference_start for record in records] == sorted(record.reference_start for record in records)
    ends = {int(str(one.query_name)[1:]): set[int]() for one in records}
    for record in records:
        end = record.reference_end if record.is_reverse else record.reference_start
        ends[int(str(record.query_name)[1:])].add(end or 0)
    assert [ends[number] == {LEFT[1], RIGHT[0]} for number in range(6)] == [True] * 6
    assert all(ends[number] in ({950, 1250}, {951, 1250}) for number in range(6, 10))
    by_name = {(record.query_name, record.is_read1): record for record in records}
    for record in records:
        mate = by_name[record.query_name, not record.is_read1]
        assert (record.next_reference_start, record.get_tag("MC")) == (mate.reference_start, mate.cigarstring)
        assert record.template_length == -mate.template_length
        assert abs(record.template_length) == max(ends[int(str(record.query_name)[1:])]) - min(
            ends[int(str(record.query_name)[1:])]
        )
    with pysam.FastaFile(str(outcome.reference)) as fasta:
        for record in records:
            pairs = record.get_aligned_pairs(matches_only=True, with_seq=True)
            expected = fasta.fetch("chr1", record.reference_start, record.reference_end)
            assert "".join(base for *_, base in pairs).upper() == expected, "MD"
            assert record.get_tag("NM") == sum(base.islower() for *_, base in pairs)


def test_without_strands_primers_clip_both_ends_of_all_reads(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    reads = [amplicon(sequences["chr1"], number, LEFT[0], RIGHT[1]) for number in range(2)]
    bed = tmp_path / "primers.bed"
    bed.write_text("".join(f"chr1\t{start}\t{end}\n" for start, end in (LEFT, RIGHT)))
    records = align([lane(tmp_path, "L001", reads)], primers=str(bed)).records()
    assert {record.reference_start for record in records if not record.is_reverse} == {LEFT[1]}
    assert {record.reference_end for record in records if record.is_reverse} == {RIGHT[0]}
