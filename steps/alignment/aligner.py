"""The alignment of batches of reads by bwa mem, in process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alignments import bam_records, end_tags, flags
from bwa import Bwa
from fastq import Reads, parse_records
from lanes import Batch, Lane
from mates import refuse_mates, refuse_unmatched_mates
from metrics import Counts
from pairs import parse_limits, set_pair_flags
from qualities import Evidence, evidence_of, to_phred33
from queries import Queries
from read_fields import ReadFields


class Aligned(NamedTuple):
    """The alignments of a batch.

    Attributes:
        lane: The number of the lane in its sample.
        records: The alignments as BAM records.
        counts: The counts of the reads.
        encoding: What the qualities say about their encoding.
    """

    lane: int
    records: bytes
    counts: Counts
    encoding: Evidence


class Aligner:
    """bwa mem over one reference, made before forks, which share its index.

    Args:
        reference: A FASTA file with bwa's indexes.
        lanes: The sample's lanes.
        fields: The tags of their reads.

    Raises:
        BwaFailed: if bwa cannot be used.
    """

    def __init__(self, reference: str, lanes: Sequence[Lane], fields: ReadFields) -> None:
        self._bwa = Bwa(reference)
        self._lanes = lanes
        self._fields = fields

    def align(self, batch: Batch) -> Aligned:
        """Align a batch.

        Raises:
            BadInput: for the first record that is damaged, or that is no mate where one is expected, or is one where
                none is.
        """
        lane = self._lanes[batch.lane]
        files = [_parse(text, file.path, batch, lane) for text, file in zip(batch.texts, lane.files, strict=True)]
        if lane.paired:
            refuse_unmatched_mates(files, lane.files[-1].path, batch.first)
        fields = self._fields.of(files, lane, batch.first)
        queries = Queries(files, fields)
        reads, printed = self._bwa.align(queries, lane.paired, (batch.first - 1) * len(files))
        if lane.paired:
            set_pair_flags(reads, parse_limits(printed))
        if fields[0].count(b"\0") > 1:
            end_tags(reads)
        records, counts = bam_records(reads), Counts.from_flags(flags(reads))
        self._bwa.free(queries)
        return Aligned(batch.lane, records, counts, evidence_of(files))


def _parse(text: bytes, path: str, batch: Batch, lane: Lane) -> Reads:
    """Parse the reads of one file of a batch, with qualities as in Phred+33."""
    reads = parse_records(text, path, batch.first)
    if lane.seems_single:
        refuse_mates(reads, path, batch.first)
    return to_phred33(reads, path, batch.first) if lane.encoding == "phred64" else reads
