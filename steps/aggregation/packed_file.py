"""Files of packed groups of samples over an interval, which later cohorts with the same samples take.

The chunks of `packed_samples.encoded`, one for each tile and group, stand one behind the other. Beside the file is its
index, an object of JSON: the tiles, the members of each group, and where each chunk is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.program import BadInput
from tiles import Tile

FORMAT = 2
INDEX = ".json"


class Member(NamedTuple):
    """A sample of a group.

    Attributes:
        sample: Its name.
        content: What identifies the content of its gVCF; empty where that is not known, or the gVCF says no ploidy.
        ploidy: The ploidy that its gVCF says; None where it says none.
        patients: The header's lines of its patients.
    """

    sample: str
    content: str
    ploidy: str | None
    patients: tuple[str, ...]


class Chunk(NamedTuple):
    """A chunk: its tile and group, by number, and its bytes in the file."""

    tile: int
    group: int
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of packed groups.

    Attributes:
        path: The file.
        groups: The members of each group.
        tiles: The number of each tile.
        chunks: The chunk of each tile and group, by number.
    """

    path: Path
    groups: tuple[tuple[Member, ...], ...]
    tiles: Mapping[Tile, int]
    chunks: Mapping[tuple[int, int], Chunk]

    def read(self, tile: Tile, group: int) -> bytes:
        """Return the chunk of a tile and a group.

        Raises:
            BadInput: if there is none, or the file is too short.
        """
        chunk = self.chunks.get((self.tiles.get(tile, -1), group))
        if chunk is None:
            where = f"{tile.contig}:{tile.start}-{tile.end}"
            raise BadInput(f"{self.path}: expected packed gVCFs of {where}, found those of another interval")
        with self.path.open("rb") as file:
            file.seek(chunk.offset)
            data = file.read(chunk.size_bytes)
        if len(data) != chunk.size_bytes:
            raise self.damage(f"an end at byte {chunk.offset + len(data)}")
        return data

    def damage(self, found: str) -> BadInput:
        """Return the error of a file that is damaged."""
        return BadInput(f"{self.path}: expected packed gVCFs, found {found}; remove the file to read the gVCFs")


def open_packed(path: Path) -> PackedFile:
    """Open a file of packed groups.

    Raises:
        BadInput: if its index cannot be used.
    """
    index = path.with_name(path.name + INDEX)
    try:
        data = json.loads(index.read_bytes())
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}")
        groups = tuple(
            tuple(Member(one["sample"], one["content"], one["ploidy"], tuple(one["patients"])) for one in group)
            for group in data["groups"]
        )
        tiles = {Tile(*one): number for number, one in enumerate(data["tiles"])}
        chunks = {(one[0], one[1]): Chunk(*one) for one in data["chunks"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{index}: expected the index of packed gVCFs, found one that cannot be read: {error}") from None
    return PackedFile(path, groups, tiles, chunks)


def write_packed(
    path: Path,
    groups: Iterable[Sequence[Member]],
    tiles: Iterable[Tile],
    units: Iterable[tuple[Path, Iterable[Chunk]]],
) -> None:
    """Write a file of packed groups from those of units, which are removed, and its index.

    Args:
        path: The file.
        groups: The members of each group.
        tiles: The tiles of all units.
        units: The file and the chunks of each unit, whose tiles are counted from the first of the unit.
    """
    chunks: list[Chunk] = []
    tiles = list(tiles)
    first = offset = 0
    with path.open("wb") as out:
        for part, own in units:
            own = list(own)
            chunks += [one._replace(tile=one.tile + first, offset=one.offset + offset) for one in own]
            first += 1 + max((one.tile for one in own), default=-1)
            with part.open("rb") as source:
                shutil.copyfileobj(source, out)
            offset = out.tell()
            part.unlink()
    data = {
        "format": FORMAT,
        "tiles": tiles,
        "groups": [[one._asdict() for one in group] for group in groups],
        "chunks": chunks,
    }
    path.with_name(path.name + INDEX).write_text(json.dumps(data, separators=(",", ":")))
