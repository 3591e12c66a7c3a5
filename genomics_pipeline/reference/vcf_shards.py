"""Parts of a VCF or BCF file of about equal compressed size, by its index: each record is in one, by its POS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from genomics_pipeline.reference.tabix_index import TabixIndex

MOST_REGIONS = 800  # of a shard, whose record has to fit a child's input
# Behind every base of a contig: of indexes the greatest position, since records may lie behind the length in a header.
LAST = (1 << 31) - 2


class Region(NamedTuple):
    """Bases of a contig, counted from 1, the last included; the first of a contig is 0, the telomere's POS in VCF."""

    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.contig}:{self.start}-{self.end}"


def shard_regions(index: TabixIndex, size_bytes: int, numbers: Mapping[str, int] | None) -> Iterator[list[Region]]:
    """Yield the regions of each shard, in the file's order; one shard without regions for a file without records.

    A shard ends before the first window of the index, of 16 kb, that lies `size_bytes` behind its beginning. Which
    records it has does not depend on the places that the index gives: these only say where to divide.

    Args:
        index: The index.
        size_bytes: The compressed size of a shard, about.
        numbers: The number of each contig of a BCF file; None of a VCF file.
    """
    shard: list[Region] = []
    begin: int | None = None
    for contig in index.contigs(numbers):
        start = 0
        for base, place in index.windows(contig, numbers):
            begin = place if begin is None else begin
            if place - begin < size_bytes and len(shard) < MOST_REGIONS:
                continue
            if base > start:
                shard.append(Region(contig, start, base))
                start = base + 1
            if shard:
                yield shard
            shard, begin = [], place
        shard.append(Region(contig, start, LAST))
    yield shard
