"""The end of a FASTQ file, of which only the last kilobytes are read: whether it is truncated, and its last read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from common.fastq_head import UnusableReads
from common.read_header import parse_header
from deflate_end import TRUNCATED, WHOLE, deflate_end
from file_kinds import block_size
from reads_file import PART_BYTES, ReadsFile, reported_damage

TAIL_BYTES = 1 << 17  # two blocks of BGZF: one of them begins and ends there
TEXT_BYTES = 1 << 21  # of the last content that is kept, with the last record: a line has 1 MiB at most
MOST_CONTENT = 1 << 28  # of a file of `PART_BYTES` that is decompressed to its end
ZEROS_BYTES = 1 << 12  # a file of gzip may be padded with zeros, to blocks of a tape; downloads are incomplete so
GZIP = 31  # zlib's window bits for gzip
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # SAM specification, 4.1.2
_TRANSFER = "the file is truncated; transfer it again"


@dataclass(frozen=True, slots=True)
class FileEnd:
    """The end of a file.

    Attributes:
        state: ``whole``; ``no BGZF end`` for whole blocks without the empty one that should be the last; ``unknown``
            where the end does not show whether it is whole.
        last_name: The name of the last read; None where it is not known.
        problem: Why the file cannot be used; None if it can.
    """

    state: str
    last_name: str | None = None
    problem: str | None = None


def file_end(file: ReadsFile) -> FileEnd:
    """Return the end of a file whose beginning is FASTQ.

    Raises:
        OSError: for a file that cannot be read.
    """
    compression = file.compression
    if compression == "none":
        return _with_last_read("whole", file.tail(min(TEXT_BYTES, file.size_bytes)))
    if file.size_bytes > PART_BYTES and not file.tail(ZEROS_BYTES).strip(b"\0"):
        return FileEnd("unknown", problem=f"expected a whole gzip file, found zeros at its end: {_TRANSFER}")
    if file.size_bytes <= PART_BYTES:
        return _small_end(file)
    return _bgzf_end(file) if compression == "bgzf" else _gzip_end(file)


def _small_end(file: ReadsFile) -> FileEnd:
    """Return the end of a compressed file that is read as a whole."""
    text, size = b"", 0
    try:
        with reported_damage():
            content = file.content()
            while piece := content.read(PART_BYTES):
                text, size = (text + piece)[-TEXT_BYTES:], size + len(piece)
                if size > MOST_CONTENT:
                    return FileEnd("unknown")
    except UnusableReads as error:
        return FileEnd("unknown", problem=str(error))
    is_bgzf = file.compression == "bgzf"
    return _with_last_read(_bgzf_state(file.tail(len(BGZF_END))) if is_bgzf else "whole", text)


def _bgzf_state(tail: bytes) -> str:
    return "whole" if tail.endswith(BGZF_END) else "no BGZF end"


def _bgzf_end(file: ReadsFile) -> FileEnd:
    tail = file.tail(TAIL_BYTES)
    place = tail.find(b"\x1f\x8b\x08\x04")
    while place >= 0:
        if (blocks := list(_blocks(tail, place))) and sum(map(len, blocks)) == len(tail) - place:
            break
        place = tail.find(b"\x1f\x8b\x08\x04", place + 1)
    else:
        message = f"expected a whole gzip file, found the end within a block of BGZF: {_TRANSFER}"
        return FileEnd("unknown", problem=message)
    try:
        text = b"".join(zlib.decompress(block, GZIP) for block in blocks)
    except zlib.error as error:
        return FileEnd("unknown", problem=f"expected a whole gzip file: {error}")
    return _with_last_read(_bgzf_state(tail), text)


def _blocks(data: bytes, place: int) -> Iterator[bytes]:
    """Yield the blocks of BGZF that follow each other from a place on, as long as they are whole."""
    while (size := block_size(data, place)) is not None and place + size <= len(data):
        yield data[place : place + size]
        place += size


def _gzip_end(file: ReadsFile) -> FileEnd:
    for size in (TAIL_BYTES, 8 * TAIL_BYTES):
        state, text = deflate_end(file.tail(size))
        if state == WHOLE:
            return _with_last_read("whole", text)
        if state == TRUNCATED:
            message = f"expected a whole gzip file, found its end within a block of deflate: {_TRANSFER}"
            return FileEnd("unknown", problem=message)
    return FileEnd("unknown")


def _with_last_read(state: str, text: bytes) -> FileEnd:
    """Return the end of a file, given the end of its text, with NUL for what is not known."""
    lines = text.rstrip(b"\r\n").split(b"\n")
    record = [line.rstrip(b"\r") for line in lines[-4:]]
    if (len(lines) < 5 and len(text) >= TEXT_BYTES) or len(record) < 4 or any(b"\0" in line for line in record):
        return FileEnd(state)
    header = parse_header(record[0])
    if header is None or not record[2].startswith(b"+") or len(record[1]) != len(record[3]):
        return FileEnd(state, problem=f"expected whole records, found the end of the file within one: {_TRANSFER}")
    return FileEnd(state, header.name)
