"""Reads with known origins, and the outcome of the alignment step's program, for the tests of this folder."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
import pytest

PROGRAM = Path(__file__).with_name("alignment.py")
CONTIGS = {"chr1": 6000, "chr2": 3000}
READ_BP, FRAGMENT_BP = 100, 300
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Outcome:
    code: int
    error: str
    bam: Path
    metrics: dict[str, Any]
    reference: Path

    def path(self, ending: str) -> Path:
        return self.bam.parent / f"s1.{ending}"

    def file(self, ending: str) -> str:
        return self.path(ending).read_text()

    def lines(self) -> list[str]:
        """Return the records as lines of SAM."""
        return [record.to_string() for record in self.records()]

    def records(self) -> list[pysam.AlignedSegment]:
        with pysam.AlignmentFile(str(self.bam), reference_filename=str(self.reference)) as file:
            return list(file)


Pair = tuple[str, str, str]


def pairs(sequences: dict[str, str], count: int, seed: int, prefix: str = "A00:1:FLOW:1:1:1") -> list[Pair]:
    """Return name, first and second read of fragments from both strands."""
    rng = random.Random(seed)
    reads = []
    for number in range(count):
        bases = sequences[rng.choice(list(sequences))]
        size = rng.randint(FRAGMENT_BP - 40, FRAGMENT_BP + 40)
        start = rng.randrange(len(bases) - size)
        fragment = bases[start : start + size]
        ends = fragment[:READ_BP], fragment[-READ_BP:].translate(COMPLEMENT)[::-1]
        reads.append((f"{prefix}:{number}", *(ends if number % 2 else ends[::-1])))
    return reads


def fastq(path: Path, reads: list[tuple[str, str]]) -> Path:
    text = "".join(f"@{name}\n{bases}\n+\n{'F' * len(bases)}\n" for name, bases in reads)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return path


def lane(folder: Path, name: str, reads: list[Pair]) -> dict[str, Any]:
    first = fastq(folder / f"{name}_R1.fastq.gz", [(f"{read}/1", bases) for read, bases, _ in reads])
    second = fastq(folder / f"{name}_R2.fastq.gz", [(f"{read}/2 2:N:0:AC", bases) for read, _, bases in reads])
    return {"lane": name, "fastq_1": str(first), "fastq_2": str(second)}


Align = Callable[..., Outcome]
each_aligner = pytest.mark.parametrize("aligner", ["bwa", "minibwa"], indirect=True)
