"""BAM records from alignments, as `bwa mem -Y | samtools fixmate -m` writes them.

They have the tags NM, MD, AS, XS, SA, XA and RG, and for mates MQ, MC, ms and the mate's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import NamedTuple

import pysam
from bam_records import Columns, bam_bytes
from hit_rows import Rows
from insert_size import InsertSize
from read_columns import mate_scores, packed_bases, phred_scores

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
    reads = rows.reads
    bases = [batch.bases[read] for read in reads]
    fields = batch.fields if len(batch.fields) > 1 else [batch.fields[0]] * len(batch.names)
    parts = (
        [batch.names[read] + b"\0" for read in reads],
        [cigar.packed for cigar in rows.cigars],
        packed_bases(bases, rows.reverses),
        phred_scores([batch.qualities[read] for read in reads], rows.reverses),
        rows.tags,
        [fields[read] for read in reads],
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


def _no_mates(rows: Rows) -> _MateColumns:
    count = len(rows.reads)
    none, zero = [-1] * count, [0] * count
    return _MateColumns(rows.sequences, rows.starts, rows.flags, none, none, zero, ())


def _mates(batch: ReadBatch, rows: Rows) -> _MateColumns:
    """Return what each record says of its mate's primary alignment, beside which an unaligned read is placed."""
    mates = [rows.firsts[read ^ 1] for read in rows.reads]
    aligned = [sequence >= 0 for sequence in rows.sequences]
    places = [row if known else mate for row, (known, mate) in enumerate(zip(aligned, mates, strict=True))]
    sequences, positions = ([column[place] for place in places] for column in (rows.sequences, rows.starts))
    lengths = _template_lengths(rows, mates)
    mate_flags = [
        pysam.FMREVERSE * reverse if known else pysam.FMUNMAP
        for known, reverse in zip(aligned, rows.reverses, strict=True)
    ]
    proper = _proper_flags(rows, lengths, batch.size)
    flags = [
        flag | pysam.FPAIRED | pysam.FREAD1 << (read & 1) | mate_flags[mate] | proper[read >> 1]
        for flag, read, mate in zip(rows.flags, rows.reads, mates, strict=True)
    ]
    return _MateColumns(
        sequences=sequences,
        positions=positions,
        flags=flags,
        mate_sequences=[sequences[mate] for mate in mates],
        mate_positions=[positions[mate] for mate in mates],
        template_lengths=lengths,
        tags=_mate_tags(batch, rows, mates, aligned),
    )


def _template_lengths(rows: Rows, mates: Sequence[int]) -> list[int]:
    """Return the distances from the 5' end of each record to that of its mate, as `samtools fixmate` counts them."""
    begins = [
        end if reverse else start for start, end, reverse in zip(rows.starts, rows.ends, rows.reverses, strict=True)
    ]
    sequences = rows.sequences
    return [
        begins[mate] - begins[row] if sequences[row] == sequences[mate] and sequences[row] >= 0 else 0
        for row, mate in enumerate(mates)
    ]


def _proper_flags(rows: Rows, lengths: Sequence[int], size: InsertSize | None) -> list[int]:
    """Return the flag of each pair whose primary alignments face each other at a usual distance, as bwa sets it.

    Args:
        rows: The alignments.
        lengths: Their template lengths.
        size: The sizes of fragments; None for the flags that minibwa gave.
    """
    firsts = zip(rows.firsts[::2], rows.firsts[1::2], strict=True)
    if size is None:
        return [pysam.FPROPER_PAIR * (rows.proper[first] and rows.proper[second]) for first, second in firsts]
    split, whole = size.proper, size.preferred
    ends = [*rows.firsts[2::2], len(rows.reads)]
    flags = []
    for (first, second), end in zip(firsts, ends, strict=True):
        reverse, mate_reverse = rows.reverses[first], rows.reverses[second]
        distance = -lengths[first] if reverse else lengths[first]
        sizes = whole if end - first == 2 else split
        flags.append(pysam.FPROPER_PAIR * (reverse != mate_reverse and distance in sizes))
    return flags


def _mate_tags(
    batch: ReadBatch, rows: Rows, mates: Sequence[int], aligned: Sequence[bool]
) -> tuple[Sequence[bytes], ...]:
    scores = [b"msi" + score.to_bytes(4, "little") for score in mate_scores(batch.qualities)]
    return (
        [_MATE_QUALITY[rows.qualities[mate]] if aligned[mate] else b"" for mate in mates],
        [
            rows.cigars[mate].mate_tag if known or aligned[mate] else b""
            for known, mate in zip(aligned, mates, strict=True)
        ],
        [scores[read ^ 1] for read in rows.reads],
    )
