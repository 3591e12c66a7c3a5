"""VCF files that are written in parts: BGZF files can be concatenated without their last blocks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pysam

END_BYTES = 28  # the empty block that ends a BGZF file


@contextmanager
def bgzf_writer(path: Path) -> Iterator[Callable[[str], None]]:
    """Open a new BGZF file and give a function that appends text to it."""
    with pysam.BGZFile(str(path), "wb", index=None) as file:

        def write(text: str) -> None:
            file.write(text.encode())

        yield write


def split_header(lines: Iterable[str]) -> tuple[str, Iterator[str]]:
    """Return a VCF's header and its records."""
    header: list[str] = []
    records = iter(lines)
    for line in records:
        if not line.startswith("#"):
            return "".join(header), chain([line], records)
        header.append(line)
    return "".join(header), iter(())


def join(header: str, parts: Iterable[Path], path: Path, csi: bool) -> None:
    """Write a header and parts to one indexed VCF, and remove the parts.

    Args:
        header: The header.
        parts: BGZF files of records, in order.
        path: The VCF.
        csi: The contigs are too long for a TBI index.
    """
    with bgzf_writer(path) as write:
        write(header)
    with path.open("r+b") as out:
        for part in parts:
            out.seek(-END_BYTES, 2)
            out.truncate()
            with part.open("rb") as source:
                shutil.copyfileobj(source, out)
            part.unlink()
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
