"""Alignments from the hits of reads, column by column: one for each primary and each supplementary hit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, compress
from operator import attrgetter, sub
from typing import NamedTuple

import pysam
from alignment_hit import AlignmentHit, Hit
from cigars import Cigar, Cigars, make_cigar
from differences import Differences, compare
from hit_tags import Place, alignment_tags, tags_of_places
from read_columns import on_reference_strand
from reference_bases import ReferenceBases

_FIELDS = attrgetter(
    "contig", "ref_start", "ref_end", "query_start", "query_end", "reverse", "mapq", "is_supplementary", "mlen"
)
_IS_PART = attrgetter("is_supplementary")
_UNMAPPED, _SUPPLEMENTARY = pysam.FUNMAP, pysam.FSUPPLEMENTARY
_STRAND_FLAGS = (0, pysam.FREVERSE)

_NOWHERE = [AlignmentHit()]


class Rows(NamedTuple):
    """Alignments, column by column.

    Attributes:
        reads: The number of the read of each.
        firsts: For each read, the row of its primary alignment.
        sequences: The number of the reference's sequence, -1 for none.
        starts: The leftmost position, from 0, -1 for none.
        ends: The position behind the rightmost.
        reverses: The read is reversed.
        qualities: The mapping quality.
        hits: The hit.
        flags: The flag, without what is said of the pair.
        cigars: The CIGAR.
        tags: NM, MD, AS, XS, SA and XA.
    """

    reads: Sequence[int]
    firsts: Sequence[int]
    sequences: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    reverses: Sequence[bool]
    qualities: Sequence[int]
    hits: Sequence[Hit]
    flags: Sequence[int]
    cigars: Sequence[Cigar]
    tags: Sequence[bytes]


class HitRows:
    """A maker of the alignments of batches over one reference.

    Args:
        reference: The bases of the reference.
    """

    def __init__(self, reference: ReferenceBases) -> None:
        self._reference = reference
        self._numbers: dict[str | None, int] = {None: -1}
        self._numbers.update(reference.numbers)
        self._cigars = Cigars()
        self._whole = _WholeCigars()
        self._equal = _EqualTags()

    def make(self, bases: Sequence[bytes], hits: Sequence[Sequence[Hit]]) -> Rows:
        """Return the alignments of a batch, those of a read together, its primary one first.

        Args:
            bases: The bases of each read.
            hits: Its hits, in minibwa's order.
        """
        shown = [found if len(found) == 1 else _shown(found) for found in hits]
        reads = [read for read, records in enumerate(shown) for _ in records]
        firsts = list(accumulate(map(len, shown), initial=0))[:-1]
        rows = list(chain.from_iterable(shown))
        columns = zip(*map(_FIELDS, rows), strict=True)
        contigs, starts, ends, read_starts, read_ends, reverses, qualities, parts, matches = columns
        spans = list(map(sub, ends, starts))
        read_spans = map(sub, read_ends, read_starts)
        equal = [
            span if match == span == read_span else 0
            for match, span, read_span in zip(matches, spans, read_spans, strict=True)
        ]
        sequences = list(map(self._numbers.__getitem__, contigs))
        lengths, whole = list(map(len, bases)), self._whole
        cigars = [
            whole[length] if length == lengths[read] else self._cigar(hit, lengths[read])
            for hit, length, read in zip(rows, equal, reads, strict=True)
        ]
        flags = list(map(_STRAND_FLAGS.__getitem__, reverses))
        for row in compress(range(len(rows)), parts):
            flags[row] |= _SUPPLEMENTARY
        if -1 in sequences:
            flags = [_UNMAPPED if number < 0 else flag for number, flag in zip(sequences, flags, strict=True)]
        tags = self._tags(bases, hits, firsts, equal)
        return Rows(reads, firsts, sequences, starts, ends, reverses, qualities, rows, flags, cigars, tags)

    def _cigar(self, hit: Hit, length: int) -> Cigar:
        """Return the CIGAR of a hit of a read of so many bases."""
        before, behind = hit.query_start, length - hit.query_end
        return self._cigars[(hit.cigar_string, behind, before) if hit.reverse else (hit.cigar_string, before, behind)]

    def _tags(
        self, bases: Sequence[bytes], hits: Sequence[Sequence[Hit]], firsts: Sequence[int], equal: Sequence[int]
    ) -> list[bytes]:
        """Return the tags of each alignment; `equal` has the length of those without differences, 0 for the others."""
        tags = []
        for read, (found, row) in enumerate(zip(hits, firsts, strict=True)):
            if not found:
                tags.append(b"")
            elif len(found) > 1:
                tags += tags_of_places([self._place(hit, bases[read]) for hit in sorted(found, key=_IS_PART)])
            elif equal[row]:
                tags.append(self._equal[equal[row]])
            else:
                tags.append(alignment_tags(self._differences(found[0], bases[read]), 0))
        return tags

    def _differences(self, hit: Hit, bases: bytes) -> Differences:
        start, end = hit.query_start, hit.query_end
        if hit.reverse:
            start, end = len(bases) - end, len(bases) - start
        others = self._reference.between(hit.contig, hit.ref_start, hit.ref_end)
        return compare(on_reference_strand(bases, hit.reverse)[start:end], others, hit.cigar)

    def _place(self, hit: Hit, bases: bytes) -> Place:
        start, end = hit.query_start, hit.query_end
        return Place(
            contig=str(hit.contig),
            start=hit.ref_start,
            reverse=hit.reverse,
            quality=hit.mapq,
            cigar=self._cigar(hit, len(bases)).text,
            read_start=start,
            read_end=end,
            secondary=hit.is_secondary,
            differences=self._differences(hit, bases),
        )


class _WholeCigars(dict[int, Cigar]):
    """The CIGARs of reads that are aligned from end to end without gaps, by their length."""

    def __missing__(self, length: int) -> Cigar:
        cigar = self[length] = make_cigar(f"{length}M", 0, 0)
        return cigar


class _EqualTags(dict[int, bytes]):
    """The tags of alignments without differences, by their length."""

    def __missing__(self, length: int) -> bytes:
        tags = alignment_tags(Differences(0, b"%d" % length, length), 0)
        self[length] = tags
        return tags


def _shown(found: Sequence[Hit]) -> Sequence[Hit]:
    """Return the hits of a read that become records: the primary one, then the supplementary ones."""
    if not found:
        return _NOWHERE
    return sorted([hit for hit in found if not hit.is_secondary], key=_IS_PART)
