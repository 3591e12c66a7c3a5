"""The records of a reference panel: what the step that imputes would refuse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from genomics_pipeline.model.errors import Problem

FIRST_SAMPLE = 9  # columns before it
_PHASED = re.compile(r"\d+(\|\d+)?")  # haploid genotypes, as of chrX, are left out later
_BASES = frozenset("ACGT")
Bases = Callable[[str, int, int], str]  # of a contig, from a position, counted from 0, to another


class PanelRules:
    """The rules for a panel's records.

    Args:
        uri: The file.
        people: Its people.
        contigs: The length of each contig of the reference, by name.
        bases: Returns bases of the reference; None where they cannot be read.
    """

    def __init__(self, uri: str, people: Sequence[str], contigs: Mapping[str, int], bases: Bases | None) -> None:
        self._uri, self._people, self._contigs, self._bases = uri, people, contigs, bases
        self._last = ("", 0)
        self.counts: Counter[str] = Counter()  # records of each contig
        self.has_problems = False

    def problems(self, records: Iterable[str]) -> Iterator[Problem]:
        """Yield the problems of records, up to the first without the columns of one, or out of order."""
        for line in records:
            fields = line.split("\t")
            if len(fields) != FIRST_SAMPLE + len(self._people) or not fields[1].isdigit():
                yield self._problem(f"expected {FIRST_SAMPLE + len(self._people)} columns, found {line[:60]!r}")
                return
            contig, pos = fields[0], int(fields[1])
            if message := self._order_misfit(contig, pos):
                yield self._problem(f"{contig}:{pos}: {message}")
                return
            if contig in self._contigs:
                yield from (self._problem(f"{contig}:{pos}: {message}") for message in self._misfits(fields, pos))

    def _problem(self, message: str) -> Problem:
        self.has_problems = True
        return Problem(message, self._uri)

    def _order_misfit(self, contig: str, pos: int) -> str | None:
        """Return what is wrong with the place of a record behind the one before it, or None."""
        before, self._last = self._last, (contig, pos)
        misplaced = contig in self.counts and (contig != before[0] or pos < before[1])
        self.counts[contig] += 1
        if not misplaced:
            return None
        found = f"found it after {before[0]}:{before[1]}"
        advice = "sort it: bcftools sort -Oz, then bcftools index"
        return f"expected records in the order of their positions, {found}; {advice}"

    def _misfits(self, fields: Sequence[str], pos: int) -> Iterator[str]:
        ref = fields[3].upper()
        if message := _reference_misfit(fields[0], pos, ref, self._contigs[fields[0]], self._bases):
            yield message
        if message := _genotype_misfit(fields[FIRST_SAMPLE:], self._people):
            yield message


def _reference_misfit(contig: str, pos: int, ref: str, length: int, bases: Bases | None) -> str | None:
    """Return what is wrong with a record's REF, or None."""
    found = f"found {ref}; is the panel of another assembly?"
    if pos - 1 + len(ref) > length:
        return f"expected REF within the {length} bases of {contig}, {found}"
    own = bases(contig, pos - 1, pos - 1 + len(ref)).upper() if bases else ref
    if any(a != b and {a, b} <= _BASES for a, b in zip(ref, own, strict=True)):
        return f"expected the reference's {own} as REF, {found}"
    return None


def _genotype_misfit(columns: Sequence[str], people: Sequence[str]) -> str | None:
    """Return what is wrong with the first genotype that is not phased, or missing; None if there is none."""
    wrong = {column for column in set(columns) if not _PHASED.fullmatch(column.partition(":")[0])}
    for name, column in zip(people, columns, strict=True) if wrong else ():
        if column in wrong:
            genotype = column.partition(":")[0]
            expected = "expected phased genotypes without missing alleles, such as 0|1"
            return f"{expected}, found {genotype} of {name}; phase the panel first"
    return None
