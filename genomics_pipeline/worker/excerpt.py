"""Excerpts of remote VCF and BCF files: the header and the records of some regions, read by the file's index in parts.

An excerpt is a file of bgzip by itself, with an index of its own. Its whole blocks are copied as they are; only the
bytes at the borders of chunks are compressed anew.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.bgzf import END, MAX_BLOCK_BYTES, Block, compressed, whole_blocks
from genomics_pipeline.reference.tabix_index import IndexChunk, TabixIndex, merged
from genomics_pipeline.stores.protocol import ChangedObject, Store, TransferStopped
from genomics_pipeline.worker.excerpt_header import ExcerptHeader, read_header

HEADER_BYTES = 1 << 16  # read at once: the header of a human gVCF has about half of that, compressed
PART_BYTES = 8 << 20
# Two chunks as near as this are read together: a request costs more than the bytes between them.
NEAR_BYTES = 1 << 16
# Two regions as near as this are one: a linear index has windows of 16 kb.
NEAR_BP = 1 << 14
_MISFIT = "the file is damaged, or the index is of another file"


class Span(NamedTuple):
    """Bases [start, end) of a contig, counted from 0."""

    contig: str
    start: int
    end: int


def spans_of(regions: Iterable[str], margin_bp: int) -> list[Span]:
    """Return the spans of an item's regions, wider on both sides; those that are near each other are one.

    Args:
        regions: The regions, such as ``chr1:1-5000000``, in the reference's order.
        margin_bp: The bases on each side of a region.

    Raises:
        DataError: for a region of another form.

    >>> spans_of(["HLA:1:100-200", "HLA:1:5000-6000", "2:30000-30001"], 150)
    [Span(contig='HLA:1', start=0, end=6150), Span(contig='2', start=29849, end=30151)]
    """
    spans: list[Span] = []
    for region in regions:
        contig, _, bounds = region.rpartition(":")
        first, _, last = bounds.partition("-")
        if not (contig and first.isdecimal() and last.isdecimal()):
            raise DataError(f"expected a region such as chr1:1-5000000 in the item, found {region!r}")
        span = Span(contig, max(int(first) - 1 - margin_bp, 0), int(last) + margin_bp)
        if spans and spans[-1].contig == contig and span.start <= spans[-1].end + NEAR_BP:
            spans[-1] = spans[-1]._replace(end=max(span.end, spans[-1].end))
        else:
            spans.append(span)
    return spans


@dataclass(slots=True)
class PartReader:
    """One version of a remote file, read in parts.

    Attributes:
        store: The store of the file.
        uri: The file.
        version: `ObjectInfo.version` that it must have.
        size_bytes: The size that it must have.
        cancelled: Ends reading when it is set.
        read_bytes: The bytes that were read.
    """

    store: Store
    uri: str
    version: str
    size_bytes: int
    cancelled: threading.Event
    read_bytes: int = 0
    _head: bytes = b""

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes between two places.

        Raises:
            ChangedObject: if the file has another version or size.
            TransferStopped: if it was cancelled.
        """
        if self.cancelled.is_set():
            raise TransferStopped(self.uri)
        if end <= len(self._head):  # the whole of a small file
            return self._head[start:end]
        part = self.store.read_part(self.uri, start, end - start, self.version)
        if part.size_bytes != self.size_bytes or len(part.data) != end - start:
            raise ChangedObject(self.uri, f"expected {self.size_bytes} bytes, found {part.size_bytes}")
        self.read_bytes += len(part.data)
        if start == 0:
            self._head = part.data
        return part.data

    def blocks(self, start: int, end: int, part_bytes: int = PART_BYTES) -> Iterator[Block]:
        """Yield the whole blocks between two places, the first of which is the beginning of a block.

        Args:
            start: The place of the first block.
            end: The place behind the last byte that is read.
            part_bytes: The bytes that are read at once.

        Raises:
            DataError: for bytes that are no block, and for a block that is damaged.
        """
        end, rest = min(end, self.size_bytes), b""
        while start < end:
            size = min(part_bytes, end - start)
            data, offset = rest + self.read(start, start + size), start - len(rest)
            used = 0
            for block in whole_blocks(data, offset):
                yield block
                used += len(block.raw)
            rest, start = data[used:], start + size


