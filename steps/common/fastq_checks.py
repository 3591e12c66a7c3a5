"""Checks of FASTQ files by their first records: what the alignment step would refuse there, found before a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .fastq_head import FastqHead, UnusableReads, example
from .read_header import ReadHeader, mates_problem, parse_header

COMPARED_RECORDS = 1000
MORE_RECORDS = 100_000  # that are looked at where the encoding of the first is doubtful
LONGEST_NAME = 254  # in BAM
_BASES, _QUALITIES = re.compile(rb"[A-Za-z.]*"), re.compile(rb"[!-~]*")
# See `steps/alignment/qualities.py`: Phred+64 has ';' to 'i', and '^' or more for a sequencer's best qualities.
_BELOW_PHRED64 = re.compile(rb"[!-:]")
_PHRED33_ONLY = re.compile(rb"[!-:j-~]")
_BEST_OF_PHRED64 = re.compile(rb"[\^-i]")
_OTHER_NUMBERS = re.compile(r"(\S+[._:/-])(?:1|f|F) \1(?:2|r|R) (?!\1)(\S+[._:/-])(?:1|f|F) \2(?:2|r|R)")
_OTHER_NUMBERS_ADVICE = "give mates the same name, or set alignment.read_layout=single if these are single reads"
_SINGLE_ADVICE = "give the files of both mates, or set alignment.read_layout=single if these are single reads"
_INTERLEAVED_ADVICE = (
    "remove the reads without mates and set alignment.read_layout=interleaved, or set alignment.read_layout=single"
)
NO_READS = (
    "expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of the sample sheet"
)
ReadHead = Callable[[str, int], FastqHead]
_SAME_BASES = "expected the second reads, found the bases of the first ones again"
_ENCODING_ADVICE = "set alignment.quality_encoding=phred64 to convert them, or phred33 to take them as they are"


@dataclass(frozen=True, slots=True)
class Reading:
    """The way in which the alignment step reads FASTQ files; parameters of that step.

    Attributes:
        layout: What a lane with one file holds: auto, single or interleaved.
        encoding: The encoding of qualities: auto, phred33 or phred64.
    """

    layout: str = "auto"
    encoding: str = "auto"


@dataclass(frozen=True, slots=True)
class FirstReads:
    """The first records of a file.

    Attributes:
        headers: Their first lines.
        bases: Their bases.
        qualities: Their qualities, as written.
        is_whole: Whether the file has no more.
    """

    headers: list[ReadHeader]
    bases: list[bytes]
    qualities: list[bytes]
    is_whole: bool

    def every_second(self, start: int) -> FirstReads:
        """Return every second record, from the first (0) or the second (1) on."""
        return FirstReads(self.headers[start::2], self.bases[start::2], self.qualities[start::2], self.is_whole)


@dataclass(frozen=True, slots=True)
class CheckedLane:
    """The files of a lane, checked by their first records.

    Attributes:
        files: The first records of each file that is FASTQ, in order.
        problems: The file and the reason of each problem.
    """

    files: Sequence[FirstReads]
    problems: Sequence[tuple[str, str]]


def check_lane(
    uris: Sequence[str], reading: Reading, read_head: ReadHead, records: int = COMPARED_RECORDS
) -> CheckedLane:
    """Check the FASTQ files of a lane.

    Args:
        uris: The file of single or interleaved reads, or the two files of pairs.
        reading: How the files are to be read.
        read_head: Returns the first records of a file, given their number, or raises `UnusableReads`.
        records: The number of records to look at.
    """
    files: list[FirstReads] = []
    problems: list[tuple[str, str]] = []
    for uri in uris:
        try:
            files.append(_read(uri, read_head, reading.encoding, records))
        except UnusableReads as error:
            problems.append((uri, str(error)))
    if len(files) == len(uris):
        message = _pair_problem(*files) if len(files) == 2 else _one_file_problem(files[0], reading.layout)
        if message:
            problems.append((uris[-1], f"record {message}"))
    return CheckedLane(files, problems)


def _read(uri: str, read_head: ReadHead, encoding: str, records: int) -> FirstReads:
    """Return the first records of a FASTQ file.

    Args:
        uri: The file.
        read_head: See `check_lane`.
        encoding: The encoding of qualities: auto, phred33 or phred64.
        records: The number of records to look at.

    Raises:
        UnusableReads: for the first of them that is no FASTQ, and for qualities of another encoding.
    """
    head = read_head(uri, records)
    if not head.lines:
        raise UnusableReads(NO_READS)
    headers = [_header(head.lines[place : place + 4], place // 4 + 1) for place in range(0, len(head.lines), 4)]
    if encoding == "auto" and _is_like_phred64(head) and _is_like_phred64(more := read_head(uri, MORE_RECORDS)):
        qualities = b"".join(more.lines[3::4])
        span = f"{chr(min(qualities))!r} to {chr(max(qualities))!r}"
        found = f"found {span} in the first {len(more.lines[3::4])} records, as in Phred+64"
        raise UnusableReads(f"record 1: expected Phred+33 qualities, {found}: {_ENCODING_ADVICE}")
    if encoding == "phred64":
        _refuse_phred33(head)
    return FirstReads(headers, head.lines[1::4], head.lines[3::4], head.is_whole)


def _refuse_phred33(head: FastqHead) -> None:
    """Refuse qualities that Phred+64 does not have.

    Raises:
        UnusableReads: for the first record with such a quality.
    """
    for number, qualities in enumerate(head.lines[3::4], 1):
        if match := _BELOW_PHRED64.search(qualities):
            found = f"found {match[0].decode()!r}; set alignment.quality_encoding=phred33"
            raise UnusableReads(f"record {number}: expected Phred+64 qualities (';' and above), {found}")


def _header(record: list[bytes], number: int) -> ReadHeader:
    """Return the header of a record.

    Raises:
        UnusableReads: if the record is no FASTQ.
    """
    header = parse_header(record[0])
    if header is None:
        raise UnusableReads(f"record {number}: expected FASTQ ('@' and a name), found {example(record[0])}")
    if message := _record_problem(record, header):
        raise UnusableReads(f"record {number}: {message}")
    return header


def _record_problem(record: list[bytes], header: ReadHeader) -> str | None:
    """Return what is wrong with a record's lines; None if nothing is. The alignment step has the same rules."""
    if len(header.name) > LONGEST_NAME:
        name = example(header.name.encode("latin-1"))
        return f"expected a name of at most {LONGEST_NAME} characters, found {len(header.name)}: {name}"
    if len(record) < 4:
        return f"expected 4 lines, found {len(record)}: the file is truncated"
    _, bases, separator, qualities = record
    if not separator.startswith(b"+"):
        return f"expected '+' on the third line, found {example(separator)}"
    if len(bases) != len(qualities):
        return f"expected {len(bases)} qualities, as many as bases, found {len(qualities)}"
    if not _BASES.fullmatch(bases):
        return f"expected bases (letters), found {example(bases)}"
    if not _QUALITIES.fullmatch(qualities):
        return f"expected qualities (visible characters), found {example(qualities)}"
    return None


