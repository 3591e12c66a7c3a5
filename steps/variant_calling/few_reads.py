"""Indels that fewer reads show than a sample's own calls ask for, as evidence at sites that others of its cohort have.

An indel that a child inherited may be in one of its reads. In the gVCF of a sample that is called with two reads for an
indel, the place would be one at which all reads have the reference, even those that end within a repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple

import pysam
from calling_units import Span
from common.alignment_header import open_alignments
from common.bgzf_parts import split_header
from usual_depth import LEFT_OUT

INDEL, FEW = "INDEL;", "FEW;"  # at the start of INFO
FEW_HEADER = (
    '##INFO=<ID=FEW,Number=0,Type=Flag,Description="Indel of fewer reads than min_indel_reads: '
    'evidence at a site that other samples have, which makes no site">\n'
)
MOVES = {pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF, pysam.CDEL, pysam.CREF_SKIP}  # along the reference


class Gap(NamedTuple):
    """An insertion or deletion: the base before it, counted from 0, and its length, negative for a deletion."""

    position: int
    bases: int


def places_of_few(path: str, reference: str, bed: Path, parameters: Mapping[str, Any]) -> list[Span]:
    """Return the bases before indels that are shown by fewer than `min_indel_reads`, but `min_cohort_indel_reads`.

    As mpileup does, reads are counted for each length of an indel. A place at which one length has enough reads is left
    out.

    Args:
        path: A BAM or CRAM file with its index.
        reference: The FASTA file.
        bed: Where to look.
        parameters: The step's parameters.
    """
    least, enough = parameters["min_cohort_indel_reads"], parameters["min_indel_reads"]
    if least >= enough:
        return []
    found = []
    with open_alignments(path, reference) as alignments, bed.open() as lines:
        for contig, *ends in map(str.split, lines):
            start, end = map(int, ends)
            reads = (read for read in alignments.fetch(contig, start, end) if counts(read, parameters))
            shown = Counter(gap for read in reads for gap in gaps(read) if start <= gap.position < end)
            most: dict[int, int] = {}
            for gap, number in shown.items():
                most[gap.position] = max(most.get(gap.position, 0), number)
            places = sorted(position for position, number in most.items() if least <= number < enough)
            found += [Span(contig, position, position + 1) for position in places]
    return found


def counts(read: pysam.AlignedSegment, parameters: Mapping[str, Any]) -> bool:
    """Return whether mpileup takes a read."""
    is_orphan = read.is_paired and not read.is_proper_pair
    is_left_out = read.flag & LEFT_OUT or read.mapping_quality < parameters["min_mapq"]
    return not is_left_out and (parameters["count_orphans"] or not is_orphan)


def gaps(read: pysam.AlignedSegment) -> Iterator[Gap]:
    """Yield the indels of a read."""
    operations = read.cigartuples or []
    if len(operations) < 3:  # bases on both sides of a gap
        return
    position = read.reference_start
    for operation, length in operations:
        if operation in (pysam.CINS, pysam.CDEL):
            yield Gap(position - 1, length if operation == pysam.CINS else -length)
        if operation in MOVES:
            position += length


def few_lines(pileup: Path, least: float) -> list[str]:
    """Return the records of indels with enough evidence against the reference, with the flag.

    A read of many that shows an indel is more often an error than one of a few that span a repeat, and of the latter
    blocks know nothing: there, all reads have the reference.

    Args:
        pileup: mpileup's records at the places of indels.
        least: How unlikely the reference must be, Phred-scaled.
    """
    found = []
    with pileup.open() as lines:
        _, records = split_header(lines)
        for line in records:
            *columns, info, keys, values = line.split("\t")
            if info.startswith(INDEL) and int(values.partition(",")[0]) >= least:
                found.append("\t".join([*columns, info.replace(INDEL, INDEL + FEW, 1), keys, values]))
    return found


def is_of_few(info: str) -> bool:
    """Return whether the INFO column of a record is that of an indel of few reads."""
    return info.startswith(INDEL + FEW)


def with_few(lines: Iterable[str], few: Sequence[str], contigs: Iterable[str]) -> Iterable[str]:
    """Return mpileup's records with those of few reads, in order, at each position as the last ones.

    Args:
        lines: mpileup's records.
        few: Records of few reads.
        contigs: The contigs, in the reference's order.
    """
    if not few:
        return lines
    rank = {name: number for number, name in enumerate(contigs)}

    def place(line: str) -> tuple[int, int]:
        contig, pos, _ = line.split("\t", 2)
        return rank[contig], int(pos)

    return merge(lines, few, key=place)
