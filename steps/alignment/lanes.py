"""A sample's lanes: their read groups, and their reads in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from common.program import BadInput
from fastq import line_count, parse_records, read_name
from fastq_file import FastqFile
from mates import refuse_mate_of
from qualities import refuse_phred64
from subsample import counted_in

# Constant, since bwa estimates fragment sizes for each batch, and results must not depend on the number of cores. With
# batches half as large, a few odd pairs decided about a batch: rates of proper pairs were half a point from bwa's own.
BATCH_READS = 2000
BATCH_BYTES = 8 << 20  # of each file, about: long reads are aligned in smaller batches
FLOWCELL_FIELD, ILLUMINA_FIELDS = 2, 7  # instrument:run:flowcell:lane:tile:x:y


class Extraction(NamedTuple):
    """A command of samtools that takes the reads of a lane from a BAM or CRAM file.

    Attributes:
        command: Its name and arguments.
        messages: The file for what it says.
    """

    command: Sequence[str]
    messages: Path


class Lane(NamedTuple):
    """A lane of a sample.

    Attributes:
        read_group: Its @RG line, as a dictionary.
        paired: Its reads are mates, in two files or interleaved in one.
        files: One or two FASTQ files, open.
        layout: The parameter of the step: what a lane with one file is said to hold.
        encoding: The parameter of the step: the encoding of the qualities.
        fraction: The parameter of the step: the fraction of the reads that the files give.
        extractions: The commands that write its text, in order; none for FASTQ files.
    """

    read_group: dict[str, str]
    paired: bool
    files: tuple[FastqFile, ...]
    layout: str
    encoding: str
    fraction: float = 1
    extractions: tuple[Extraction, ...] = ()

    @property
    def seems_single(self) -> bool:
        """True for single reads that are only taken for single because the first two are no mates."""
        return not self.paired and self.layout == "auto"

    def head(self, reads: int) -> tuple[bytes, ...]:
        """Return the text of about so many of the next reads in each file, without taking them.

        Raises:
            BadInput: for reads that cannot be used.
        """
        if not reads:
            return tuple(b"" for _ in self.files)
        with counted_in(self.fraction):
            records = min(file.available(reads // len(self.files), BATCH_BYTES) for file in self.files)
            return tuple(file.peek(records) for file in self.files)

    def batches(self, number: int) -> Iterator[Batch]:
        """Yield the lane's reads as text, in order.

        Args:
            number: The lane's number in its sample.

        Raises:
            BadInput: for reads that cannot be used.
        """
        with counted_in(self.fraction):
            yield from self._batches(number)

    def _batches(self, number: int) -> Iterator[Batch]:
        last = b""
        while True:
            first = self.files[0].records + 1
            records = min(file.available(BATCH_READS // len(self.files), BATCH_BYTES) for file in self.files)
            records += self.paired and len(self.files) == 1 and records % 2
            texts = tuple(file.take(records) for file in self.files)
            if len({file.lines for file in self.files}) > 1:
                raise _unequal(self.files, texts, first)
            if not texts[0]:
                return
            if self.seems_single:
                refuse_mate_of(last, texts[0].partition(b"\n")[0], self.files[0].path, first)
                last = _last_header(texts[0])
            read_bytes = sum(file.read_bytes for file in self.files)
            yield Batch(number, first, texts, read_bytes, sum(file.left_out_s for file in self.files))


class Batch(NamedTuple):
    """Consecutive reads of a lane, as text.

    Attributes:
        lane: The lane's number in its sample.
        first: Number of the first record in each file, from 1.
        texts: One for each file.
        read_bytes: The bytes of the lane's files that were read so far.
        left_out_s: The processor seconds so far that reads of these files took which are not in the subsample.
    """

    lane: int
    first: int
    texts: tuple[bytes, ...]
    read_bytes: int = 0
    left_out_s: float = 0.0


def open_lanes(
    sample: str, lanes: list[dict[str, Any]], layout: str, encoding: str = "auto", fraction: float = 1
) -> list[Lane]:
    """Open the lanes of a task.

    Args:
        sample: The name of the sample.
        lanes: The lanes: their names and files.
        layout: What a lane with one file holds: auto, single or interleaved.
        encoding: The encoding of the qualities: auto, phred33 or phred64.
        fraction: The fraction of the reads to take.

    Raises:
        BadInput: if the first reads of a lane cannot be read.
    """
    with counted_in(fraction):
        return [_lane(sample, lane, layout, encoding, fraction) for lane in lanes]


def _lane(sample: str, lane: dict[str, Any], layout: str, encoding: str, fraction: float) -> Lane:
    paths = (lane["fastq_1"], lane.get("fastq_2"))
    files = tuple(FastqFile(path, fraction=fraction) for path in paths if path)
    names = [name.decode("latin-1") for name in parse_records(files[0].peek(2), files[0].path, 1).names]
    paired = len(files) == 2 or layout == "interleaved" or (layout == "auto" and len(set(names)) < len(names))
    if encoding == "auto":
        for file in files:
            refuse_phred64(file)
    fields = names[0].split(":")
    flowcell = fields[FLOWCELL_FIELD] if len(fields) >= ILLUMINA_FIELDS else None
    unit = ".".join(filter(None, (flowcell, lane["lane"])))
    identity = ".".join(filter(None, (flowcell, sample, lane["lane"])))
    library = lane.get("library") or sample
    group = {"ID": identity, "SM": sample, "LB": library, "PU": unit, "PL": "ILLUMINA"}
    return Lane(group, paired, files, layout, encoding, fraction)


def _last_header(text: bytes) -> bytes:
    """Return the first line of the last of whole records."""
    place = len(text) - text.endswith(b"\n")
    for _ in range(4):
        end, place = place, text.rfind(b"\n", 0, place)
    return text[place + 1 : text.find(b"\n", place + 1, end)]


def _unequal(files: Sequence[FastqFile], texts: Sequence[bytes], first: int) -> BadInput:
    """Return the error for files of unequal length."""
    lines = [text.split(b"\n") for text in texts]
    short, long = (0, 1) if line_count(texts[0]) < line_count(texts[1]) else (1, 0)
    place = line_count(texts[short]) // 4
    name = read_name(lines[long][4 * place]).decode("latin-1")
    message = f"record {first + place}: expected the mate of {name}, found the end of the file"
    return BadInput(f"{files[short].path}: {message}")
