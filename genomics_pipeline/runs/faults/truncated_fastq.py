"""Truncated FASTQ files, as interrupted transfers leave them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.stores.compression import LONGEST_START, compression_of
from genomics_pipeline.stores.protocol import Store

_PIECE = 1 << 20


def write_truncated(uri: str, store: Store, folder: Path) -> Path:
    """Write the first half of a FASTQ file into a folder, under its own name, and return its path.

    Args:
        uri: The path or URI of the file.
        store: The store that reads it.
        folder: The folder.
    """
    info = store.stat(uri)
    half = info.size_bytes // 2 if info else 0
    with store.open(uri) as head:
        compressed = compression_of(head.read(LONGEST_START)) is not None
    copy = folder / file_name(uri)
    with store.open(uri) as whole, copy.open("wb") as out:
        (_copy_half_of_bytes if compressed else _copy_half_of_records)(whole, out, half)
    return copy


def _copy_half_of_bytes(whole: BinaryIO, out: BinaryIO, half: int) -> None:
    while half > 0 and (piece := whole.read(min(half, _PIECE))):
        half -= out.write(piece)


def _copy_half_of_records(whole: BinaryIO, out: BinaryIO, half: int) -> None:
    """Copy whole records, and the first two of the four lines of the last record."""
    while half > 0 and (record := list(islice(whole, 4))):
        half -= sum(map(len, record))
        out.writelines(record if half > 0 else record[:2])
