"""The reference that csq reads for a shard: that of this machine, or the parts of a remote one that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.calling_reference import FIRST_BASE, CallingReference
from common.fai import Sequence as FaiSequence
from common.transcript_groups import Region

PART_BYTES = 8 << 20
PAD_BP = 1000  # csq reads some bases around a transcript


def write_reference(
    batch: Any, reference: str, sequences: Sequence[FaiSequence], regions: Sequence[Region], scratch: Path
) -> str:
    """Return the path of a FASTA file that has the bases of some regions, at their own places.

    Args:
        batch: The call.
        reference: The FASTA file, with its index beside it.
        sequences: Its sequences.
        regions: The regions.
        scratch: A folder for temporary files.
    """
    names = {one.contig for one in regions}
    if Path(reference).is_file():
        return CallingReference(reference, [names], scratch).path(names)
    file, target = batch.file(reference), scratch / reference.rpartition("/")[2]
    with target.open("wb") as out, Path(f"{target}.fai").open("w") as index:
        for one in sequences:
            if one.name not in names:
                continue
            place = out.seek(0, 2) + 1
            index.write("\t".join(map(str, one._replace(offset=place))) + "\n")
            for region in regions:
                if region.contig == one.name:
                    _copy(file, one, region, out, place)
    return str(target)


def _copy(file: Any, sequence: FaiSequence, region: Region, out: Any, place: int) -> None:
    """Copy the lines with the bases of a region; what is before them in the file is a hole."""
    first = max(region.start - 1 - PAD_BP, 0) // sequence.line_bases * sequence.line_bytes
    last = min(region.end + PAD_BP, sequence.length)
    end = min(-(-last // sequence.line_bases) * sequence.line_bytes, sequence.stored_bytes())
    out.seek(place + first)
    for start in range(first, end, PART_BYTES):
        part = file.read(sequence.offset + start, min(PART_BYTES, end - start))
        out.write(part.translate(FIRST_BASE))
