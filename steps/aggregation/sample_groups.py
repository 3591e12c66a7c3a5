"""The groups of samples of a cohort: those whose gVCFs are read, and those that earlier runs have packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
from common.gvcf_headers import GvcfHeader, read_header, refuse_repeated
from common.program import BadInput
from gvcf_files import cached_base, fetch, open_gvcf, reported
from packed_file import Chunk, Member, PackedFile, open_packed
from packed_samples import decompressed, encoded, unpacked
from packing import Packing
from tiles import Tile


@dataclass(frozen=True, slots=True)
class Group:
    """Samples that are packed together.

    Attributes:
        members: The samples.
        places: The place of each in the cohort.
        gvcfs: The gVCF of each; none if `file` has them.
        file: The file of an earlier run that has them.
        number: The number of the group there.
        picks: Their numbers in that group.
    """

    members: tuple[Member, ...]
    places: tuple[int, ...]
    gvcfs: tuple[str, ...] = ()
    file: PackedFile | None = None
    number: int = 0
    picks: tuple[int, ...] = ()

    def earlier_chunk(self, tile: Tile) -> bytes:
        """Return the chunk of a tile from the file of an earlier run, without samples that the cohort lacks.

        Raises:
            BadInput: if the file is damaged.
        """
        assert self.file is not None
        data = self.file.read(tile, self.number)
        if len(self.picks) == len(self.file.groups[self.number]):
            return data
        try:
            return encoded(unpacked(decompressed(data)).only(self.picks))
        except ValueError as error:
            raise self.file.damage(f"damage in {tile.contig}:{tile.start}-{tile.end}: {error}") from None


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a cohort: the header of each gVCF, in order, and their groups."""

    headers: tuple[GvcfHeader, ...]
    groups: tuple[Group, ...]


def samples_of(task: dict[str, Any]) -> Samples:
    """Return the samples of a task's cohort.

    A gVCF without a path is in a file of an earlier run, by what identifies its content.

    Raises:
        BadInput: for gVCFs and files that cannot be used together.
    """
    paths: list[str | None] = task["inputs"]["gvcfs"]
    versions = task.get("content", {}).get("gvcfs", [""] * len(paths))
    headers = {place: read_header(path) for place, path in enumerate(paths) if path is not None}
    members = {
        place: Member(one.sample, versions[place] if one.ploidy else "", one.ploidy, one.patients)
        for place, one in headers.items()
    }
    size = task["parameters"]["batch_size"]
    places = list(headers)
    groups = [
        Group(
            tuple(members[place] for place in batch),
            tuple(batch),
            tuple(headers[place].path for place in batch),
        )
        for batch in (places[start : start + size] for start in range(0, len(places), size))
    ]
    wanted = {versions[place]: place for place, path in enumerate(paths) if path is None}
    for path in task["inputs"].get("earlier", []):
        groups += earlier_groups(open_packed(Path(path)), wanted)
    if wanted:
        raise BadInput(f"{next(iter(wanted))}: expected it in the packed gVCFs of an earlier run, found none")
    for group in groups:
        for place, member in zip(group.places, group.members, strict=True):
            headers.setdefault(place, GvcfHeader(member.content, member.sample, member.ploidy, member.patients))
    ordered = tuple(headers[place] for place in range(len(paths)))
    refuse_repeated(ordered)
    return Samples(ordered, tuple(groups))


def earlier_groups(file: PackedFile, wanted: dict[str, int]) -> list[Group]:
    """Return the groups of a file with the samples that are wanted, and remove those from `wanted`.

    Args:
        file: The file.
        wanted: The places of samples in the cohort by what identifies their gVCFs.
    """
    groups = []
    for number, members in enumerate(file.groups):
        picks = tuple(pick for pick, one in enumerate(members) if one.content in wanted)
        chosen = tuple(members[pick] for pick in picks)
        if picks:
            places = tuple(wanted.pop(one.content) for one in chosen)
            groups.append(Group(chosen, places, (), file, number, picks))
    return groups


def write_chunks(groups: Sequence[Group], tiles: Sequence[Tile], reference: str, path: Path) -> list[Chunk]:
    """Write the chunks of groups over tiles, and return where they are.

    Each gVCF is read once, from beginning to end.

    Args:
        groups: The groups.
        tiles: The tiles.
        reference: The FASTA file.
        path: The file to write.

    Raises:
        BadInput: for a gVCF, or a file of an earlier run, that cannot be read.
    """
    chunks: list[Chunk] = []
    with path.open("wb") as out, pysam.FastaFile(reference) as fasta:
        base = cached_base(fasta)
        for number, group in enumerate(groups):
            packings = [Packing(tile) for tile in tiles] if group.gvcfs else []
            for gvcf in group.gvcfs:
                with open_gvcf(gvcf) as file, reported(gvcf):
                    for tile, packing in zip(tiles, packings, strict=True):
                        packing.add(fetch(file, tile.to_read), base)
            for place, tile in enumerate(tiles):
                data = encoded(packings[place].packed()) if group.gvcfs else group.earlier_chunk(tile)
                chunks.append(Chunk(place, number, out.tell(), out.write(data)))
    return chunks
