"""Bases of a contig that are known, and why others are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from called_variants import CalledVariant
    from common.bed import Region
    from pileup import Column


class Reason(StrEnum):
    """The reason why a base is unknown, as in column 4 of the file of masked regions."""

    LOW_DEPTH = "low_depth"
    MIXED = "mixed"
    FILTERED = "filtered"
    OUTSIDE = "outside_regions"


CODES: tuple[Reason | None, ...] = (None, *Reason)  # None: known


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule by which an allele is taken into the sequence.

    Attributes:
        min_depth: The fewest reads over a position.
        min_fraction: The least share of them that has the allele.
    """

    min_depth: int
    min_fraction: float

    def reason(self, reads: int, depth: int) -> Reason | None:
        """Return why an allele is not taken; None if it is.

        Args:
            reads: The reads that have it.
            depth: All reads.

        >>> rule = Rule(min_depth=10, min_fraction=0.75)
        >>> rule.reason(9, 9), rule.reason(7, 10), rule.reason(9, 12)
        (<Reason.LOW_DEPTH: 'low_depth'>, <Reason.MIXED: 'mixed'>, None)
        """
        if depth < self.min_depth:
            return Reason.LOW_DEPTH
        return Reason.MIXED if reads < self.min_fraction * depth else None


class Span(NamedTuple):
    """Bases [start, end) of a contig, counted from 0, that are unknown for the same reason."""

    start: int
    end: int
    reason: str


class KnownBases:
    """One code for each base of a contig; all are of too low a depth at first.

    Args:
        length: The length of the contig.
    """

    def __init__(self, length: int) -> None:
        self._codes = bytearray([CODES.index(Reason.LOW_DEPTH)]) * length

    def read_columns(self, columns: Iterable[Column], rule: Rule) -> None:
        """Take the reference's base wherever the reads decide for it."""
        for column in columns:
            self._codes[column.position] = CODES.index(rule.reason(column.like_reference, column.depth))

    def leave(self, regions: Sequence[Region]) -> None:
        """Leave only the bases in sorted regions known: variants were not called elsewhere."""
        end = 0
        for region in regions:
            if region.start > end:
                self._set(end, region.start, Reason.OUTSIDE)
            end = max(end, region.end)
        self._set(end, len(self._codes), Reason.OUTSIDE)

    def judge_variants(self, variants: Sequence[CalledVariant]) -> None:
        """Take the variants without a reason against it, as a whole; what others change is unknown.

        Their own reads decide, which the caller aligned anew around indels. An insertion that is not taken leaves the
        base before it unknown.
        """
        for one in variants:
            if one.reason is not None:
                self._set(one.first_changed, one.end, one.reason)
        for one in variants:
            if one.reason is None:
                self._set(one.start, one.end, None)

    def unknown(self) -> Iterator[Span]:
        """Yield the unknown spans in order, of one reason each."""
        for run in re.finditer(rb"([^\x00])\1*", self._codes, re.DOTALL):
            yield Span(run.start(), run.end(), str(CODES[run[1][0]]))

    def _set(self, start: int, end: int, reason: Reason | None) -> None:
        self._codes[start:end] = bytes([CODES.index(reason)]) * (end - start)