def _is_like_phred64(head: FastqHead) -> bool:
    qualities = b"".join(head.lines[3::4])
    return _PHRED33_ONLY.search(qualities) is None and _BEST_OF_PHRED64.search(qualities) is not None


def _pair_problem(first: FirstReads, second: FirstReads) -> str | None:
    """Return the number of the first record that is no mate of the other file's, and the reason; None without one."""
    for number, (one, other) in enumerate(zip(first.headers, second.headers, strict=False), 1):
        if message := mates_problem(one, other):
            return f"{number}: {message}"
    if place := _repeated(first.headers):
        return f"{place + 1}: {_own_name(first.headers[place])}"
    if message := _count_problem(first, second):
        return message
    return "1: " + _SAME_BASES if _are_equal(first, second) else None


def _count_problem(first: FirstReads, second: FirstReads) -> str | None:
    counts = [len(first.headers), len(second.headers)]
    if counts[0] < counts[1] and first.is_whole:
        found = second.headers[counts[0]].name
        return f"{counts[0] + 1}: expected the end of the file, as in the mates' file, found {found}"
    if counts[0] > counts[1] and second.is_whole:
        return f"{counts[1] + 1}: expected the mate of {first.headers[counts[1]].name}, found the end of the file"
    return None


def _one_file_problem(reads: FirstReads, layout: str) -> str | None:
    """Return the number of the first record that does not fit the others, and the reason; None if all fit."""
    names = [header.name for header in reads.headers]
    if layout == "interleaved" or (layout == "auto" and len(names) > 1 and names[0] == names[1]):
        return _interleaved_problem(reads)
    if layout == "single":
        return None
    if _OTHER_NUMBERS.fullmatch(" ".join(names[:4])):
        found = f"found {names[0]} and {names[1]}, which look like mates"
        return f"2: expected single reads, {found}; {_OTHER_NUMBERS_ADVICE}"
    for number, (name, following) in enumerate(pairwise(names), 2):
        if name == following:
            expected = f"expected single reads, as the first two are, found the mate of {name}"
            return f"{number}: {expected}: some pairs are interleaved; {_INTERLEAVED_ADVICE}"
    for number, header in enumerate(reads.headers, 1):
        if header.mate == 2:
            return f"{number}: expected single reads, found the second read of {header.name}; {_SINGLE_ADVICE}"
    return None


def _interleaved_problem(reads: FirstReads) -> str | None:
    firsts, seconds = reads.every_second(0), reads.every_second(1)
    for place, (one, other) in enumerate(zip(firsts.headers, seconds.headers, strict=False)):
        if message := mates_problem(one, other):
            return f"{2 * place + 2}: {message}"
    if again := _repeated(firsts.headers):
        return f"{2 * again + 1}: {_own_name(firsts.headers[again])}"
    if len(firsts.headers) > len(seconds.headers) and reads.is_whole:
        last = firsts.headers[-1].name
        return f"{len(reads.headers) + 1}: expected the mate of {last}, found the end of the file"
    return "2: " + _SAME_BASES if _are_equal(firsts, seconds) else None


def _repeated(headers: list[ReadHeader]) -> int | None:
    """Return the place of the first read that has the name of the one before it; None if there is none."""
    return next((place for place, pair in enumerate(pairwise(headers), 1) if pair[0].name == pair[1].name), None)


def _own_name(header: ReadHeader) -> str:
    return f"expected a name of its own for each pair, found {header.name} again; are these single reads?"


def _are_equal(first: FirstReads, second: FirstReads) -> bool:
    """Return whether all mates have the same bases, which are not those of one read again and again."""
    number = min(len(first.bases), len(second.bases))
    return first.bases[:number] == second.bases[:number] and len(set(first.bases[:number])) > 1
