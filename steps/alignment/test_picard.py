"""Picard's judgement of the alignments: ValidateSamFile accepts all kinds of them, MarkDuplicates marks the same reads.

Picard is a program of Java, installed by `make test-picard`. Without it the tests are skipped; in continuous
integration they fail.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_support import COMPLEMENT, Align, Outcome, Pair, each_aligner

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.picard

PROGRAM = Path(os.environ.get("PICARD", "picard"))
REMARK = re.compile(r"^(?:ERROR|WARNING)\b.*", re.MULTILINE)
# What Picard says of any file of samtools, too: fixmate writes MC:Z:* for a mate that is not aligned. CRAM files hold
# no NM, which htslib computes while it reads, and Picard does not.
MATE_CIGAR = "ERROR::MATE_CIGAR_STRING_INVALID_PRESENCE:"
OF_SAMTOOLS: dict[str, tuple[str, ...]] = {".bam": (MATE_CIGAR,), ".cram": (MATE_CIGAR, "WARNING::MISSING_TAG_NM:")}
Picard = Callable[..., str]
NAME = "A00:1:FLOW:{}:1101:{}:{}"  # lane, x, y


@pytest.fixture(scope="session")
def picard() -> Picard:
    """Return `picard(command, NAME=value, …)`, which returns what the command printed."""
    if not PROGRAM.is_file():
        problem = f"no {PROGRAM} (make test-picard installs it, on Debian and Ubuntu)"
        if os.environ.get("CI"):
            pytest.fail(f"{problem}: this must run in continuous integration")
        pytest.skip(f"SKIPPED: {problem}")

    def run(command: str, **options: str | Path) -> str:
        argv = [str(PROGRAM), command, *(f"{name}={value}" for name, value in options.items()), "QUIET=true"]
        process = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert "Exception" not in process.stderr, process.stderr
        return process.stdout

    return run


def remarks(picard: Picard, outcome: Outcome) -> list[str]:
    """Return what ValidateSamFile says about alignments."""
    assert outcome.code == 0, outcome.error
    printed = picard("ValidateSamFile", I=outcome.bam, R=outcome.reference, MODE="VERBOSE", MAX_OUTPUT="100000")
    assert "No errors found" in printed or REMARK.search(printed), printed
    known = OF_SAMTOOLS[outcome.bam.suffix]
    return [remark for remark in REMARK.findall(printed) if not remark.startswith(known)]


def fragments(sequences: dict[str, str], seed: int = 1, lane: int = 1) -> list[Pair]:
    """Return pairs of every kind: duplicates, optical ones, split reads, unaligned mates, other contigs, overlaps."""
    rng = random.Random(seed)
    reads: list[Pair] = []

    def add(first: str, second: str, copies: int = 1) -> None:
        for copy in range(copies):
            reads.append((NAME.format(lane, 1000 + len(reads), 2000 + 40 * copy), first, second))

    def noise() -> str:
        return "".join(rng.choices(("AC", "GT"), k=50))

    for number in range(160):
        bases = sequences[rng.choice(list(sequences))]
        size = rng.randint(110, 340)
        start = rng.randrange(len(bases) - size)
        ends = bases[start : start + 100], reverse(bases[start + size - 100 : start + size])
        first, second = ends if number % 2 else ends[::-1]
        copies = 1 + (number % 5 == 0) + (number % 25 == 0)
        if number % 16 == 3:
            first = reverse(sequences["chr2"][900:945]) + first[45:]
        if number % 16 == 7:
            second = noise()
        if number % 16 == 11:
            first = second = noise()
        if number % 16 == 13:
            second = reverse(sequences["chr2"][1500:1600])
        if number % 16 == 15:
            first = first[:40] + first[45:] + "ACGTA"
        add(first, second, copies)
    return reads


def reverse(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


def fastq(path: Path, reads: list[tuple[str, str]], seed: int) -> Path:
    """Write reads with qualities of their own, so that no two copies have the same sum."""
    rng = random.Random(seed)
    text = ""
    for name, bases in reads:
        qualities = "".join(chr(33 + rng.randint(2, 40)) for _ in bases)
        text += f"@{name}\n{bases}\n+\n{qualities}\n"
    path.write_text(text)
    return path


def lane(folder: Path, name: str, reads: list[Pair], library: str | None = None, paired: bool = True) -> dict[str, Any]:
    first = fastq(folder / f"{name}_R1.fastq", [(read, bases) for read, bases, _ in reads], 1)
    second = fastq(folder / f"{name}_R2.fastq", [(read, bases) for read, _, bases in reads], 2) if paired else None
    given = {"lane": name, "fastq_1": str(first), "fastq_2": str(second) if second else None}
    return {**given, **({"library": library} if library else {})}


def with_umis(reads: list[Pair]) -> list[Pair]:
    return [(f"{name}:{'ACGT'[place % 3]}CA+TTG", first, second) for place, (name, first, second) in enumerate(reads)]


def ubam(path: Path, reads: list[Pair]) -> dict[str, Any]:
    """Write pairs as unaligned records of two read groups."""
    groups = [{"ID": name, "SM": "s1", "LB": f"lib{name}", "PL": "ILLUMINA"} for name in "ab"]
    with pysam.AlignmentFile(str(path), "wb", header={"HD": {"VN": "1.6", "SO": "unsorted"}, "RG": groups}) as file:
        for number, (name, *mates) in enumerate(reads):
            for flag, bases in zip((77, 141), mates, strict=True):
                record = pysam.AlignedSegment(file.header)
                record.query_name, record.flag, record.query_sequence = name, flag, bases
                record.query_qualities = pysam.qualitystring_to_array("F" * len(bases))
                record.set_tag("RG", "ab"[number % 2])
                file.write(record)
    return {"lane": "L001", "bam": str(path)}


@pytest.mark.parametrize("kind", ["bam", "cram"])
@each_aligner
def test_pairs_of_every_kind(
    align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path, kind: str
) -> None:
    outcome = align([lane(tmp_path, "L001", fragments(sequences))], format=kind)
    assert remarks(picard, outcome) == []
    records = outcome.records()
    for flag in (pysam.FSUPPLEMENTARY, pysam.FDUP, pysam.FUNMAP, pysam.FMUNMAP, pysam.FDUP | pysam.FSUPPLEMENTARY):
        assert any(record.flag & flag == flag for record in records), flag


@each_aligner
def test_single_reads(align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path) -> None:
    outcome = align([lane(tmp_path, "L001", fragments(sequences), paired=False)])
    assert remarks(picard, outcome) == []


@each_aligner
def test_pairs_beside_single_reads(align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path) -> None:
    single = lane(tmp_path, "L002", fragments(sequences, 2, 2), paired=False)
    assert remarks(picard, align([lane(tmp_path, "L001", fragments(sequences)), single])) == []


@pytest.mark.parametrize(
    "given",
    [
        {"mark_supplementary": False, "optical_distance": 100},
        {"optical_distance": 100},
        {"mark_duplicates": False},
    ],
    ids=lambda given: "-".join(given),
)
def test_parameters(
    align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path, given: dict[str, Any]
) -> None:
    assert remarks(picard, align([lane(tmp_path, "L001", fragments(sequences))], **given)) == []


def test_umis_of_two_libraries(align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path) -> None:
    lanes = [
        lane(tmp_path, f"L00{number}", with_umis(fragments(sequences, 1, number)), library=str(number))
        for number in (1, 2)
    ]
    assert remarks(picard, align(lanes, umi="name")) == []


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_given_alignments(align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path, kind: str) -> None:
    first = align([ubam(tmp_path / "u.bam", fragments(sequences))], format=kind)
    assert remarks(picard, first) == []
    assert remarks(picard, align([{"lane": "L001", kind: str(first.bam)}])) == []


@each_aligner
def test_clipped_primers(align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path) -> None:
    primers = tmp_path / "primers.bed"
    primers.write_text(
        "".join(f"chr1\t{start}\t{start + 130}\tp\t0\t{'+-'[start // 150 % 2]}\n" for start in range(0, 5850, 150))
    )
    lanes = [lane(tmp_path, "L001", fragments(sequences))]
    for given in ({}, {"mark_duplicates": False}):
        assert remarks(picard, align(lanes, primers=str(primers), **given)) == []


def test_samtools_itself_says_mc_of_mates_that_are_not_aligned(tmp_path: Path) -> None:
    """Show that the remark that is passed over is one on samtools: fixmate adds MC to the aligned read."""
    sam = "@SQ\tSN:c\tLN:99\nr\t73\tc\t9\t60\t4M\t=\t9\t0\tACGT\tFFFF\nr\t133\tc\t9\t0\t*\t=\t9\t0\tACGT\tFFFF\n"
    (tmp_path / "a.sam").write_text(sam)
    pysam.samtools.fixmate("-m", str(tmp_path / "a.sam"), str(tmp_path / "b.bam"), catch_stdout=False)
    with pysam.AlignmentFile(str(tmp_path / "b.bam")) as file:
        assert next(file).get_tag("MC") == "*"


@each_aligner
def test_duplicates_of_two_libraries_are_those_of_picard(
    align: Align, picard: Picard, sequences: dict[str, str], tmp_path: Path
) -> None:
    """The second lane has the library of the first, the third another; each fragment is in all of them."""
    lanes = [
        lane(tmp_path, f"L00{number}", fragments(sequences, 1, number), library)
        for number, library in enumerate(("one", "one", "two"), 1)
    ]
    outcome = align(lanes, mark_supplementary=False)
    marked = tmp_path / "marked.bam"
    picard("MarkDuplicates", I=outcome.bam, O=marked, M=tmp_path / "metrics.txt", READ_NAME_REGEX="null")
    with pysam.AlignmentFile(str(marked)) as file:
        theirs = [(record.query_name, record.flag) for record in file]
    assert [(record.query_name, record.flag) for record in outcome.records()] == theirs
    assert sum(bool(flag & pysam.FDUP) for _, flag in theirs) > 300
