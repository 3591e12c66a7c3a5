"""Counts and depths of all alignments of a sample, from one pass over their sorted stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pysam
from common.bed import Region
from numpy.typing import NDArray

from qc.batches import Batch
from qc.blocks import aligned_blocks
from qc.depth import Depth

THRESHOLDS = (1, 10, 20, 30)
# Left out of depths, as by `mosdepth` and `samtools coverage`: 1796.
LEFT_OUT = pysam.FUNMAP | pysam.FSECONDARY | pysam.FQCFAIL | pysam.FDUP
OTHER_CONTIG, CONFIDENT = 1 << 12, 1 << 13  # above the flags of a record, which have 12 bits
KINDS = 1 << 14
CONFIDENT_MAPQ = 5


class RegionDepth(NamedTuple):
    """A region, the sum of the depths in it, and the number of its positions that reach each of `THRESHOLDS`."""

    region: Region
    bases: int
    reached: Sequence[int]


@dataclass(slots=True)
class ContigTally:
    """Counts of one contig.

    Attributes:
        name: Its name.
        length: Its length in bp.
        depths: The number of positions of each depth, deletions included.
        region_depths: The same of the positions in regions; a position in two of them counts twice.
        regions: The depth of each region.
        mapped: Mapped records.
        unmapped: Unmapped records that are placed beside their mates.
        reads: Records that count for depths.
        covered: Positions that have an aligned base of one of these.
        aligned: Aligned bases of these, without deletions.
        qualities: The sum of the qualities of these bases.
        mapqs: The sum of the mapping qualities of these records.
    """

    name: str
    length: int
    depths: NDArray[np.int64]
    region_depths: NDArray[np.int64]
    regions: Sequence[RegionDepth]
    mapped: int = 0
    unmapped: int = 0
    reads: int = 0
    covered: int = 0
    aligned: int = 0
    qualities: int = 0
    mapqs: int = 0

    @classmethod
    def without_reads(cls, name: str, length: int, regions: Sequence[Region]) -> ContigTally:
        """Return the counts of a contig that no read is aligned to."""
        target = sum(region.end - region.start for region in regions)
        rows = [RegionDepth(region, 0, [0] * len(THRESHOLDS)) for region in regions]
        return cls(name, length, np.array([length]), np.array([target]), rows)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a sample.

    Attributes:
        kinds: Records by flag, `OTHER_CONTIG` (of the mate) and `CONFIDENT` (in the mapping quality).
        unplaced: Records without a contig.
        contigs: The counts of each contig, in order.
        has_regions: Whether there are regions.
    """

    kinds: NDArray[np.int64]
    unplaced: int
    contigs: Sequence[ContigTally]
    has_regions: bool


def tally(batches: Iterable[Batch], contigs: Mapping[str, int], regions: Sequence[Region]) -> Tally:
    """Count the records of a sorted stream.

    Args:
        batches: The records.
        contigs: The length of each contig in bp, by name.
        regions: The regions, in the order of the contigs.
    """
    kinds = np.zeros(KINDS, np.int64)
    regions_of: dict[str, list[Region]] = {}
    for region in regions:
        regions_of.setdefault(region.contig, []).append(region)
    rows = [ContigTally.without_reads(name, length, regions_of.get(name, ())) for name, length in contigs.items()]
    unplaced, current = 0, None
    for number, batch in _by_contig(_counted(batches, kinds)):
        if number < 0:
            unplaced += len(batch.starts)
        else:
            if current is None or current.row is not rows[number]:
                if current is not None:
                    current.end()
                current = _CoveredContig(rows[number])
            current.add(batch)
    if current is not None:
        current.end()
    return Tally(kinds, unplaced, rows, bool(regions))


def _counted(batches: Iterable[Batch], kinds: NDArray[np.int64]) -> Iterator[Batch]:
    """Yield the batches after their records are counted by kind."""
    for batch in batches:
        fields = batch.fields
        kind = fields["flag"].astype(np.int64)
        kind += np.where(fields["contig"] != fields["mate_contig"], OTHER_CONTIG, 0)
        kind += np.where(fields["mapq"] >= CONFIDENT_MAPQ, CONFIDENT, 0)
        kinds += np.bincount(kind, minlength=KINDS)
        yield batch


def _by_contig(batches: Iterable[Batch]) -> Iterator[tuple[int, Batch]]:
    """Yield the records of each contig of a batch, with the contig's number, -1 for none."""
    for batch in batches:
        contigs = batch.fields["contig"]
        borders = [0, *(np.flatnonzero(np.diff(contigs)) + 1).tolist(), len(contigs)]
        for start, end in pairwise(borders):
            yield int(contigs[start]), batch.select(np.arange(start, end))


class _CoveredContig:
    """A contig while its records are counted."""

    def __init__(self, row: ContigTally) -> None:
        self.row = row
        spans = [(one.region.start, one.region.end) for one in row.regions]
        self._whole = Depth(row.length, spans, THRESHOLDS)  # of reads from start to end, as by mosdepth
        self._aligned = Depth(row.length)  # of aligned bases, as by samtools coverage

    def add(self, batch: Batch) -> None:
        """Count records."""
        flags = batch.fields["flag"]
        unmapped = int(np.count_nonzero(flags & pysam.FUNMAP))
        self.row.unmapped += unmapped
        self.row.mapped += len(flags) - unmapped
        settled = int(batch.fields["position"][-1])
        used = batch.select(flags & LEFT_OUT == 0)
        blocks = aligned_blocks(used)
        self._whole.add(used.fields["position"].astype(np.int64), blocks.ends, settled)
        self._aligned.add(blocks.start, blocks.start + blocks.length, settled)
        self.row.reads += len(used.starts)
        self.row.aligned += int(blocks.length.sum())
        self.row.qualities += blocks.qualities
        self.row.mapqs += int(used.fields["mapq"].sum(dtype=np.int64))

    def end(self) -> None:
        """Complete the counts of the contig."""
        self._whole.end()
        self._aligned.end()
        row = self.row
        row.depths, row.region_depths = self._whole.everywhere.bases, self._whole.in_regions.bases
        row.covered = row.length - int(self._aligned.everywhere.bases[0])
        sums = [self._whole.region_sums(one.region.start, one.region.end) for one in row.regions]
        row.regions = [RegionDepth(one.region, s[0], s[1:]) for one, s in zip(row.regions, sums, strict=True)]
