"""minibwa's index: the sequences and bases in ``.l2b``, the sizes of its files, and samples of ``.mbw``.

The formats are those of l2b_save in minibwa's l2bit.c, and of mb_bwt_save and mb_bwt_data_len in its bwt.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.packed_bases import Packing, has_same_bases, has_same_samples

L2B_MAGIC, MBW_MAGIC = b"L2B\1", b"MBW\2"
_L2B_HEADER = struct.Struct("<4s4x7Q")  # sequences, bases, ambiguous and masked parts, bytes of names and of comments,
# words of 32 bases
_MBW_HEADER = struct.Struct("<4sI5Q")  # log2 of the sampling interval, the row of the text, sums of the bases A to T
_BLOCK_BASES, _BLOCK_BYTES, _COUNT_BYTES = 128, 64, 32  # of .mbw: four counts of 8 bytes, then the bases
_END_BYTES = 32  # four counts behind the last block
SAMPLES = 64
MOST_NAME_BYTES = 200_000_000


class L2bHead(NamedTuple):
    """The head of ``.l2b``.

    Attributes:
        lengths: The lengths of the sequences in bp.
        bases: Their sum.
        packed: The offset of the bases, four a byte.
        names: The offset of the names.
        name_bytes: The size of the names.
        size: The size of the file.
    """

    lengths: tuple[int, ...]
    bases: int
    packed: int
    names: int
    name_bytes: int
    size: int


def l2b_contigs(files: Sequence[Path]) -> Iterator[Contig]:
    """Yield the sequences of ``.l2b``.

    Raises:
        DataError: for a file that is no such index.
    """
    path = _file(files, ".l2b")
    content = _read_head(path)
    if content.name_bytes > MOST_NAME_BYTES:
        raise DataError(f"expected names of at most {MOST_NAME_BYTES:,} bytes, found {content.name_bytes:,}")
    with path.open("rb") as file:
        names = _at(file, content.names, content.name_bytes).split(b"\0")[:-1]
    for name, length in zip(names, content.lengths, strict=True):
        yield Contig(name.decode("latin-1"), length)


def minibwa_mismatch(fasta: Path, files: Sequence[Path]) -> str | None:
    """Compare sizes and samples of minibwa's files with each other and with the FASTA file; None if they match."""
    l2b, mbw = _file(files, ".l2b"), _file(files, ".mbw")
    content = _read_head(l2b)
    for path, size in ((l2b, content.size), (mbw, _mbw_bytes(content.bases))):
        if (found := path.stat().st_size) != size:
            return f"expected {size} bytes of {path.name} for {content.bases} bases, found {found}"
    with ExitStack() as opened:
        packed, transform = (opened.enter_context(path.open("rb")) for path in (l2b, mbw))
        if not _belongs(content, packed, transform):
            return f"expected files of one index, found {mbw.name} damaged or of another one"
    if not has_same_samples(fasta, l2b, _packing(content)):
        return f"expected the bases of {fasta.name}, found others"
    return None


def has_bases_of(fasta: Path, files: Sequence[Path]) -> bool:
    """Return whether an index has all bases of a FASTA file."""
    path = _file(files, ".l2b")
    return has_same_bases(fasta, path, _packing(_read_head(path)))


def _packing(content: L2bHead) -> Packing:
    return Packing(shifts=(0, 2, 4, 6), offset=content.packed)


def _read_head(path: Path) -> L2bHead:
    with path.open("rb") as file:
        head = file.read(_L2B_HEADER.size)
        magic, count, bases, ambiguous, masked, names, comments, words = _L2B_HEADER.unpack(head)
        if magic != L2B_MAGIC or 8 * count > path.stat().st_size:
            raise DataError(f"expected minibwa's index, found another file: {path.name}")
        lengths = struct.unpack(f"<{count}Q", file.read(8 * count))
    packed = _L2B_HEADER.size + 8 * count + 16 * (ambiguous + masked)
    place = packed + 8 * words
    return L2bHead(lengths, bases, packed, place, names, place + names + comments)


def _mbw_bytes(bases: int) -> int:
    return _suffixes_offset(bases) + 8 * ((2 * bases + 16) // 16)


def _suffixes_offset(bases: int) -> int:
    """Return where ``.mbw`` has the places of every 16th suffix, behind their number."""
    return _MBW_HEADER.size + -(-2 * bases // _BLOCK_BASES) * _BLOCK_BYTES + _END_BYTES + 8


def _belongs(content: L2bHead, packed: BinaryIO, transform: BinaryIO) -> bool:
    """Return whether, for rows that are sampled, the transform has the base before the place of the row's suffix."""
    both = 2 * content.bases
    magic, bits, primary, *sums = _MBW_HEADER.unpack(_at(transform, 0, _MBW_HEADER.size))
    if magic != MBW_MAGIC or bits != 4 or sums[-1] != both:
        return False
    stored = both // 16
    for number in sorted({1 + stored * sample // SAMPLES for sample in range(SAMPLES)}):
        row = number * 16
        if number > stored or row == primary:
            continue
        place = int.from_bytes(_at(transform, _suffixes_offset(content.bases) + 8 * number, 8), "little")
        if not 0 < place <= both or _transformed(transform, row - (row > primary)) != _base(content, packed, place - 1):
            return False
    return True


def _transformed(transform: BinaryIO, row: int) -> int:
    """Return the base, 0 to 3, of a row of the transform, without the row of the whole text."""
    block, rest = divmod(row, _BLOCK_BASES)
    offset = _MBW_HEADER.size + block * _BLOCK_BYTES + _COUNT_BYTES + rest // 4
    return _at(transform, offset, 1)[0] >> 2 * (rest % 4) & 3


def _base(content: L2bHead, packed: BinaryIO, place: int) -> int:
    """Return the base, 0 to 3, at a place of the forward strand and the reverse strand behind it."""
    if place >= content.bases:
        return 3 - _base(content, packed, 2 * content.bases - 1 - place)
    return _at(packed, content.packed + place // 4, 1)[0] >> 2 * (place % 4) & 3


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _file(files: Sequence[Path], suffix: str) -> Path:
    return next(file for file in files if file.suffix == suffix)
