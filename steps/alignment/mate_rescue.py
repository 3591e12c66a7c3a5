"""The rescue of mates: a part of a read that minibwa aligns nowhere is looked for beside its mate.

As in bwa mem (mem_matesw in bwamem_pair.c), a local alignment is accepted from a score of 19, where minibwa asks for
30; else 0.3 % of the pairs of a human sample would not be properly paired. Alignments with gaps are not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alignment_hit import AlignmentHit, Hit
from differences import MISMATCH
from insert_size import InsertSize
from read_columns import on_reference_strand
from reference_bases import ReferenceBases

LEAST_SCORE = 19  # bwa's min_seed_len
RUN, STEP = 8, 3  # bases of the read that are looked for, and the step to the next: a run of 10 is always found
_EQUAL = re.compile(rb"\0+")  # see `_differing`
QUALITY_OF_BASE, HIGHEST_QUALITY = 6.02, 60  # raw_mapq


class _Segment(NamedTuple):
    """A part of a read that is aligned without gaps: its score, its first base, the base behind it, and its place."""

    score: int
    start: int
    end: int
    place: int


def rescue_mates(
    hits: list[Sequence[Hit]], bases: Sequence[bytes], size: InsertSize, reference: ReferenceBases
) -> None:
    """Add a hit to reads that are aligned nowhere, if a part of them is found beside their mates.

    Args:
        hits: The hits of each read; mates follow each other.
        bases: The bases of each read.
        size: The sizes of fragments.
        reference: The bases of the reference.
    """
    for first in range(0, len(hits), 2):
        if bool(hits[first]) == bool(hits[first + 1]):
            continue
        read = first if hits[first] else first + 1
        anchor = next(hit for hit in hits[read] if not (hit.is_secondary or hit.is_supplementary))
        if mate := _find_mate(anchor, bases[read ^ 1], size, reference):
            hits[read ^ 1] = [mate]


def _find_mate(anchor: Hit, bases: bytes, size: InsertSize, reference: ReferenceBases) -> AlignmentHit | None:
    reverse, length = not anchor.reverse, len(bases)
    text = on_reference_strand(bases, reverse)
    if reverse:
        start, end = anchor.ref_start + size.low - length, anchor.ref_start + size.high
    else:
        start, end = anchor.ref_end - size.high, anchor.ref_end - size.low + length
    start, end = max(0, start), min(end, reference.length(anchor.contig))
    segments = (
        sorted(_segments(text, reference.between(anchor.contig, start, end)), reverse=True) if start < end else []
    )
    if not segments or segments[0].score < LEAST_SCORE:
        return None
    score, first, last, place = segments[0]
    begin = start + place
    distance = begin + last - first - anchor.ref_start if reverse else anchor.ref_end - begin
    if not size.low <= distance <= size.high:
        return None
    next_score = segments[1].score if len(segments) > 1 else 0
    quality = min(HIGHEST_QUALITY, anchor.mapq, int(QUALITY_OF_BASE * (score - next_score) + 0.499))
    return AlignmentHit(
        contig=anchor.contig,
        ref_start=begin,
        ref_end=begin + last - first,
        query_start=length - last if reverse else first,
        query_end=length - first if reverse else last,
        reverse=reverse,
        mapq=quality,
        cigar_string=f"{last - first}M",
        cigar=(("M", last - first),),
        mlen=0,  # it is compared with the reference anyway
    )


def _segments(text: bytes, window: bytes) -> Iterator[_Segment]:
    """Yield the best segment of each shift of the read at which it has a run of equal bases with the window."""
    shifts = set()
    for start in range(0, len(text) - RUN + 1, STEP):
        run, place = text[start : start + RUN], -1
        while (place := window.find(run, place + 1)) >= 0:
            shifts.add(place - start)
    for shift in shifts:
        first = max(0, -shift)
        others = window[first + shift : len(text) + shift]
        score, start, end = _best_part(text[first : first + len(others)], others)
        yield _Segment(score, first + start, first + end, first + start + shift)


def _best_part(bases: bytes, others: bytes) -> tuple[int, int, int]:
    """Return the score, the first place and the place behind the last of the best part of two texts."""
    highest, first, last = 0, 0, 0
    score = begin = place = 0
    for equal in _EQUAL.finditer(_differing(bases, others)):  # most bases are not
        start, end = equal.span()
        score += MISMATCH * (start - place)
        if score <= 0:
            score, begin = 0, start
        score += end - start
        if score > highest:
            highest, first, last = score, begin, end
        place = end
    return highest, first, last


def _differing(bases: bytes, others: bytes) -> bytes:
    """Return a NUL for each base that is equal in both texts, of equal length, and other bytes for the rest."""
    different = int.from_bytes(bases.replace(b"N", b"n")) ^ int.from_bytes(others)
    return different.to_bytes(len(bases))
