"""A fraction of the reads, chosen by their names alone.

A read is taken if the digest of its name (BLAKE2b of 8 bytes, RFC 7693; ``printf %s NAME | b2sum -l 64``), as a number
of 64 bits, is below the fraction of 2^64. So mates stay together, the choice depends neither on the order of the reads
nor on the kind of their files, and the reads of a smaller fraction are among those of a larger one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from time import thread_time
from typing import Any

from common.program import BadInput
from fastq import MAX_LINE_BYTES, read_names

DIGEST_BYTES = 8


class Subsample(Iterator[bytes]):
    """The pieces that `subsample` yields, and the processor time that the reads left out took.

    Args:
        pieces: See `subsample`.
        fraction: See `subsample`.
        path: See `subsample`.
    """

    def __init__(self, pieces: Iterator[bytes], fraction: float, path: str | None = None) -> None:
        self._fraction, self._read = fraction, _Timed(pieces)
        self._chosen = _Timed(subsample(self._read, fraction, path))

    def __next__(self) -> bytes:
        return next(self._chosen)

    @property
    def left_out_s(self) -> float:
        """The processor seconds so far that taking no other reads would spare: choosing, and reading the others."""
        return self._chosen.seconds - self._fraction * self._read.seconds


class _Timed(Iterator[bytes]):
    """Pieces, and the processor seconds of this thread that they took."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.seconds = 0.0

    def __next__(self) -> bytes:
        begin = thread_time()
        try:
            return next(self._pieces)
        finally:
            self.seconds += thread_time() - begin


def subsample(pieces: Iterator[bytes], fraction: float, path: str | None = None) -> Iterator[bytes]:
    """Yield the reads of FASTQ text that are taken, and all that is no FASTQ, to be refused where it is read.

    Args:
        pieces: The text in pieces, which may end anywhere.
        fraction: The fraction to take, greater than 0 and less than 1.
        path: The file, of which at least one read must be taken; None for text that may be empty.

    Raises:
        BadInput: at the end, if there are reads, but none is taken.
    """
    limit = int(fraction * (1 << 8 * DIGEST_BYTES)).to_bytes(DIGEST_BYTES, "big")
    rest, seen, taken = b"", 0, 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if max(map(len, [*lines, rest])) > MAX_LINE_BYTES:
            yield max([*lines, rest], key=len)  # by itself, so that the reader of the text refuses it
        whole = len(lines) // 4 * 4
        rest = b"\n".join([*lines[whole:], rest])
        chosen = _chosen(lines[:whole], limit)
        seen, taken = seen + whole // 4, taken + len(chosen) // 4
        if chosen:
            yield b"\n".join([*chosen, b""])
    if rest:
        chosen = _chosen([*rest.split(b"\n"), b"", b"", b""][:4], limit)
        seen, taken = seen + 1, taken + len(chosen) // 4
        if chosen:
            yield rest
    if path and seen and not taken:
        raise none_taken(path, fraction)


def none_taken(path: str, fraction: float) -> BadInput:
    """Return the error of a file whose reads are all passed over."""
    expected = f"expected reads in the subsample of {fraction:g}, found none of this file"
    return BadInput(f"{path}: {expected}; set a larger fraction")


def write_left_out(task: dict[str, Any], seconds: float) -> None:
    """Write the processor seconds that reads left out took to the file that the worker reads."""
    if task["parameters"]["subsample"] < 1:
        Path(task["left_out"]).write_text(f"{seconds:.3f}\n")


@contextmanager
def counted_in(fraction: float) -> Iterator[None]:
    """Add to errors that name a record that only those of the subsample are counted, if there is one."""
    try:
        yield
    except BadInput as error:
        if fraction < 1 and ": record " in str(error):
            raise BadInput(f"{error} (records are counted within the subsample of {fraction:g})") from None
        raise


def _chosen(lines: Sequence[bytes], limit: bytes) -> list[bytes]:
    """Return the lines of the records that are taken, and of those that are not FASTQ."""
    chosen: list[bytes] = []
    headers = lines[::4]
    digests = [blake2b(name, digest_size=DIGEST_BYTES).digest() for name in read_names(headers)]
    for place, (header, separator, digest) in enumerate(zip(headers, lines[2::4], digests, strict=True)):
        if digest < limit or header[:1] != b"@" or separator[:1] != b"+":
            chosen += lines[4 * place : 4 * place + 4]
    return chosen
