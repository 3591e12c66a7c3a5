"""Records of a BCF file as the bytes that they are: pysam, which parses them, writes INFO/END of some anew.

The format is that of the VCF specification 4.3, 6.3: all values little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, NamedTuple

import pysam

MAGIC = b"BCF\2\2"
_SIZES = struct.Struct("<II")  # of what all samples share, and of what each has
_PLACE = struct.Struct("<ii")
_FIXED = struct.Struct("<iiiIHHI")  # contig, position, length, QUAL, number of INFO, of alleles, of samples and FORMAT
_NO_QUAL = 0x7F800001
_NO_ID, _TEXT_OF_ONE, _NO_FILTER = b"\x07", b"\x17", b"\x00"


class BcfRecord(NamedTuple):
    """A record.

    Attributes:
        contig: The number of its contig in the header.
        pos: Its position, from 1.
        data: Its bytes, with their sizes.
    """

    contig: int
    pos: int
    data: bytes


class BcfRecords:
    """The records of a BCF file that bgzip compressed, in order.

    Args:
        path: The file.

    Attributes:
        header: The bytes before the first record.

    Raises:
        ValueError: for another file.
    """

    def __init__(self, path: str) -> None:
        self._file = pysam.BGZFile(path, "rb", index=None)
        head = self._file.read(len(MAGIC) + 4)
        if head[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path}: expected a BCF file, found another")
        self.header = head + self._file.read(int.from_bytes(head[len(MAGIC) :], "little"))

    def __enter__(self) -> BcfRecords:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[BcfRecord]:
        while sizes := self._file.read(_SIZES.size):
            data = self._file.read(sum(_SIZES.unpack(sizes)))
            contig, pos = _PLACE.unpack_from(data)
            yield BcfRecord(contig, pos + 1, sizes + data)


def record_without_allele(contig: int, pos: int, samples: int) -> bytes:
    """Return the bytes of a record of ``N`` and ``*``, without any fields.

    Args:
        contig: The number of its contig in the header.
        pos: Its position, from 1.
        samples: The number of samples.
    """
    shared = _FIXED.pack(contig, pos - 1, 1, _NO_QUAL, 0, 2, samples)
    shared += b"".join([_NO_ID, _TEXT_OF_ONE, b"N", _TEXT_OF_ONE, b"*", _NO_FILTER])
    return _SIZES.pack(len(shared), 0) + shared


def write_records(path: str, header: bytes, records: Iterable[BcfRecord]) -> None:
    """Write a BCF file with its index.

    Args:
        path: The file.
        header: The bytes before the first record.
        records: The records, sorted by position.
    """
    with pysam.BGZFile(path, "wb", index=None) as out:
        out.write(header)
        for record in records:
            out.write(record.data)
    kind: Any = "bcf"  # which the types of pysam do not know
    pysam.tabix_index(path, preset=kind, csi=True, force=True)
