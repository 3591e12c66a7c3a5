"""The progress of an alignment: the reads that are aligned and then sorted, and the share of the work that this is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from mmap import mmap
from struct import Struct
from typing import TYPE_CHECKING, Any

from aligner import Aligned
from common.progress import Progress
from lanes import Lane

if TYPE_CHECKING:
    from qc.batches import Batch  # with numpy, which forks are to import by themselves

ALIGNING = 0.8  # the part of the time until the last read is aligned, on two to eight cores
_READS = Struct("q")


class ReadProgress:
    """The reads of a sample that are aligned, and then leave `samtools sort`, which keeps them until the last one.

    Args:
        task: The task.
        lanes: The lanes; of some, such as BAM files and pipes, it is not known how much of them was read.
    """

    def __init__(self, task: dict[str, Any], lanes: Sequence[Lane]) -> None:
        self._progress = Progress(task, "reads")
        files = [file for lane in lanes for file in lane.files]
        self._size = sum(file.size_bytes for file in files) if all(file.size_bytes for file in files) else 0
        self._read = [0] * len(lanes)
        self._aligned = mmap(-1, _READS.size)  # shared with the fork that reads the sorted ones

    def add(self, aligned: Aligned) -> None:
        """Count the reads of a batch that is aligned."""
        self._read[aligned.lane] = aligned.read_bytes
        self._progress.add(aligned.counts.reads, ALIGNING * sum(self._read) / self._size if self._size else None)
        _READS.pack_into(self._aligned, 0, self._progress.done)

    def sorted(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Pass sorted records on and count them, in the fork that reads them."""
        records = 0
        for batch in batches:
            if not records:  # all reads are aligned by now
                self._progress.done = _READS.unpack_from(self._aligned)[0]
            yield batch
            records += len(batch.starts)
            self._progress.add(0, ALIGNING + (1 - ALIGNING) * min(1.0, records / max(1, self._progress.done)))
