"""A sample's lanes as batches of reads, with their read groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pysam
from fastq import BadReads, Records, read

BATCH_BASES = 4_000_000  # fixed: bwa estimates insert sizes batch by batch, whatever the number of threads
FLOWCELL_FIELD, ILLUMINA_FIELDS = 2, 7  # instrument:run:flowcell:lane:tile:x:y

Batch = list[pysam.FastxRecord]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane, opened.

    Attributes:
        read_group: Its @RG line, as a dictionary.
        paired: Mates follow each other in its batches.
        files: One or two FASTQ files.
    """

    read_group: dict[str, str]
    paired: bool
    files: tuple[str, ...]

    def batches(self) -> Iterator[Batch]:
        """Its reads, in order, in lists of about `BATCH_BASES` bases.

        Raises:
            BadReads: for reads that cannot be used.
        """
        batch: Batch = []
        bases = 0
        for record in self._records():
            batch.append(record)
            bases += len(record.sequence or "")
            if bases >= BATCH_BASES and (not self.paired or len(batch) % 2 == 0):
                yield batch
                batch, bases = [], 0
        if batch:
            yield batch

    def _records(self) -> Records:
        if len(self.files) == 2:
            return _mates(*self.files)
        records = read(self.files[0])
        return _interleaved(records, self.files[0]) if self.paired else records


def open_lanes(sample: str, lanes: list[dict[str, Any]], layout: str) -> list[Lane]:
    """The lanes of a task.

    Raises:
        BadReads: if the first reads of one cannot be read.
    """
    return [_lane(sample, lane, layout) for lane in lanes]


def _lane(sample: str, lane: dict[str, Any], layout: str) -> Lane:
    files = tuple(file for file in (lane["fastq_1"], lane["fastq_2"]) if file)
    names = [record.name for record in islice(read(files[0]), 2)]
    paired = len(files) == 2 or layout == "interleaved" or (layout == "auto" and len(set(names)) < len(names))
    fields = str(names[0]).split(":")
    flowcell = fields[FLOWCELL_FIELD] if len(fields) >= ILLUMINA_FIELDS else None
    unit = ".".join(filter(None, (flowcell, lane["lane"])))
    identity = ".".join(filter(None, (flowcell, sample, lane["lane"])))
    group = {"ID": identity, "SM": sample, "LB": sample, "PU": unit, "PL": "ILLUMINA"}
    return Lane(group, paired, files)


def _mates(first: str, second: str) -> Records:
    """Reads of two files, turn about."""
    mates = read(second)
    number = 0
    for number, record in enumerate(read(first), 1):
        mate = next(mates, None)
        if mate is None:
            raise BadReads(f"{second}: record {number}: expected the mate of {record.name}, found the end of the file")
        if mate.name != record.name:
            raise BadReads(f"{second}: record {number}: expected the mate of {record.name}, found {mate.name}")
        yield record
        yield mate
    if (extra := next(mates, None)) is not None:
        raise BadReads(f"{first}: record {number + 1}: expected the mate of {extra.name}, found the end of the file")


def _interleaved(records: Records, file: str) -> Records:
    """Reads of one file whose mates follow each other."""
    number = 0
    for number, record in enumerate(records, 1):
        if number % 2:
            first = record
        elif record.name != first.name:
            raise BadReads(f"{file}: record {number}: expected the mate of {first.name}, found {record.name}")
        yield record
    if number % 2:
        raise BadReads(f"{file}: record {number + 1}: expected the mate of {first.name}, found the end of the file")
