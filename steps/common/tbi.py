"""The index of a VCF whose records' places are known from writing them: reading it again would take longer."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from common.arrays import distinct
from common.bgzf_parts import BLOCK_BYTES, END, bgzf_block
from common.position_index import Integers, PositionIndex

START_BYTES = 18  # of a block, which end with its size less 1 (SAM specification, 4.1)
OF_VCF = (2, 1, 2, 0, ord("#"), 0)  # the format, and the columns of contig and position


class Places:
    """The places of a file's records, which begin with CHROM, POS, ID and REF and end with their reference allele.

    Args:
        contigs: The contigs, in order.
    """

    def __init__(self, contigs: Iterable[str]) -> None:
        self._rank = {name: number for number, name in enumerate(contigs)}
        self._rows: list[tuple[int, int, int, int]] = []
        self._bytes = 0

    def add(self, line: str) -> None:
        """Add the record that follows, a line of ASCII."""
        contig, pos, _, ref, _ = line.split("\t", 4)
        begin = int(pos) - 1
        self._rows.append((self._rank[contig], begin, begin + len(ref), self._bytes))
        self._bytes += len(line)

    def adding(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """Return a function that adds a record, and writes it."""

        def add_and_write(line: str) -> None:
            self.add(line)
            write(line)

        return add_and_write

    def rows(self) -> list[tuple[int, int, int, int]]:
        """Return contig, first base from 0, end and place of each record, and a last row with the end of the text."""
        return [*self._rows, (0, 0, 0, self._bytes)]


def write_tbi(path: Path, header_bytes: int, parts: Iterable[Sequence[Sequence[int]]], contigs: Sequence[str]) -> None:
    """Write the index of a VCF.

    Args:
        path: The VCF, a BGZF file.
        header_bytes: The size of its header.
        parts: `Places.rows` of each of its parts.
        contigs: The contigs, in order.
    """
    rows: list[Integers] = []
    start = header_bytes
    for part in parts:
        values = np.array(part, dtype=np.int64)
        values[:, 3] += start
        start = int(values[-1, 3])
        rows.append(values[:-1])
    numbers, begins, ends, places = np.concatenate(rows).T
    used = distinct(numbers)
    index = PositionIndex(len(used))
    if len(places):
        index.add(np.searchsorted(used, numbers), begins, ends, places, np.ones(len(places), dtype=bool))
    names = b"".join(contigs[number].encode() + b"\0" for number in used.tolist())
    head = struct.pack("<8i", len(used), *OF_VCF, len(names))
    content = b"TBI\1" + head + names + index.content(*block_borders(path))
    blocks = (bgzf_block(content[place : place + BLOCK_BYTES]) for place in range(0, len(content), BLOCK_BYTES))
    Path(f"{path}.tbi").write_bytes(b"".join([*blocks, END]))


def block_borders(path: Path) -> tuple[Integers, Integers]:
    """Return where each block of a BGZF file begins, the empty one at the end included, uncompressed and compressed."""
    sizes: list[tuple[int, int]] = []
    place = 0
    with path.open("rb") as file:
        descriptor = file.fileno()
        start = os.pread(descriptor, START_BYTES, 0)
        while len(start) == START_BYTES:
            size = int.from_bytes(start[-2:], "little") + 1
            place += size
            ending = os.pread(descriptor, 4 + START_BYTES, place - 4)
            sizes.append((int.from_bytes(ending[:4], "little"), size))
            start = ending[4:]
    starts, places = np.cumsum([(0, 0), *sizes[:-1]], axis=0, dtype=np.int64).T
    return starts, places
