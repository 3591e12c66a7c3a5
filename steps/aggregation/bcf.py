"""Uncompressed BCF as `bcftools call` reads and writes it, with the values of all samples as arrays.

Text of a large cohort would take longer to write and to parse than genotyping itself. The format is that of the VCF
specification 4.3, 6.3: all values little-endian.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple

import numpy as np

Array = Any  # of numpy
MAGIC = b"BCF\2\2"
INTEGERS: dict[int, Any] = {1: np.dtype("<i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4")}  # numpy's, by their type
KINDS = {one: kind for kind, one in INTEGERS.items()}
BYTES, LETTERS = {1: 1, 2: 2, 3: 4}, {1: "b", 2: "h", 3: "i"}  # of an integer, the latter of `struct`
FLOAT, TEXT, LONG = 5, 7, 15  # types of values, and the size that stands for a longer one
MISSING, END = {1: -128, 2: -(1 << 15), 3: -(1 << 31)}, {1: -127, 2: 1 - (1 << 15), 3: 1 - (1 << 31)}
ONE_BYTE = 1 << 4 | 1  # the type and size of one integer of 8 bits
BLOCK_START = 18  # bytes before the data of a block of BGZF
BLOCK_END, BLOCK_BYTES = 8, 1 << 16  # CRC and size behind the data, and the most bytes of content
STORED, STORED_START = (
    b"\1",
    5,
)  # the only DEFLATE block, which is not compressed, and what precedes it (RFC 1951, 3.2.4)
BUFFER_BYTES = 1 << 16
RESERVED = 8  # least integers of each type, which are no values
NO_QUAL = b"\1\0\x80\x7f"
DECLARED = re.compile(r"##(FILTER|INFO|FORMAT|contig)=<ID=([^,>]+)(?:.*,IDX=(\d+)>)?")


class Names:
    """The names that a header declares, by their numbers.

    Args:
        header: The lines of the header, with IDX or without.
    """

    def __init__(self, header: str) -> None:
        self.contigs: dict[int, str] = {}
        self.keys = {0: "PASS"}
        numbers = {"PASS": 0}
        for kind, name, given in DECLARED.findall(header):
            if kind == "contig":
                self.contigs[int(given) if given else len(self.contigs)] = name
            else:
                number = int(given) if given else numbers.get(name, len(numbers))
                self.keys[number] = name
                numbers[name] = number
        self.number_of = numbers
        self.contig_numbers = {name: number for number, name in self.contigs.items()}


class NewRecord(NamedTuple):
    """A record to write.

    Attributes:
        contig: Its contig.
        pos: Its position, from 1.
        name: Its ID.
        alleles: Its alleles, the reference first.
        info: Its INFO fields: True for a flag, a whole number, or real numbers.
        samples: Its FORMAT fields: an integer array of shape (samples, values) each, `MISSING` of its type included.
    """

    contig: str
    pos: int
    name: str
    alleles: Sequence[str]
    info: Mapping[str, bool | int | Sequence[float]]
    samples: Mapping[str, Array]


class BcfWriter:
    """A BCF file that is written, without an ID for a header's lines.

    Args:
        out: The file.
        header: The header.
    """

    def __init__(self, out: BinaryIO, header: str) -> None:
        self._out, self._names = out, Names(header)
        text = header.encode() + b"\0"
        out.write(MAGIC + struct.pack("<I", len(text)) + text)

    def write(self, fields: NewRecord) -> None:
        """Write a record, with QUAL 0 and no FILTER."""
        numbers = self._names.number_of
        info = [_integer(numbers[name]) + _info(value) for name, value in fields.info.items()]
        samples = len(next(iter(fields.samples.values())))
        shared = struct.pack(
            "<iiifHHI",
            self._names.contig_numbers[fields.contig],
            fields.pos - 1,
            len(fields.alleles[0]),
            0.0,
            len(info),
            len(fields.alleles),
            samples | len(fields.samples) << 24,
        )
        texts = [_sized(TEXT, len(text)) + text.encode() for text in (fields.name, *fields.alleles)]
        shared += b"".join([*texts, b"\0", *info])
        columns: list[bytes] = []
        for name, values in fields.samples.items():
            columns += [_integer(numbers[name]), _sized(KINDS[values.dtype], values.shape[1]), values.tobytes()]
        sizes = struct.pack("<II", len(shared), sum(map(len, columns)))
        self._out.write(b"".join([sizes, shared, *columns]))


def _sized(kind: int, size: int) -> bytes:
    return bytes([size << 4 | kind]) if size < LONG else bytes([LONG << 4 | kind]) + _integer(size)


@lru_cache
def _integer(value: int) -> bytes:
    """Return one integer, in the smallest type that holds it."""
    for kind, size_bytes in BYTES.items():
        if RESERVED - (1 << 8 * size_bytes - 1) <= value < 1 << 8 * size_bytes - 1:
            return bytes([1 << 4 | kind]) + value.to_bytes(size_bytes, "little", signed=True)
    raise OverflowError(f"expected an integer of 32 bits, found {value}")


def _info(value: bool | int | Sequence[float]) -> bytes:
    if value is True:
        return b"\0"
    if isinstance(value, int):
        return _integer(value)
    return _sized(FLOAT, len(value)) + struct.pack(f"<{len(value)}f", *value)


def smallest(values: Array) -> Array:
    """Return integers in the smallest type of BCF that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kinds = (one for one in INTEGERS.values() if int(np.iinfo(one).min) + RESERVED <= low and high <= np.iinfo(one).max)
    return values.astype(next(kinds))


