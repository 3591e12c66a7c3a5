"""Tiles: pieces of the spans of a unit, by which gVCFs are packed and sites are genotyped in little memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from interval import PADDING_BP, Region

TILE_BP = 32_000  # a place within a tile and the distance of two places fit into 16 bits


class Tile(NamedTuple):
    """Bases `start` to `end` of a contig, from 1, and the last base whose indels may begin in them."""

    contig: str
    start: int
    end: int
    read_to: int

    @property
    def to_read(self) -> Region:
        """Return the region of gVCFs that is read for the tile."""
        return Region(self.contig, self.start, self.read_to)


def tiles_of(spans: Iterable[Region]) -> list[Tile]:
    """Return the tiles of spans, in order.

    >>> [tile[1:] for tile in tiles_of([Region("c", 101, 32_200)])]
    [(101, 32100, 32200), (32101, 32200, 32200)]
    """
    tiles = []
    for contig, start, end in spans:
        for first in range(start, end + 1, TILE_BP):
            last = min(first + TILE_BP - 1, end)
            tiles.append(Tile(contig, first, last, min(last + PADDING_BP, end)))
    return tiles
