"""Headers of remote VCF and BCF files, and how records of them begin and end.

A BCF file has the length of its header behind its magic number, and in each record the number of its contig; its index
has no names (VCF specification 4.3, 6.2 and 6.3). Without ``IDX``, contigs are numbered as they stand in the header.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.bgzf import Block

_BCF = b"BCF\x02"
_LENGTH_PLACE, _TEXT_PLACE = 5, 9  # of the header's text, in bytes
_CONTIG_PLACE = 8  # in a record, behind the lengths of its two parts
_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=([^,>]+)")
_NUMBER = re.compile(r",IDX=(\d+)")


@dataclass(frozen=True, slots=True)
class ExcerptHeader:
    """A header as the file has it.

    Attributes:
        data: Its bytes.
        numbers: The number of each contig of a BCF file; None of a VCF file, whose index has the names.
    """

    data: bytes
    numbers: Mapping[str, int] | None = None

    def begins_record(self, piece: bytes, contig: str) -> bool:
        """Return whether bytes, of which there may be few, are the beginning of a record of a contig."""
        if self.numbers is None:
            return bool(piece) and piece.startswith(f"{contig}\t".encode()[: len(piece)])
        number = struct.pack("<i", self.numbers[contig])
        return bool(piece) and number.startswith(piece[_CONTIG_PLACE : _CONTIG_PLACE + len(number)])

    def ends_record(self, piece: bytes) -> bool:
        """Return whether bytes may end with a record; those of a BCF file may end with anything."""
        return self.numbers is not None or piece.endswith(b"\n")


def read_header(blocks: Iterable[Block]) -> ExcerptHeader:
    """Return the header of a VCF or BCF file.

    Args:
        blocks: The blocks of the file, of which no more are taken than the header has.

    Raises:
        DataError: if there is none.
    """
    data, line = bytearray(), 0
    for block in blocks:
        data += block.text
        if data.startswith(_BCF):
            if len(data) >= _TEXT_PLACE and len(data) >= (end := _TEXT_PLACE + _bcf_text_bytes(data)):
                return ExcerptHeader(bytes(data[:end]), _contig_numbers(bytes(data[_TEXT_PLACE:end])))
            continue
        while line < len(data) and data[line : line + 1] == b"#" and (end := data.find(b"\n", line)) >= 0:
            line = end + 1
        if line < len(data) and data[line : line + 1] != b"#":
            break
        if len(data) > budgets.VCF_HEADER.value:
            raise DataError(f"expected a header of at most {budgets.VCF_HEADER}, found more")
    if not data.startswith(b"##fileformat=VCF"):
        raise DataError(f"expected a VCF (##fileformat=VCF) or a BCF file, found {bytes(data[:20])!r}")
    return ExcerptHeader(bytes(data[:line]))


def _bcf_text_bytes(data: bytearray) -> int:
    (size,) = struct.unpack_from("<I", data, _LENGTH_PLACE)
    if size > budgets.VCF_HEADER.value:
        raise DataError(f"expected a header of at most {budgets.VCF_HEADER}, found more")
    return int(size)


def _contig_numbers(text: bytes) -> dict[str, int]:
    r"""Return the number of each contig.

    >>> _contig_numbers(b"##contig=<ID=b,length=5>\n##contig=<ID=a>\n"), _contig_numbers(b"##contig=<ID=c,IDX=7>")
    ({'b': 0, 'a': 1}, {'c': 7})
    """
    numbers: dict[str, int] = {}
    for line in text.rstrip(b"\0").decode("utf-8", "backslashreplace").splitlines():
        if match := _CONTIG.match(line):
            number = _NUMBER.search(line)
            numbers.setdefault(match[1], int(number[1]) if number else len(numbers))
    return numbers
