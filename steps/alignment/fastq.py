"""Records of FASTQ text; every problem is reported with its file and record number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from common.program import BadInput

LONGEST_NAME = 254  # in BAM
# bwa mem is made for reads of up to a million bases: it takes 3 GB of memory and minutes for one of these.
MAX_LINE_BYTES = 1 << 20
EXAMPLE_LENGTH = 40
VISIBLE = bytes(range(ord("!"), ord("~") + 1))


class Reads(NamedTuple):
    """Records, by column.

    Attributes:
        names: Their names, without ``/1``, ``/2`` and comments.
        lengths: Their numbers of bases.
        bases: Their bases.
        qualities: Their qualities, as written.
        headers: Their first lines.
    """

    names: list[bytes]
    lengths: list[int]
    bases: list[bytes]
    qualities: list[bytes]
    headers: list[bytes]


def line_count(text: bytes) -> int:
    r"""Count the lines of a text, whose last one may lack its end.

    >>> line_count(b"@a\nAC"), line_count(b"@a\nAC\n")
    (2, 2)
    """
    return text.count(b"\n") + (not text.endswith(b"\n") and bool(text))


def parse_records(text: bytes, path: str, first: int) -> Reads:
    """Parse records, and strip ``/1``, ``/2`` and comments from their names.

    Args:
        text: Whole lines.
        path: The file, for messages.
        first: Number of the first record, from 1.

    Raises:
        BadInput: for the first record that is not FASTQ.
    """
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    lines = text.removesuffix(b"\n").split(b"\n")
    headers, bases, separators, qualities = (lines[place::4] for place in range(4))
    names, lengths = read_names(headers), list(map(len, bases))
    valid = (
        len(lines) % 4 == 0
        and all(map(bytes.startswith, headers, repeat(b"@")))
        and (separators.count(b"+") == len(separators) or all(map(bytes.startswith, separators, repeat(b"+"))))
        and lengths == list(map(len, qualities))
        and all(names)
        and max(map(len, names)) <= LONGEST_NAME
        and _are_bases(b"".join(bases))
        and _are_qualities(b"".join(qualities))
    )
    if not valid:
        raise BadInput(_first_problem(lines, path, first))
    return Reads(names, lengths, bases, qualities, headers)


def read_name(line: bytes) -> bytes:
    """Return the name in a record's first line.

    >>> read_name(b"@A00:1:FC:1:1101:1:2/1 1:N:0:AC")
    b'A00:1:FC:1:1101:1:2'
    """
    name = line[1:].split(maxsplit=1)[0] if line[1:].strip() else b""
    return name[:-2] if name[-2:] in (b"/1", b"/2") else name


def read_names(headers: Sequence[bytes]) -> list[bytes]:
    """Return the `read_name` of the first line of each record; empty if there is none.

    >>> read_names([b"@a", b"@b"]), read_names([b"@a 1:N:0:AC", b"@b"]), read_names([b"@a/1", b"@"])
    ([b'a', b'b'], [b'a', b'b'], [b'a', b''])
    """
    text = b"\n".join(headers)
    if b"/" in text:
        return list(map(read_name, headers))
    if text.split() == headers:  # no comments, which is the quickest to read
        return [header[1:] for header in headers]
    words = [header[1:].split(None, 1) for header in headers]
    return [word[0] for word in words] if all(words) else list(map(read_name, headers))


def _first_problem(lines: Sequence[bytes], path: str, first: int) -> str:
    for place in range(0, len(lines), 4):
        if message := _record_problem(lines[place : place + 4]):
            return f"{path}: record {first + place // 4}: {message}"
    raise AssertionError("every record is valid")


def _record_problem(lines: Sequence[bytes]) -> str | None:
    name = read_name(lines[0])
    if not lines[0].startswith(b"@") or not name:
        return f"expected FASTQ ('@' and a name), found {example(lines[0])}"
    if len(name) > LONGEST_NAME:
        return f"expected a name of at most {LONGEST_NAME} characters, found {len(name)}: {example(name)}"
    if len(lines) < 4:
        return f"expected 4 lines, found {len(lines)}: the file is truncated"
    if not lines[2].startswith(b"+"):
        return f"expected '+' on the third line, found {example(lines[2])}"
    if len(lines[1]) != len(lines[3]):
        return f"expected {len(lines[1])} qualities, as many as bases, found {len(lines[3])}"
    if not _are_bases(lines[1]):
        return f"expected bases (letters), found {example(lines[1])}"
    if not _are_qualities(lines[3]):
        return f"expected qualities (visible characters), found {example(lines[3])}"
    return None


def _are_bases(text: bytes) -> bool:
    """Check that all are letters, or the dots that old sequencers wrote for N."""
    plain = text.replace(b".", b"N")
    return not plain or plain.isalpha()


def _are_qualities(text: bytes) -> bool:
    return not text.translate(None, VISIBLE)


def example(line: bytes) -> str:
    """Return the beginning of a line, quoted, for a message."""
    return repr(line[:EXAMPLE_LENGTH].decode("latin-1").encode("ascii", "replace").decode())
