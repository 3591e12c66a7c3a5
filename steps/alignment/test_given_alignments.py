"""Reads of BAM and CRAM files, aligned by the step's program: the same alignments as from their FASTQ files."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_support import Align, Outcome, Pair, lane, pairs

PAIRED, UNMAPPED, MATE_UNMAPPED, FIRST, SECOND = 1, 4, 8, 64, 128
GROUPS = [
    {"ID": "a", "SM": "s1", "LB": "lib1", "PU": "unit.1", "PL": "ILLUMINA", "CN": "here"},
    {"ID": "b", "SM": "s1", "LB": "lib1", "PL": "ILLUMINA"},
]


def ubam(
    path: Path, reads: Sequence[Pair], groups: Sequence[dict[str, str]] = GROUPS[:1], order: str = "unsorted"
) -> Path:
    """Write pairs as unaligned records, those of several read groups in turn."""
    header = {"HD": {"VN": "1.6", "SO": order}, "RG": list(groups)}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for number, (name, *mates) in enumerate(reads):
            for bases, flag in zip(mates, (FIRST, SECOND), strict=True):
                record = pysam.AlignedSegment(file.header)
                record.query_name, record.query_sequence = name, bases
                record.flag = PAIRED | UNMAPPED | MATE_UNMAPPED | flag
                record.query_qualities = pysam.qualitystring_to_array("F" * len(bases))
                if groups:
                    record.set_tag("RG", groups[number % len(groups)]["ID"])
                file.write(record)
    return path


def alignments(outcome: Outcome) -> list[tuple[Any, ...]]:
    """Return what does not depend on the order of the reads."""
    assert outcome.code == 0, outcome.error
    return sorted(
        (str(one.query_name), one.flag, one.reference_name, one.reference_start, str(one.cigarstring))
        for one in outcome.records()
    )


def header(outcome: Outcome) -> dict[str, Any]:
    with pysam.AlignmentFile(str(outcome.bam), check_sq=False) as file:
        return dict(file.header.to_dict())


def commands(outcome: Outcome) -> list[str]:
    """Return the commands behind the step itself, each of which names the one before."""
    lines = header(outcome)["PG"]
    assert [line.get("PP") for line in lines] == [None, *(line["ID"] for line in lines[:-1])]
    return [str(line["CL"]) for line in lines[1:]]


@pytest.fixture
def reads(sequences: dict[str, str]) -> list[Pair]:
    return pairs(sequences, 400, seed=5)


def test_a_ubam_gives_the_alignments_of_its_fastq_files(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    expected = alignments(align([lane(tmp_path, "L001", reads)]))
    outcome = align([{"lane": "L001", "bam": str(ubam(tmp_path / "u.bam", reads, order="queryname"))}])
    assert alignments(outcome) == expected
    assert header(outcome)["RG"] == GROUPS[:1]
    assert {one.get_tag("RG") for one in outcome.records()} == {"a"}
    assert [command.split()[:2] for command in commands(outcome)[:1]] == [["samtools", "fastq"]]


@pytest.mark.skipif(sys.platform != "linux", reason="orphans of others come to this process on Linux only")
def test_samtools_is_waited_for(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    """Processor time of forks that nobody waits for is in no record: none is left for another process to wait for."""
    adopt_orphans, library = 36, ctypes.CDLL(None)  # PR_SET_CHILD_SUBREAPER
    library.prctl(adopt_orphans, 1, 0, 0, 0)
    try:
        before = children()
        alignments(align([{"lane": "L001", "bam": str(ubam(tmp_path / "u.bam", reads, GROUPS))}]))
        orphans = children() - before
        for process in orphans:
            os.waitpid(process, 0)
        assert not orphans
    finally:
        library.prctl(adopt_orphans, 0, 0, 0, 0)


def children() -> set[int]:
    """Return the processes of which this one is the parent."""
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_aligned_reads_are_aligned_again_with_their_read_groups(
    align: Align, reads: list[Pair], tmp_path: Path, kind: str
) -> None:
    first = align([{"lane": "L001", "bam": str(ubam(tmp_path / "u.bam", reads, GROUPS))}], format=kind)
    again = align([{"lane": "L001", kind: str(first.bam)}])
    assert alignments(again) == alignments(first)
    assert header(again)["RG"] == GROUPS
    groups = {str(one.query_name): one.get_tag("RG") for one in again.records()}
    assert groups == {name: "ab"[number % 2] for number, (name, *_) in enumerate(reads)}
    assert [" ".join(command.split()[:2]) for command in commands(again)] == [
        "samtools split",
        *["samtools collate", "samtools fastq"] * 2,
        *["minibwa map"] * 4,  # the pairs of each read group, and the reads without mates
        *("samtools sort", "samtools markdup"),
    ]
    assert commands(again)[0].endswith(f" {first.bam.name}")
    assert str(tmp_path) not in "".join(commands(again))
    logged = again.error.splitlines()
    assert [line[2:] for line in logged if line.startswith("$ ")] == commands(again)
    processed = [line for line in logged if line.startswith("samtools fastq: ") and "processed 400 reads" in line]
    assert len(processed) == 2


def test_reads_without_mates_are_aligned_as_single_reads(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    path = ubam(tmp_path / "all.bam", reads)
    orphans = {name for name, *_ in reads[::10]}
    with (
        pysam.AlignmentFile(str(path), check_sq=False) as file,
        pysam.AlignmentFile(str(tmp_path / "some.bam"), "wb", header=file.header) as out,
    ):
        for record in file:
            if not (record.is_read2 and record.query_name in orphans):
                out.write(record)
    outcome = align([{"lane": "L001", "bam": str(tmp_path / "some.bam")}])
    assert outcome.code == 0, outcome.error
    single = {str(one.query_name) for one in outcome.records() if not one.is_paired}
    assert single == orphans
    assert outcome.metrics["reads"] == 2 * len(reads) - len(orphans)


def test_single_reads(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    bases = sequences["chr1"]
    with pysam.AlignmentFile(str(tmp_path / "single.bam"), "wb", header={"HD": {"VN": "1.6"}}) as file:
        for number in range(50):
            record = pysam.AlignedSegment(file.header)
            record.query_name, record.flag = f"r{number}", UNMAPPED
            record.query_sequence = bases[10 * number : 10 * number + 100]
            record.query_qualities = pysam.qualitystring_to_array("F" * 100)
            file.write(record)
    outcome = align([{"lane": "L7", "bam": str(tmp_path / "single.bam"), "library": "lib9"}])
    assert sorted(one[3] for one in alignments(outcome)) == list(range(0, 500, 10))
    assert header(outcome)["RG"] == [{"ID": "s1.L7", "SM": "s1", "LB": "lib9", "PL": "ILLUMINA"}]


def test_lanes_of_all_kinds_with_read_groups_of_one_id(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    other = [{**GROUPS[0], "LB": "lib2"}]
    outcome = align(
        [
            lane(tmp_path, "L001", reads[:100]),
            {"lane": "L002", "bam": str(ubam(tmp_path / "a.bam", reads[100:200]))},
            {"lane": "L003", "bam": str(ubam(tmp_path / "b.bam", reads[200:], other))},
        ]
    )
    assert len(alignments(outcome)) == 2 * len(reads)
    assert [group["ID"] for group in header(outcome)["RG"]] == ["FLOW.s1.L001", "a", "a.L003"]
    assert [group["LB"] for group in header(outcome)["RG"]] == ["s1", "lib1", "lib2"]


def test_a_wrong_order_in_the_header_is_not_believed(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    first = align([{"lane": "L001", "bam": str(ubam(tmp_path / "u.bam", reads))}])
    with pysam.AlignmentFile(str(first.bam)) as file:
        text = {**file.header.to_dict(), "HD": {"VN": "1.6", "SO": "queryname"}}
        with pysam.AlignmentFile(str(tmp_path / "said.bam"), "wb", header=text) as out:
            for record in file:
                out.write(record)
    assert alignments(align([{"lane": "L001", "bam": str(tmp_path / "said.bam")}])) == alignments(first)


def test_umis_of_a_ubam(align: Align, reads: list[Pair], tmp_path: Path) -> None:
    with (
        pysam.AlignmentFile(str(ubam(tmp_path / "u.bam", reads)), check_sq=False) as file,
        pysam.AlignmentFile(str(tmp_path / "umis.bam"), "wb", header=file.header) as out,
    ):
        for record in file:
            record.set_tag("RX", "ACGT-TTGA")
            out.write(record)
    outcome = align([{"lane": "L001", "bam": str(tmp_path / "umis.bam")}], umi="comment")
    assert {one.get_tag("RX") for one in outcome.records()} == {"ACGT-TTGA"}
