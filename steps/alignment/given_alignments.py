"""Reads of a BAM or CRAM file, aligned or not, as lanes of FASTQ text: mates are side by side, read groups are kept.

samtools brings mates together and writes FASTQ text into a pipe, while the reads are aligned. Of pairs, reads whose
mates are missing come last, as a lane of single reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import pysam
from common.alignment_header import open_alignments, refuse_other_contigs
from common.fai import read_contigs
from common.program import BadInput
from fastq_file import NO_READS, FastqFile
from lanes import Lane
from read_groups import given_groups
from read_pipe import Source, conversion, convert, damage_of, split_by_group

FIRST_READS = 1000  # that are looked at before all are read
HARD_CLIP = 5  # in pysam's CIGARs


class GivenFile(NamedTuple):
    """A BAM or CRAM file with the reads of a lane.

    Attributes:
        path: Its path.
        lane: The lane's name.
        library: The library of read groups that name none; None for the sample's name.
    """

    path: str
    lane: str
    library: str | None


def open_given(task: dict[str, Any], given: GivenFile, number: int) -> list[Lane]:
    """Return the lanes of a file: for each read group, its pairs and its single reads, either of which may be missing.

    Args:
        task: The task.
        given: The file.
        number: The number of the lane in its sample.

    Raises:
        BadInput: for a file that cannot be used.
        ForkFailed: if samtools failed.
    """
    reference, folder = task["inputs"]["reference"], Path(task["scratch"]) / f"given-{number}"
    folder.mkdir()
    with open_alignments(given.path, reference) as file:
        header = file.header.to_dict()
        if file.is_cram:  # it holds the differences from its reference only
            refuse_other_contigs(given.path, header, reference, read_contigs(reference))
        first = first_reads(given.path, file, reference)
    groups = given_groups(given.path, header, task["item"]["sample"], given.lane, given.library)
    source = Source(given.path, reference, is_collated(header, first), task["vcpus"])
    paired = any(read.is_paired for read in first)
    sources = [source] if len(groups) == 1 else split_by_group(source, len(groups), folder)
    return [
        lane
        for place, (group, part) in enumerate(zip(groups, sources, strict=True))
        for lane in group_lanes(group, part, paired, folder / str(place), task["parameters"]["subsample"])
    ]


def group_lanes(group: dict[str, str], source: Source, paired: bool, folder: Path, fraction: float = 1) -> list[Lane]:
    """Return the lanes of one read group.

    Args:
        group: The read group.
        source: The file with its reads.
        paired: The first reads of the file are parts of pairs.
        folder: A new folder for temporary files.
        fraction: The fraction of the reads to take.
    """
    folder.mkdir()
    others = folder / "others.fastq"  # reads of the other kind
    commands = (*([source.split] if source.split else []), *conversion(source, paired, others))
    streamed = convert(source, paired, others)
    if not paired:
        streamed = refuse_others(streamed, source.path, others)
    lanes = [_lane(group, paired, source.path, streamed, fraction)]
    if paired:
        lanes.append(_lane(group, False, source.path, pieces_of(others), fraction))
    return [lane._replace(extractions=commands) for lane in lanes]


def _lane(group: dict[str, str], paired: bool, path: str, pieces: Iterator[bytes], fraction: float) -> Lane:
    layout = "interleaved" if paired else "single"
    file = FastqFile(path, pieces, fraction)
    return Lane(group, paired, (file,), layout, "phred33", fraction)  # BAM has no other encoding


def first_reads(path: str, file: pysam.AlignmentFile, reference: str) -> list[pysam.AlignedSegment]:
    """Return the first records of a file.

    Args:
        path: Its path.
        file: The file, open.
        reference: The FASTA file of a CRAM file.

    Raises:
        BadInput: if there are none, or one lacks bases or qualities.
    """
    reads: list[pysam.AlignedSegment] = []
    try:
        reads.extend(islice(file.fetch(until_eof=True), FIRST_READS))
    except OSError:
        raise damage_of(path, reference, len(reads)) from None
    if not reads:
        raise BadInput(f"{path}: {NO_READS}")
    for number, read in enumerate(reads, 1):
        if read.is_secondary or read.is_supplementary:
            continue
        where = f"{path}: record {number}"
        if not read.query_length or read.query_qualities is None:
            missing = "qualities" if read.query_length else "bases"
            raise BadInput(f"{where}: expected a read with {missing}, found {read.query_name} without them")
        if any(operation == HARD_CLIP for operation, _ in read.cigartuples or ()):
            found = f"found {read.query_name} hard-clipped: bases of it were removed"
            raise BadInput(f"{where}: expected whole reads, {found}; give the reads as FASTQ files")
    return reads


def is_collated(header: Mapping[str, Any], first: Sequence[pysam.AlignedSegment]) -> bool:
    """Return whether the records of a read follow each other: the header says so, and the first records do.

    Args:
        header: The header of a file.
        first: The first records.
    """
    line, names = header.get("HD", {}), [read.query_name for read in first]
    said = line.get("SO") == "queryname" or line.get("GO") == "query"
    return said and len(set(names)) == sum(1 for _ in groupby(names))


def pieces_of(text: Path) -> Iterator[bytes]:
    """Yield the content of a file, which is opened when the first piece is asked for."""
    with text.open("rb") as file:
        yield from iter(lambda: file.read(1 << 17), b"")


def refuse_others(streamed: Iterator[bytes], path: str, others: Path) -> Iterator[bytes]:
    """Yield pieces of single reads.

    Args:
        streamed: The pieces.
        path: The file that they are from, for messages.
        others: The file that samtools writes the parts of pairs to.

    Raises:
        BadInput: at the end, if there are pairs, too.
    """
    yield from streamed
    if others.stat().st_size:
        expected = f"expected single reads, as the first {FIRST_READS:,} are, found pairs among them"
        raise BadInput(f"{path}: {expected}; give single reads and pairs in two files, as two lanes")
