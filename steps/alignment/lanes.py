"""A sample's lanes: their read groups, and their reads in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from common.program import BadInput
from fastq import FastqFile, line_count, parse_records, read_name

# Constant, since bwa estimates fragment sizes for each batch, and results must not depend on the number of cores.
BATCH_READS = 1000
FLOWCELL_FIELD, ILLUMINA_FIELDS = 2, 7  # instrument:run:flowcell:lane:tile:x:y


class Lane(NamedTuple):
    """A lane of a sample.

    Attributes:
        read_group: Its @RG line, as a dictionary.
        paired: Its reads are mates, in two files or interleaved in one.
        files: One or two FASTQ files, open.
    """

    read_group: dict[str, str]
    paired: bool
    files: tuple[FastqFile, ...]

    def batches(self, number: int) -> Iterator[Batch]:
        """Yield the lane's reads as text, in order.

        Args:
            number: The lane's number in its sample.

        Raises:
            BadInput: for reads that cannot be used.
        """
        records = BATCH_READS // len(self.files)
        while True:
            first = self.files[0].records + 1
            texts = tuple(file.take(records) for file in self.files)
            if len({file.lines for file in self.files}) > 1:
                raise _unequal(self.files, texts, first)
            if not texts[0]:
                return
            yield Batch(number, first, texts)


class Batch(NamedTuple):
    """Consecutive reads of a lane, as text.

    Attributes:
        lane: The lane's number in its sample.
        first: Number of the first record in each file, from 1.
        texts: One for each file.
    """

    lane: int
    first: int
    texts: tuple[bytes, ...]


def open_lanes(sample: str, lanes: list[dict[str, Any]], layout: str) -> list[Lane]:
    """Open the lanes of a task.

    Raises:
        BadInput: if the first reads of a lane cannot be read.
    """
    return [_lane(sample, lane, layout) for lane in lanes]


def _lane(sample: str, lane: dict[str, Any], layout: str) -> Lane:
    files = tuple(FastqFile(path) for path in (lane["fastq_1"], lane["fastq_2"]) if path)
    names = [name.decode("latin-1") for name in parse_records(files[0].peek(2), files[0].path, 1).names]
    paired = len(files) == 2 or layout == "interleaved" or (layout == "auto" and len(set(names)) < len(names))
    fields = names[0].split(":")
    flowcell = fields[FLOWCELL_FIELD] if len(fields) >= ILLUMINA_FIELDS else None
    unit = ".".join(filter(None, (flowcell, lane["lane"])))
    identity = ".".join(filter(None, (flowcell, sample, lane["lane"])))
    group = {"ID": identity, "SM": sample, "LB": sample, "PU": unit, "PL": "ILLUMINA"}
    return Lane(group, paired, files)


def _unequal(files: Sequence[FastqFile], texts: Sequence[bytes], first: int) -> BadInput:
    """Return the error for files of unequal length."""
    lines = [text.split(b"\n") for text in texts]
    short, long = (0, 1) if line_count(texts[0]) < line_count(texts[1]) else (1, 0)
    place = line_count(texts[short]) // 4
    name = read_name(lines[long][4 * place]).decode("latin-1")
    message = f"record {first + place}: expected the mate of {name}, found the end of the file"
    return BadInput(f"{files[short].path}: {message}")
