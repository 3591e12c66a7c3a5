"""The tags that every alignment of a read has: its read group, and what must agree between duplicates.

Reads of several libraries, or of molecules with different identifiers (UMIs), are no duplicates of each other wherever
they are aligned. samtools compares one tag for that (`markdup --barcode-tag`). Its option for read groups compares
their IDs, so that reads of two lanes of one library would not be duplicates. The tags are those of the SAM
specification's optional fields (SAMtags): LB is the library, RX the bases of the UMI, its parts joined by hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from common.program import BadInput
from fastq import Reads, example
from lanes import Lane

BOTH = "Zk"  # a tag for local use: library and UMI; it is removed once duplicates are marked
NAME_FIELDS = 8  # instrument:run:flowcell:lane:tile:x:y:UMI, as Illumina's software writes names with a UMI
_UMI = re.compile(rb"[ACGTNacgtn]+(?:[-+_][ACGTNacgtn]+)*")
_JOINED = bytes.maketrans(b"+_", b"--")
_COMMENT = re.compile(rb"\sRX:Z:(\S*)")

Finder = Callable[[bytes, bytes], bytes | None]  # from a read's name and first line to its UMI


class ReadFields:
    """The tags of the reads of a sample, as in a BAM record: two letters, ``Z``, a text and NUL.

    Args:
        lanes: All lanes of the sample.
        umi: Where UMIs are: none, name or comment.
        pattern: A regular expression whose group is the UMI in a name; None for the last of eight fields.

    Raises:
        BadInput: for a pattern that cannot be used.
    """

    def __init__(self, lanes: Sequence[Lane], umi: str = "none", pattern: str | None = None) -> None:
        self._tags_libraries = len({lane.read_group["LB"] for lane in lanes}) > 1
        self._find = _finder(umi, pattern)
        self._source = "name" if umi == "name" else "comment (RX:Z:…)"

    @property
    def duplicates_share(self) -> str | None:
        """The tag that duplicates must share; None if there is none."""
        if self._tags_libraries:
            return "LB" if self._find is None else BOTH
        return None if self._find is None else "RX"

    def of(self, files: Sequence[Reads], lane: Lane, first: int) -> list[bytes]:
        """Return the tags of each read, mates in turn; one element if all reads have the same.

        Args:
            files: The reads of each file.
            lane: Their lane.
            first: The number of their first record.

        Raises:
            BadInput: for the first read without a UMI.
        """
        fields = _tag("RG", lane.read_group["ID"])
        if self._tags_libraries:
            fields += _tag("LB", lane.read_group["LB"])
        if self._find is None:
            return [fields]
        umis = [self._umis(reads, file.path, first) for reads, file in zip(files, lane.files, strict=True)]
        library = lane.read_group["LB"] if self._tags_libraries else None
        in_turn = (umi.decode("ascii") for mates in zip(*umis, strict=True) for umi in mates)
        return list(_with_umis(fields, library, in_turn))

    def _umis(self, reads: Reads, path: str, first: int) -> list[bytes]:
        """Return the UMI of each read, its parts joined by hyphens."""
        assert self._find is not None
        umis = []
        for place, (name, header) in enumerate(zip(reads.names, reads.headers, strict=True)):
            umi = self._find(name, header)
            if umi is None or not _UMI.fullmatch(umi):
                expected = f"expected a UMI (bases) in the {self._source}, found {example(header)}"
                raise BadInput(f"{path}: record {first + place}: {expected}; see the parameters umi and umi_pattern")
            umis.append(umi.translate(_JOINED))
        return umis


def _tag(name: str, value: str) -> bytes:
    return f"{name}Z{value}\0".encode()


def _with_umis(fields: bytes, library: str | None, umis: Iterable[str]) -> Iterable[bytes]:
    for umi in umis:
        yield fields + _tag("RX", umi) + (_tag(BOTH, f"{library}:{umi}") if library else b"")


def _finder(umi: str, pattern: str | None) -> Finder | None:
    """Return a function that finds the UMI of a read; None if there are none."""
    if umi == "comment":
        return lambda _, header: match[1] if (match := _COMMENT.search(header)) else None
    if umi != "name":
        return None
    if pattern is None:
        return lambda name, _: fields[-1] if len(fields := name.split(b":")) == NAME_FIELDS else None
    expression = _compiled(pattern)
    return lambda name, _: match[1] if (match := expression.search(name)) else None


def _compiled(pattern: str) -> re.Pattern[bytes]:
    try:
        expression = re.compile(pattern.encode())
    except re.error as error:
        raise BadInput(f"umi_pattern {pattern!r}: expected a regular expression: {error}") from None
    if expression.groups != 1:
        expected = "expected one group in parentheses, which is the UMI"
        raise BadInput(f"umi_pattern {pattern!r}: {expected}, found {expression.groups}")
    return expression
