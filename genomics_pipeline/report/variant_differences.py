"""Differences of two VCF files by sample, read side by side in bounded memory.

An allele of a sample is compared as its place, and its bases without those that REF and ALT have in common at their
ends; files of one pipeline write it alike. Symbolic alleles, phases, and the difference between a genotype of the
reference and none are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pysam

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.report.concordance import read_vcf

RecordPlace = tuple[int, int]  # the number of the contig, and the position from 1
BareAllele = tuple[str, str]


@dataclass(frozen=True, slots=True)
class VariantExample:
    """An allele of a sample that differs: its place, its bases, and its number of copies in each file."""

    sample: str
    contig: str
    position: int
    ref: str
    alt: str
    copies: tuple[int, int]

    def __str__(self) -> str:
        """Return the example as text, such as ``NA1 chr1:99 A>T 1, 2``."""
        first, second = self.copies
        return f"{self.sample} {self.contig}:{self.position} {self.ref}>{self.alt} {first}, {second}"


@dataclass(slots=True)
class SampleVariants:
    """The alleles of a sample that only one file has, and those with another number of copies."""

    only_first: int = 0
    only_second: int = 0
    other_genotype: int = 0

    def add(self, first: int, second: int) -> None:
        """Count an allele by its copies in each file, which differ."""
        if not second:
            self.only_first += 1
        elif not first:
            self.only_second += 1
        else:
            self.other_genotype += 1


@dataclass(slots=True)
class VariantDifferences:
    """The differences of two VCF files, or of several pairs.

    Attributes:
        samples: The counts of each sample that has a difference.
        examples: The first differences.
        most: The greatest number of examples.
    """

    most: int
    samples: dict[str, SampleVariants] = field(default_factory=dict)
    examples: list[VariantExample] = field(default_factory=list)

    def add(self, example: VariantExample) -> None:
        """Count a difference."""
        self.samples.setdefault(example.sample, SampleVariants()).add(*example.copies)
        if len(self.examples) < self.most:
            self.examples.append(example)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``diff --json`` prints."""
        return {
            "samples": {name: asdict(counts) for name, counts in self.samples.items()},
            "examples": [asdict(one) for one in self.examples],
        }


def compare_vcfs(first: Path, second: Path, found: VariantDifferences) -> None:
    """Add the differences of two VCF files in the samples that both have.

    Args:
        first: A file.
        second: The other file.
        found: The differences so far.

    Raises:
        DataError: for a file that cannot be read, and contigs in another order.
    """
    read_vcf(first, lambda one: read_vcf(second, lambda two: _compare(one, two, second, found)))


def _compare(one: pysam.VariantFile, two: pysam.VariantFile, second: Path, found: VariantDifferences) -> None:
    """Add the differences of two open VCF files.

    Args:
        one: A file.
        two: The other file.
        second: Its path, for messages.
        found: The differences so far.
    """
    others = set(two.header.samples)
    names = [name for name in one.header.samples if name in others]
    contigs = _contigs(_names(one), _names(two), second)
    is_alike = list(one.header.samples) == list(two.header.samples)
    for (contig, position), groups in _side_by_side(one, two, {name: at for at, name in enumerate(contigs)}):
        if is_alike and list(map(str, groups[0])) == list(map(str, groups[1])):
            continue
        alleles = [_alleles(group, names) for group in groups]
        for name in names:
            for ref, alt in {**alleles[0][name], **alleles[1][name]}:
                copies = (alleles[0][name][ref, alt], alleles[1][name][ref, alt])
                if copies[0] != copies[1]:
                    found.add(VariantExample(name, contigs[contig], position, ref, alt, copies))


def _names(file: pysam.VariantFile) -> list[str]:
    return [str(name) for name in file.header.contigs]


def _contigs(one: Sequence[str], two: Sequence[str], second: Path) -> list[str]:
    """Return the contigs of both headers in an order that both files have."""
    shared = [name for name in two if name in set(one)]
    if shared != [name for name in one if name in set(two)]:
        raise DataError(
            Problem("expected the contigs in the order of the other run's VCF, found another one", str(second))
        )
    return [*one, *(name for name in two if name not in set(one))]


def _side_by_side(
    one: pysam.VariantFile, two: pysam.VariantFile, numbers: Mapping[str, int]
) -> Iterator[tuple[RecordPlace, tuple[list[pysam.VariantRecord], list[pysam.VariantRecord]]]]:
    """Yield each place with the records of both files."""

    def place(record: pysam.VariantRecord) -> RecordPlace:
        return numbers[record.chrom], record.pos

    groups = [groupby(file, place) for file in (one, two)]
    heads = [_next(group) for group in groups]
    while any(heads):
        least = min(head[0] for head in heads if head)
        here: list[list[pysam.VariantRecord]] = []
        for number, head in enumerate(heads):
            is_here = head is not None and head[0] == least
            here.append(head[1] if head is not None and is_here else [])
            if is_here:
                heads[number] = _next(groups[number])
        yield least, (here[0], here[1])


def _next(group: groupby[RecordPlace, pysam.VariantRecord]) -> tuple[RecordPlace, list[pysam.VariantRecord]] | None:
    head = next(group, None)
    return None if head is None else (head[0], list(head[1]))


def _alleles(records: Sequence[pysam.VariantRecord], names: Sequence[str]) -> dict[str, Counter[BareAllele]]:
    """Return the copies of each allele that differs from the reference, by sample."""
    found: dict[str, Counter[BareAllele]] = {name: Counter() for name in names}
    for record in records:
        alleles = [_trimmed(record.ref or "", alt) for alt in record.alts or ()]
        for name in names:
            for index in record.samples[name].allele_indices or ():
                if index and (allele := alleles[index - 1]):
                    found[name][allele] += 1
    return found


def _trimmed(ref: str, alt: str) -> BareAllele | None:
    """Return an allele without the bases that both have at their ends; None of one that has no bases.

    >>> _trimmed("CAA", "CA"), _trimmed("A", "*")
    (('CA', 'C'), None)
    """
    if not alt.isalpha():
        return None
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return ref, alt
