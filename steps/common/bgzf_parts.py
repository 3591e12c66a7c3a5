"""BGZF files, and VCF files that are written in parts: BGZF files can be concatenated without their last blocks."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pysam
from zlib_ng import zlib_ng

BLOCK_BYTES = 0xFF00  # of text in a block, as htslib has it
LEVEL = 5  # of zlib-ng: half the time of zlib's 6, files of joint calling are 3 % larger
START = bytes.fromhex("1f8b08040000000000ff060042430200")  # of a block, whose size less 1 follows
END = START + bytes.fromhex("1b0003000000000000000000")  # the empty block that ends a BGZF file


def open_bgzf(path: str) -> pysam.BGZFile:
    """Open a BGZF file, or a pipe of one, to read.

    pysam itself ends the process by a segmentation fault if htslib cannot open a file.

    Raises:
        OSError: if it cannot be opened.
    """
    if not Path(path).is_fifo():  # which would lose its writer
        with Path(path).open("rb"):
            pass
    return pysam.BGZFile(path, "rb", index=None)


@contextmanager
def bgzf_writer(path: Path) -> Iterator[Callable[[str], None]]:
    """Open a new BGZF file and give a function that appends text to it."""
    with path.open("wb") as file:
        waiting = bytearray()

        def write(text: str) -> None:
            waiting.extend(text.encode())
            if len(waiting) >= BLOCK_BYTES:
                whole = len(waiting) // BLOCK_BYTES * BLOCK_BYTES
                with memoryview(waiting) as view:
                    for start in range(0, whole, BLOCK_BYTES):
                        file.write(bgzf_block(view[start : start + BLOCK_BYTES]))
                del waiting[:whole]

        yield write
        file.write((bgzf_block(bytes(waiting)) if waiting else b"") + END)


def bgzf_block(data: bytes | memoryview) -> bytes:
    """Return at most `BLOCK_BYTES` bytes as a block of BGZF (SAM specification, 4.1)."""
    deflate = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    size = len(START) + 2 + len(body) + 8
    return START + struct.pack("<H", size - 1) + body + struct.pack("<II", zlib_ng.crc32(data), len(data))


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
    concatenate(header, parts, path)
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)


def concatenate(header: str, parts: Iterable[Path], path: Path) -> None:
    """Write a header and parts to one VCF, and remove the parts.

    Args:
        header: The header.
        parts: BGZF files of records, in order.
        path: The VCF.
    """
    with bgzf_writer(path) as write:
        write(header)
    with path.open("r+b") as out:
        for part in parts:
            out.seek(-len(END), 2)
            out.truncate()
            with part.open("rb") as source:
                shutil.copyfileobj(source, out)
            part.unlink()
