"""BAM records from alignments, as `bwa mem -Y | samtools fixmate -m` writes them.

They have the tags NM, MD, AS, XS, SA, XA and RG, and for mates MQ, MC, ms and the mate's place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from struct import pack
from typing import Any, NamedTuple

import pysam
from bam_records import Columns, bam_bytes
from hit_rows import Rows
from insert_size import InsertSize
from read_columns import mate_scores, packed_bases, phred_scores

_Chooser = Callable[[Sequence[Any]], Sequence[Any]]
_PAIR = (pysam.FPAIRED | pysam.FREAD1, pysam.FPAIRED | pysam.FREAD2)
_PROPER_PAIR = tuple(flags | pysam.FPROPER_PAIR for flags in _PAIR)
_MATE_STRAND_FLAGS = (0, pysam.FMREVERSE)
_MATE_QUALITY = [b"MQi" + pack("<i", quality) for quality in range(256)]


class ReadBatch(NamedTuple):
    """Reads; mates follow each other.

    Attributes:
        names: Their names.
        bases: Their bases: A, C, G, T and N.
        qualities: Their qualities, as text.
        paired: They are mates.
        fields: The tags of each read; one element if all have the same.
        size: The sizes of their fragments; None where minibwa decides which pairs are proper.
    """

    names: Sequence[bytes]
    bases: Sequence[bytes]
    qualities: Sequence[bytes]
    paired: bool
    fields: Sequence[bytes]
    size: InsertSize | None


class _MateColumns(NamedTuple):
    """The fields that depend on mates: see `Columns`."""

    sequences: Sequence[int]
    positions: Sequence[int]
    flags: Sequence[int]
    mate_sequences: Sequence[int]
    mate_positions: Sequence[int]
    template_lengths: Sequence[int]
    tags: tuple[Sequence[bytes], ...]


def hit_records(batch: ReadBatch, rows: Rows) -> tuple[bytes, list[int]]:
    """Return the records of a batch, and the flags of its reads' primary alignments."""
    mates = _mates(batch, rows) if batch.paired else _no_mates(rows)
    of_reads = _chooser(rows.reads)
    bases = of_reads(batch.bases)
    fields = of_reads(batch.fields) if len(batch.fields) > 1 else [batch.fields[0]] * len(bases)
    parts = (
        [name + b"\0" for name in of_reads(batch.names)],
        [cigar.packed for cigar in rows.cigars],
        packed_bases(bases, rows.reverses),
        phred_scores(of_reads(batch.qualities), rows.reverses),
        rows.tags,
        fields,
        *mates.tags,
        *([tags] if any(tags := [cigar.tag for cigar in rows.cigars]) else []),
    )
    columns = Columns(
        sequences=mates.sequences,
        positions=mates.positions,
        ends=rows.ends,
        qualities=rows.qualities,
        flags=mates.flags,
        cigar_lengths=[cigar.operations for cigar in rows.cigars],
        mate_sequences=mates.mate_sequences,
        mate_positions=mates.mate_positions,
        template_lengths=mates.template_lengths,
        lengths=list(map(len, bases)),
        parts=parts,
    )
    return bam_bytes(columns), [mates.flags[row] for row in rows.firsts]


def _chooser(places: Sequence[int]) -> _Chooser:
    """Return a function that returns the values at these places of a column."""
    return itemgetter(*places) if len(places) > 1 else lambda column: [column[place] for place in places]


def _no_mates(rows: Rows) -> _MateColumns:
    count = len(rows.reads)
    none, zero = [-1] * count, [0] * count
    return _MateColumns(rows.sequences, rows.starts, rows.flags, none, none, zero, ())


