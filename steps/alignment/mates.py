"""Mates: whether reads that are aligned as pairs are pairs, and reads that are aligned by themselves are not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from common.program import BadInput
from fastq import Reads, read_name

# "/2" at the end of a name, or Illumina's comment "2:N:0:ACGT" behind it.
_NUMBER = re.compile(rb"@\S+?(?:/([12])(?=\s|$)|[ \t]+([1-4]):[YN]:)")
_SECOND = re.compile(rb"^@\S+(?:/2(?=\s|$)|[ \t]+2:[YN]:)", re.MULTILINE)
_OTHER_NUMBERS = re.compile(rb"(\S+[._:/-])(?:1|f|F) \1(?:2|r|R) (?!\1)(\S+[._:/-])(?:1|f|F) \2(?:2|r|R)")
SINGLE_ADVICE = "give the files of both mates, or set read_layout=single if these are single reads"


def mate_number(header: bytes) -> int | None:
    """Return the number of a read among its mates, by its first line; None where the line does not say it.

    >>> mate_number(b"@r7/2"), mate_number(b"@r7 1:N:0:ATCACG"), mate_number(b"@r7")
    (2, 1, None)
    """
    match = _NUMBER.match(header)
    return int(match[1] or match[2]) if match else None


def refuse_unmatched_mates(files: Sequence[Reads], path: str, first: int) -> None:
    """Refuse pairs of reads that are no mates.

    Args:
        files: The first and the second reads, or both alternating.
        path: The file of the second reads.
        first: The number of the first record, from 1.

    Raises:
        BadInput: for the first of them.
    """
    names = files[0].names
    firsts, seconds = (names, files[1].names) if len(files) == 2 else (names[::2], names[1::2])
    if firsts != seconds:
        raise BadInput(f"{path}: {_first_mismatch(firsts, seconds, first, len(files))}")
    if any(map(bytes.__eq__, firsts, firsts[1:])):
        place = next(place for place, name in enumerate(firsts, 1) if name == firsts[place])
        number = first + (place if len(files) == 2 else 2 * place)
        expected = f"expected a name of its own for each pair, found {_text(firsts[place])} again"
        raise BadInput(f"{path}: record {number}: {expected}; are these single reads?")
    headers = (files[0].headers[0], files[1].headers[0]) if len(files) == 2 else files[0].headers[:2]
    numbers = [mate_number(header) for header in headers]
    number = first + (len(files) == 1)
    if numbers[0] and numbers[1] and numbers[0] >= numbers[1]:
        found = "the same reads again" if numbers[0] == numbers[1] else "the first ones: interchange the two"
        expected = f"expected the second reads, after reads numbered {numbers[0]}"
        raise BadInput(f"{path}: record {number}: {expected}, found {found}")
    if first == 1 and _are_equal(files):
        raise BadInput(f"{path}: record {number}: expected the second reads, found the bases of the first ones again")


def _first_mismatch(firsts: Sequence[bytes], seconds: Sequence[bytes], first: int, files: int) -> str:
    for place, (name, mate) in enumerate(zip(firsts, seconds, strict=False)):
        if name != mate:
            number = first + (place if files == 2 else 2 * place + 1)
            return f"record {number}: expected the mate of {_text(name)}, found {_text(mate)}"
    number = first + len(firsts) + len(seconds)
    return f"record {number}: expected the mate of {_text(firsts[-1])}, found the end of the file"


def _are_equal(files: Sequence[Reads]) -> bool:
    """Return whether all mates have the same bases, which are not those of one read again and again."""
    bases = files[0].bases
    firsts, seconds = (bases, files[1].bases) if len(files) == 2 else (bases[::2], bases[1::2])
    return firsts == seconds and len(set(firsts)) > 1


def refuse_mates(reads: Reads, path: str, first: int) -> None:
    """Refuse mates among reads that would be aligned one by one.

    Args:
        reads: The reads.
        path: Their file.
        first: The number of the first record, from 1.

    Raises:
        BadInput: for a read that follows its mate, and one that is numbered as the second of two.
    """
    if first == 1 and _OTHER_NUMBERS.fullmatch(b" ".join(reads.names[:4])):
        found = f"found {_text(reads.names[0])} and {_text(reads.names[1])}, which look like mates"
        advice = "give mates the same name, or set read_layout=single if these are single reads"
        raise BadInput(f"{path}: record 2: expected single reads, {found}; {advice}")
    if any(map(bytes.__eq__, reads.names, reads.names[1:])):
        place = next(place for place, name in enumerate(reads.names) if name == reads.names[place + 1])
        raise followed_by_mate(path, first + place + 1, reads.names[place])
    if _SECOND.search(b"\n".join(reads.headers)):
        place = next(place for place, header in enumerate(reads.headers) if mate_number(header) == 2)
        found = f"found the second read of {_text(reads.names[place])}"
        raise BadInput(f"{path}: record {first + place}: expected single reads, {found}; {SINGLE_ADVICE}")


def refuse_mate_of(previous: bytes, header: bytes, path: str, number: int) -> None:
    """Refuse a read that has the name of the one before it.

    Args:
        previous: The first line of the record before it.
        header: The first line of its record.
        path: The file.
        number: The number of its record.

    Raises:
        BadInput: if it has.
    """
    if previous and read_name(previous) == read_name(header):
        raise followed_by_mate(path, number, read_name(header))


def followed_by_mate(path: str, number: int, name: bytes) -> BadInput:
    """Return the error of a read that follows one of the same name."""
    advice = "remove the reads without mates and set read_layout=interleaved, or set read_layout=single"
    expected = f"expected single reads, as the first two are, found the mate of {_text(name)}"
    return BadInput(f"{path}: record {number}: {expected}: some pairs are interleaved; {advice}")


def _text(name: bytes) -> str:
    return name.decode("latin-1")
