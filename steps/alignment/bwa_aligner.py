"""bwa mem, in the library of pybwa's wheel, as an aligner of batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from alignments import bam_records, end_tags, flags
from bwa import Bwa
from fastq import Reads
from lanes import Lane
from metrics import Counts
from pairs import parse_limits, set_pair_flags
from queries import Queries


class BwaAligner:
    """bwa mem over one reference, made before forks, which share its index.

    Args:
        reference: A FASTA file with bwa's indexes.
        lanes: Not used.
        heads: Not used: bwa estimates fragment sizes from each batch.

    Raises:
        BwaFailed: if bwa cannot be used.
    """

    command: ClassVar[tuple[str, ...]] = ("bwa", "mem", "-Y")  # soft clips: see `bwa_layout`
    wheel: ClassVar[str] = "pybwa"
    head_reads: ClassVar[int] = 0
    index_files: ClassVar[tuple[str, ...]] = ("bwt", "sa", "pac")
    writes_mates: ClassVar[bool] = False

    def __init__(self, reference: str, lanes: Sequence[Lane], heads: Sequence[Sequence[bytes]]) -> None:
        self._bwa = Bwa(reference)

    def align(
        self, files: Sequence[Reads], fields: Sequence[bytes], lane: Lane, number: int, reads_before: int
    ) -> tuple[bytes, Counts]:
        """Align a batch: see `Aligner`."""
        queries = Queries(files, fields)
        reads, printed = self._bwa.align(queries, lane.paired, reads_before)
        if lane.paired:
            set_pair_flags(reads, parse_limits(printed))
        if fields[0].count(b"\0") > 1:
            end_tags(reads)
        records, counts = bam_records(reads), Counts.from_flags(flags(reads))
        self._bwa.free(queries)
        return records, counts