class CalledRecord(NamedTuple):
    """A record that was read.

    Attributes:
        contig: Its contig.
        pos: Its position, from 1.
        name: Its ID.
        qual: Its QUAL; "." where it is missing.
        alleles: Its alleles, the reference first.
        info: The text of each of its INFO fields, without the name; None for a flag.
        samples: The values of each of its FORMAT fields: an array of shape (samples, values).
    """

    contig: str
    pos: int
    name: str
    qual: str
    alleles: tuple[str, ...]
    info: Mapping[str, str | None]
    samples: Mapping[str, Array]


class BgzfBlocks(io.RawIOBase):
    """The content of a BGZF file: a gzip member for each block, whose size its header says (SAM specification, 4.1).

    Args:
        file: The file, or a pipe.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._content = file, memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return how many bytes; 0 at the end."""
        while not self._content:
            start = self._file.read(BLOCK_START)
            if len(start) < BLOCK_START:
                return 0
            size = int.from_bytes(start[-2:], "little") + 1 - BLOCK_START
            if len(block := self._file.read(size)) < size:
                return 0
            self._content = memoryview(inflated(memoryview(block)[:-BLOCK_END]))
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size


def inflated(data: bytes | memoryview) -> bytes | memoryview:
    r"""Return the content of DEFLATE data; of data that is stored, as of `bcftools -Ou`, a view of it.

    >>> bytes(inflated(b"\1\3\0\xfc\xffBCF")), inflated(zlib.compress(b"BCF")[2:-4])
    (b'BCF', b'BCF')
    """
    if data[:1] == STORED and int.from_bytes(data[1:3], "little") == len(data) - STORED_START:
        return memoryview(data)[STORED_START:]
    return zlib.decompress(data, -zlib.MAX_WBITS, BLOCK_BYTES)


class BcfReader:
    """A BCF file that is read, as bcftools writes it to a pipe: in BGZF blocks, not compressed.

    It ends where the program that writes it does; who waits for that knows whether it has failed.

    Args:
        file: The file, or a pipe.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file = io.BufferedReader(BgzfBlocks(file), BUFFER_BYTES)
        self.header: list[str] = []
        start = file.read(len(MAGIC) + 4)
        if len(start) == len(MAGIC) + 4:
            text = file.read(struct.unpack("<I", start[-4:])[0]).rstrip(b"\0").decode()
            self._names = Names(text)
            self.header = re.sub(r",IDX=\d+>$", ">", text, flags=re.MULTILINE).splitlines(keepends=True)

    def __iter__(self) -> Iterator[CalledRecord]:
        while len(sizes := self._file.read(8)) == 8:
            shared, of_samples = struct.unpack("<II", sizes)
            data = self._file.read(shared + of_samples)
            if len(data) < shared + of_samples:
                return
            yield self._record(data, shared)

    def _record(self, data: bytes, place: int) -> CalledRecord:
        contig, pos, _, _, infos, alleles, counts = struct.unpack_from("<iiifHHI", data)
        texts = Values(data, 24)
        name, *names = [texts.text() for _ in range(alleles + 1)]
        texts.skip()  # FILTER
        info = {self._names.keys[texts.integer()]: texts.shown() for _ in range(infos)}
        columns = Values(data, place)
        samples = counts & 0xFFFFFF
        fields = {self._names.keys[columns.integer()]: columns.array(samples) for _ in range(counts >> 24)}
        qual = "." if data[12:16] == NO_QUAL else f"{struct.unpack_from('<f', data, 12)[0]:g}"
        return CalledRecord(self._names.contigs[contig], pos + 1, name, qual, tuple(names), info, fields)


class Values:
    """Typed values of a record, one after the other.

    Args:
        data: The record.
        place: The place of the first.
    """

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place

    def _type(self) -> tuple[int, int]:
        """Return the type of the next values, and how many they are."""
        first = self._data[self._place]
        self._place += 1
        size, kind = first >> 4, first & 15
        return kind, self.integer() if size == LONG else size

    def _bytes(self, size_bytes: int) -> bytes:
        self._place += size_bytes
        return self._data[self._place - size_bytes : self._place]

    def integer(self) -> int:
        """Return an integer."""
        place = self._place
        if self._data[place] == ONE_BYTE:  # as nearly all are
            self._place += 2
            value = self._data[place + 1]
            return value if value < 1 << 7 else value - (1 << 8)
        kind, _ = self._type()
        return int.from_bytes(self._bytes(BYTES[kind]), "little", signed=True)

    def text(self) -> str:
        """Return a text."""
        _, size = self._type()
        return self._bytes(size).decode()

    def skip(self) -> None:
        """Skip integers."""
        kind, size = self._type()
        self._place += size * BYTES[kind] if size else 0

    def shown(self) -> str | None:
        """Return values as VCF has them; None for a flag."""
        kind, size = self._type()
        if not size:
            return None
        if kind == TEXT:
            return self._bytes(size).decode()
        if kind == FLOAT:
            return ",".join(f"{one:g}" for one in struct.unpack(f"<{size}f", self._bytes(4 * size)))
        values = struct.unpack(f"<{size}{LETTERS[kind]}", self._bytes(size * BYTES[kind]))
        return ",".join("." if one == MISSING[kind] else str(one) for one in values if one != END[kind])

    def array(self, samples: int) -> Array:
        """Return integers of samples: an array of shape (samples, values)."""
        kind, size = self._type()
        values = np.frombuffer(self._data, INTEGERS[kind], samples * size, self._place).reshape(samples, size)
        self._place += samples * size * BYTES[kind]
        return values
