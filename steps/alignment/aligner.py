"""A batch of reads to SAM lines, by bwa mem in process."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pysam
from bwa import BwaMem, BwaMemOptions, silent
from fastq import BadReads, parse
from lanes import Batch, Lane
from metrics import Counts
from pairs import complete

WHOLE_BATCH = 1 << 30  # bases: bwa is not to cut batches again


class Aligner:
    """bwa mem over one reference. Made once; forks share its index.

    Args:
        reference: A FASTA file with bwa's indexes.
        lanes: The sample's lanes.
    """

    def __init__(self, reference: str, lanes: Sequence[Lane]) -> None:
        with silent():
            self._bwa = BwaMem(prefix=reference)
        self._lanes = lanes
        self._options = {
            paired: BwaMemOptions(interleaved_paired_end=paired, chunk_size=WHOLE_BATCH).finalize()
            for paired in (False, True)
        }

    def align(self, batch: Batch) -> tuple[bytes, Counts]:
        """SAM lines of every alignment of a batch, and what they count.

        Raises:
            BadReads: for the first record that is none, or not the mate it should be.
        """
        lane = self._lanes[batch.lane]
        fragments = _reads(batch, lane)
        with silent():
            reads = self._bwa.align(fragments, self._options[lane.paired])
        if lane.paired:
            complete(reads)
        records = list(chain.from_iterable(reads))
        end = f"\tRG:Z:{lane.read_group['ID']}\n"
        text = end.join([record.to_string() for record in records]) + end
        return text.encode(), Counts.of([record.flag for record in records])


def _reads(batch: Batch, lane: Lane) -> list[pysam.FastxRecord]:
    """The records; mates follow each other."""
    files = [parse(text, file.path, batch.first) for text, file in zip(batch.texts, lane.files, strict=True)]
    reads = list(chain.from_iterable(zip(*files, strict=True))) if len(files) == 2 else files[0]
    if lane.paired:
        _refuse_strangers(reads, batch, lane)
    return reads


def _refuse_strangers(reads: Sequence[pysam.FastxRecord], batch: Batch, lane: Lane) -> None:
    """Mates must have one name."""
    path = lane.files[-1].path
    for place in range(0, len(reads) - 1, 2):
        name, mate = reads[place].name, reads[place + 1].name
        if name != mate:
            number = batch.first + (place // 2 if len(lane.files) == 2 else place + 1)
            raise BadReads(f"{path}: record {number}: expected the mate of {name}, found {mate}")
    if len(reads) % 2:
        number = batch.first + len(reads)
        raise BadReads(f"{path}: record {number}: expected the mate of {reads[-1].name}, found the end of the file")
