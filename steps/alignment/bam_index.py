"""The index of a BAM file (BAI), built while the records are written."""

from __future__ import annotations

from struct import pack

import numpy as np
import pysam
from common.position_index import Integers, PositionIndex
from qc.batches import Batch
from qc.blocks import reference_ends


class BamIndex:
    """The places of alignments by their positions.

    Args:
        contigs: The number of contigs.
    """

    def __init__(self, contigs: int) -> None:
        self._contigs, self._index = contigs, PositionIndex(contigs)

    def add(self, batch: Batch, place: int) -> None:
        """Add the records that follow.

        Args:
            batch: The records.
            place: The place of the batch in the uncompressed file.
        """
        begins = np.maximum(batch.fields["position"].astype(np.int64), 0)
        ends = np.maximum(reference_ends(batch), begins + 1)
        mapped = batch.fields["flag"] & pysam.FUNMAP == 0
        self._index.add(batch.fields["contig"].astype(np.int64), begins, ends, batch.starts + place, mapped)

    def content(self, starts: Integers, places: Integers) -> bytes:
        """Return the content of the index.

        Args:
            starts: Where each block begins in the uncompressed file, and the end of the last.
            places: The same in the compressed file.
        """
        return b"BAI\1" + pack("<i", self._contigs) + self._index.content(starts, places)
