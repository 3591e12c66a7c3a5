"""The checks of alignments that are taken as they are: sorted by position, each of a read group, not all unaligned."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pysam
from common.alignment_header import ALIGN_ADVICE
from common.program import BadInput
from fastq_file import NO_READS
from metrics import Counts
from numpy.typing import NDArray
from qc.batches import FIELDS, Batch

NOT_PRIMARY = pysam.FSECONDARY | pysam.FSUPPLEMENTARY
NAMED_RECORDS = 1000  # of which the read group is looked up among those of the header


class SortedRecords:
    """The records of a file, checked and counted batch by batch.

    Args:
        path: The file, for messages.
        groups: The IDs of its read groups.

    Attributes:
        counts: The counts of the reads.
        has_duplicates: True if a read is marked as a duplicate.
    """

    def __init__(self, path: str, groups: Collection[str]) -> None:
        self._path, self._groups = path, groups
        self._records, self._last = 0, 0
        self.counts = Counts()
        self.has_duplicates = False

    def check(self, batch: Batch) -> None:
        """Check and count the records that follow.

        Raises:
            BadInput: for the first record that is not sorted, or of no read group.
        """
        self._refuse_unsorted(batch)
        self._refuse_ungrouped(batch)
        flags = batch.fields["flag"]
        primary = flags[flags & NOT_PRIMARY == 0]
        mapped = int(np.count_nonzero(primary & pysam.FUNMAP == 0))
        proper = int(np.count_nonzero(primary & pysam.FPROPER_PAIR))
        self.counts = self.counts.add(Counts(len(primary), mapped, proper))
        self.has_duplicates = self.has_duplicates or bool(np.any(flags & pysam.FDUP))
        self._records += len(flags)

    def refuse_unaligned(self) -> None:
        """Refuse a file at its end if it has no aligned read.

        Raises:
            BadInput: for such a file.
        """
        if not self._records:
            raise BadInput(f"{self._path}: {NO_READS}")
        if not self.counts.mapped:
            found = f"found {self.counts.reads:,} reads, none of which is aligned"
            raise BadInput(f"{self._path}: expected aligned reads, {found}; {ALIGN_ADVICE}")

    def _refuse_unsorted(self, batch: Batch) -> None:
        places = _places(batch)
        steps = np.diff(places, prepend=self._last)
        if np.any(steps < 0):
            place = int(np.argmax(steps < 0))
            expected = f"expected records sorted by position, found {_name(batch, place)} behind one that follows it"
            raise self._error(place, f"{expected}; sort the file with `samtools sort`")
        self._last = int(places[-1])

    def _refuse_ungrouped(self, batch: Batch) -> None:
        """Refuse records without a read group: callers would leave them out without a word.

        The bytes of all tags are counted at once, which could be those of bases or qualities as well; so the first
        records are looked at one by one.
        """
        if not self._records:
            for place in range(min(NAMED_RECORDS, len(batch.starts))):
                group = _group(batch, place)
                if group not in self._groups:
                    raise self._ungrouped(batch, place, f"{group}, which the header lacks" if group else "none")
        elif batch.data.tobytes().count(b"RGZ") < len(batch.starts):
            place = next(place for place in range(len(batch.starts)) if _group(batch, place) is None)
            raise self._ungrouped(batch, place, "none")

    def _ungrouped(self, batch: Batch, place: int, found: str) -> BadInput:
        expected = f"expected each record to have a read group (RG) of the header, found {_name(batch, place)} with"
        return self._error(place, f"{expected} {found}; add it with `samtools addreplacerg`")

    def _error(self, place: int, message: str) -> BadInput:
        return BadInput(f"{self._path}: record {self._records + place + 1}: {message}")


def _places(batch: Batch) -> NDArray[np.int64]:
    """Return a number for each record that grows with its position; records without a contig come last."""
    contigs = batch.fields["contig"].astype(np.int64) & 0xFFFFFFFF
    places: NDArray[np.int64] = (contigs << 31) + batch.fields["position"].astype(np.int64) + 1
    return places


def _name(batch: Batch, place: int) -> str:
    start = int(batch.starts[place]) + FIELDS.itemsize
    return batch.data[start : start + int(batch.fields["name_bytes"][place]) - 1].tobytes().decode("latin-1")


def _group(batch: Batch, place: int) -> str | None:
    """Return the read group of a record, from its tags; None without one."""
    fields = batch.fields[place]
    start, bases = int(batch.starts[place]), int(fields["bases"])
    cigar = start + FIELDS.itemsize + int(fields["name_bytes"])
    tags = cigar + 4 * int(fields["operations"]) + (bases + 1) // 2 + bases
    content = batch.data[tags : start + 4 + int(fields["size"])].tobytes()
    _, found, rest = content.partition(b"RGZ")
    return rest.partition(b"\0")[0].decode("latin-1") if found else None