def write_excerpt(file: PartReader, index: TabixIndex, spans: Sequence[Span], path: Path) -> None:
    """Write the header of a file and its records of some spans, with some others, and an index of these.

    Args:
        file: The file.
        index: Its index.
        spans: The spans.
        path: The file to write; the index is written beside it, of the kind that the file has.

    Raises:
        DataError: if the file is no VCF that bgzip compressed, and no BCF, is damaged, or its index is of another file.
    """
    import pysam

    header = read_header(file.blocks(0, file.size_bytes, HEADER_BYTES))
    index.refuse_lack_of_names(header.numbers)
    with path.open("wb") as out:
        out.write(compressed(header.data))
        for run in _runs(_labelled_chunks(index, spans, header.numbers)):
            _copy(file, header, run, out)
        out.write(END)
    kind: Any = "vcf" if header.numbers is None else "bcf"  # which the types of pysam do not know
    try:
        pysam.tabix_index(str(path), preset=kind, force=True, csi=index.is_csi)
    except (OSError, ValueError):
        raise DataError(f"expected sorted records of {kind.upper()}, found others; {_MISFIT}") from None


class _Labelled(NamedTuple):
    """A chunk of a contig."""

    chunk: IndexChunk
    contig: str


def _labelled_chunks(index: TabixIndex, spans: Sequence[Span], numbers: Mapping[str, int] | None) -> list[_Labelled]:
    """Return the chunks of all spans, in the file's order, without overlaps.

    Args:
        index: The index.
        spans: The spans.
        numbers: The number of each contig in an index without names.
    """
    found: dict[str, list[IndexChunk]] = {}
    for span in spans:
        found.setdefault(span.contig, []).extend(index.chunks(*span, numbers))
    return sorted(_Labelled(chunk, contig) for contig, chunks in found.items() for chunk in merged(chunks))


def _runs(chunks: Iterable[_Labelled]) -> Iterator[list[_Labelled]]:
    """Yield the chunks that are read together."""
    run: list[_Labelled] = []
    for one in chunks:
        if run and (one.chunk.start >> 16) - (run[-1].chunk.end >> 16) > NEAR_BYTES:
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _copy(file: PartReader, header: ExcerptHeader, run: Sequence[_Labelled], out: BinaryIO) -> None:
    """Copy chunks that are read together.

    Args:
        file: The file.
        header: Its header.
        run: The chunks.
        out: The excerpt.

    Raises:
        DataError: if they are not as the index says.
    """
    last, within = divmod(run[-1].chunk.end, MAX_BLOCK_BYTES)
    waiting = deque(run)
    # A block's size is known only when it is read.
    for block in file.blocks(run[0].chunk.start >> 16, last + (MAX_BLOCK_BYTES if within else 0)):
        behind = block.offset + len(block.raw) << 16  # as a virtual offset
        while waiting and waiting[0].chunk.start < behind:
            _write_piece(block, header, waiting[0], out)
            if waiting[0].chunk.end > behind:
                break
            waiting.popleft()
    if waiting:
        raise DataError(f"expected records to byte {last}, found an earlier end; {_MISFIT}")


def _write_piece(block: Block, header: ExcerptHeader, one: _Labelled, out: BinaryIO) -> None:
    """Write the part of a chunk that is in a block.

    Args:
        block: The block.
        header: The header of the file.
        one: The chunk.
        out: The excerpt.

    Raises:
        DataError: if the chunk does not begin with a record of its contig, or ends elsewhere than a record.
    """
    here, behind = block.offset << 16, block.offset + len(block.raw) << 16
    begin, end = one.chunk.start - here, one.chunk.end - here
    piece = block.text[max(begin, 0) : end]
    if begin >= 0 and not header.begins_record(piece, one.contig):
        raise DataError(f"expected a record of {one.contig} at byte {block.offset}, found {piece[:20]!r}; {_MISFIT}")
    ends_here = 0 < end < behind - here
    if ends_here and (end > len(block.text) or not header.ends_record(piece)):
        raise DataError(f"expected the end of a record at byte {block.offset}, found {piece[-20:]!r}; {_MISFIT}")
    if piece:
        out.write(block.raw if len(piece) == len(block.text) else compressed(piece))
