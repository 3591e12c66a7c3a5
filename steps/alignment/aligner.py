"""The alignment of batches of reads, in process, by one of several programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from fastq import Reads, parse_records
from lanes import Batch, Lane
from mates import refuse_mates, refuse_unmatched_mates
from metrics import Counts
from qualities import Evidence, evidence_of, to_phred33
from read_fields import ReadFields
from subsample import counted_in
from trimmer import Trimmer


class Aligner(Protocol):
    """A program over one reference, made before forks, which share its index.

    Attributes:
        command: The program as it is named in headers and logs, with its options.
        wheel: The Python package that has it.
        head_reads: The number of a lane's first reads that it is given when it is made.
        index_files: The endings of the index files that are in memory.
        writes_mates: Its records hold what `samtools fixmate -m` would add.
    """

    command: ClassVar[tuple[str, ...]]
    wheel: ClassVar[str]
    head_reads: ClassVar[int]
    index_files: ClassVar[tuple[str, ...]]
    writes_mates: ClassVar[bool]

    def __init__(self, reference: str, lanes: Sequence[Lane], heads: Sequence[Sequence[bytes]]) -> None:
        """Load the index.

        Args:
            reference: A FASTA file with the aligner's index beside it.
            lanes: The sample's lanes.
            heads: The text of the first reads of each lane, by file.
        """

    def align(
        self, files: Sequence[Reads], fields: Sequence[bytes], lane: Lane, number: int, reads_before: int
    ) -> tuple[bytes, Counts]:
        """Align a batch, and return its BAM records and counts.

        Args:
            files: The reads of each file.
            fields: The tags of each read, mates in turn; one element if all reads have the same.
            lane: Their lane.
            number: The number of the lane in its sample.
            reads_before: The number of reads before them in the lane.
        """


def aligner_class(name: str) -> type[Aligner]:
    """Return the class of an aligner; its module, and the library that it needs, are imported only then."""
    if name == "bwa":
        from bwa_aligner import BwaAligner

        return BwaAligner
    from minibwa_aligner import MinibwaAligner

    return MinibwaAligner


def index_bytes(reference: str, aligner: type[Aligner]) -> int:
    """Return the size of the files of a reference's index that are in memory, without those that are missing."""
    files = (Path(f"{reference}.{ending}") for ending in aligner.index_files)
    return sum(file.stat().st_size for file in files if file.is_file())


class Aligned(NamedTuple):
    """The alignments of a batch.

    Attributes:
        lane: The number of the lane in its sample.
        records: The alignments as BAM records.
        counts: The counts of the reads.
        encoding: What the qualities say about their encoding.
        read_bytes: The bytes of the lane's files that were read so far.
        trimmed: The `cutadapt.report.Statistics` of the reads; None if they were not trimmed.
        left_out_s: See `Batch`.
    """

    lane: int
    records: bytes
    counts: Counts
    encoding: Evidence
    read_bytes: int = 0
    trimmed: Any = None
    left_out_s: float = 0.0


class BatchAligner:
    """The alignment of batches as text.

    Args:
        aligner: The program that aligns.
        lanes: The sample's lanes.
        fields: The tags of their reads.
        trimmer: Trims the reads; None if they are not trimmed.
    """

    def __init__(
        self, aligner: Aligner, lanes: Sequence[Lane], fields: ReadFields, trimmer: Trimmer | None = None
    ) -> None:
        self._aligner = aligner
        self._lanes = lanes
        self._fields = fields
        self._trimmer = trimmer

    def align(self, batch: Batch) -> Aligned:
        """Align a batch.

        Raises:
            BadInput: for the first record that is damaged, or that is no mate where one is expected, or is one where
                none is.
        """
        lane = self._lanes[batch.lane]
        with counted_in(lane.fraction):
            return self._align(batch, lane)._replace(read_bytes=batch.read_bytes, left_out_s=batch.left_out_s)

    def _align(self, batch: Batch, lane: Lane) -> Aligned:
        files = [_parse(text, file.path, batch, lane) for text, file in zip(batch.texts, lane.files, strict=True)]
        if lane.paired:
            refuse_unmatched_mates(files, lane.files[-1].path, batch.first)
        fields = self._fields.of(files, lane, batch.first)
        reads_before = (batch.first - 1) * len(files)
        if self._trimmer is None:
            records, counts = self._aligner.align(files, fields, lane, batch.lane, reads_before)
            return Aligned(batch.lane, records, counts, evidence_of(files))
        trimmed = self._trimmer.trim(files, lane.paired)
        records, counts = b"", Counts()
        if trimmed.kept:
            kept_fields = trimmed.fields(fields)
            records, counts = self._aligner.align(trimmed.mates, kept_fields, lane, batch.lane, reads_before)
        return Aligned(batch.lane, records, counts, evidence_of(files), trimmed=trimmed.statistics)


def _parse(text: bytes, path: str, batch: Batch, lane: Lane) -> Reads:
    """Parse the reads of one file of a batch, with qualities as in Phred+33."""
    reads = parse_records(text, path, batch.first)
    if lane.seems_single:
        refuse_mates(reads, path, batch.first)
    return to_phred33(reads, path, batch.first) if lane.encoding == "phred64" else reads