def _mates(batch: ReadBatch, rows: Rows) -> _MateColumns:
    """Return what each record says of its mate's primary alignment, beside which an unaligned read is placed."""
    others = [0] * len(rows.firsts)
    others[::2], others[1::2] = rows.firsts[1::2], rows.firsts[::2]
    mates = _chooser(rows.reads)(others)
    of_mates = _chooser(mates)
    unaligned = [row for row, sequence in enumerate(rows.sequences) if sequence < 0]
    sequences, positions = list(rows.sequences), list(rows.starts)
    mate_flags = list(map(_MATE_STRAND_FLAGS.__getitem__, rows.reverses))
    for row in unaligned:
        sequences[row], positions[row] = rows.sequences[mates[row]], rows.starts[mates[row]]
        mate_flags[row] = pysam.FMUNMAP
    lengths = _template_lengths(rows, of_mates)
    pairs = _pair_flags(rows, lengths, batch.size)
    columns = rows.flags, of_mates(mate_flags), _chooser(rows.reads)(pairs)
    flags = [flag | mate | pair for flag, mate, pair in zip(*columns, strict=True)]
    return _MateColumns(
        sequences=sequences,
        positions=positions,
        flags=flags,
        mate_sequences=of_mates(sequences),
        mate_positions=of_mates(positions),
        template_lengths=lengths,
        tags=_mate_tags(batch, rows, mates, unaligned),
    )


def _template_lengths(rows: Rows, of_mates: _Chooser) -> list[int]:
    """Return the distances from the 5' end of each record to that of its mate, as `samtools fixmate` counts them."""
    begins = [
        end if reverse else start for start, end, reverse in zip(rows.starts, rows.ends, rows.reverses, strict=True)
    ]
    sequences = rows.sequences
    columns = begins, of_mates(begins), sequences, of_mates(sequences)
    return [
        mate_begin - begin if sequence == mate_sequence and sequence >= 0 else 0
        for begin, mate_begin, sequence, mate_sequence in zip(*columns, strict=True)
    ]


def _pair_flags(rows: Rows, lengths: Sequence[int], size: InsertSize | None) -> list[int]:
    """Return the flags of each read that say which of a pair it is, and whether the pair is a proper one.

    Primary alignments that face each other at a usual distance are a proper pair, as bwa has it.

    Args:
        rows: The alignments.
        lengths: Their template lengths.
        size: The sizes of fragments; None for the pairs that minibwa takes for proper ones.
    """
    flags: list[int] = []
    split, whole = (size.proper, size.preferred) if size else (range(0), range(0))
    ends = [*rows.firsts[2::2], len(rows.reads)]
    for first, second, end in zip(rows.firsts[::2], rows.firsts[1::2], ends, strict=True):
        if size is None:
            proper = rows.hits[first].proper_pair and rows.hits[second].proper_pair
        else:
            reverse = rows.reverses[first]
            distance = -lengths[first] if reverse else lengths[first]
            sizes = whole if end - first == 2 else split
            proper = reverse != rows.reverses[second] and distance in sizes
        flags += _PROPER_PAIR if proper else _PAIR
    return flags


def _mate_tags(
    batch: ReadBatch, rows: Rows, mates: Sequence[int], unaligned: Sequence[int]
) -> tuple[Sequence[bytes], ...]:
    """Return MQ, MC and ms; MC is left out where neither of two mates is aligned, MQ where the mate is not.

    Args:
        batch: The reads.
        rows: Their alignments.
        mates: The row of the mate of each.
        unaligned: The rows of reads that are not aligned.
    """
    qualities = list(map(_MATE_QUALITY.__getitem__, rows.qualities))
    cigars = [cigar.mate_tag for cigar in rows.cigars]
    for row in unaligned:
        qualities[row] = b""
    of_mates = _chooser(mates)
    mate_cigars = list(of_mates(cigars))
    nowhere = set(unaligned)
    for row in unaligned:
        if mates[row] in nowhere:
            mate_cigars[row] = b""
    scores = [b"msi" + score.to_bytes(4, "little") for score in mate_scores(batch.qualities)]
    scores[::2], scores[1::2] = scores[1::2], scores[::2]
    return of_mates(qualities), mate_cigars, _chooser(rows.reads)(scores)
