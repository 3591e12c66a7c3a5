"""Compressed content of every kind: whole, in several parts, damaged, and far larger than its file."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator

import pytest
import zstandard

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.decompression import decompressed

MIB = 1 << 20
Compress = Callable[[bytes], bytes]
FORMATS: dict[str, Compress] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstandard": zstandard.compress,
}
each_format = pytest.mark.parametrize("compress", FORMATS.values(), ids=FORMATS)


@each_format
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_parts_of_a_file_are_one_content(compress: Compress, step: int) -> None:
    data = compress(b"sample,fastq_1\n") + compress(b"") + compress(b"a,a.fq\n" * 9)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    assert b"".join(decompressed(pieces)) == b"sample,fastq_1\n" + b"a,a.fq\n" * 9


@pytest.mark.parametrize("first", [0x50, 0x57, 0x5F])
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_frames_that_zstandard_skips_are_skipped(first: int, step: int) -> None:
    skippable = bytes([first, 0x2A, 0x4D, 0x18, 4, 0, 0, 0]) + b"size"  # as pzstd writes before each frame
    data = (skippable + zstandard.compress(b"a,a.fq\n" * 9)) * 2 + skippable
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    assert b"".join(decompressed(pieces)) == b"a,a.fq\n" * 18
    with pytest.raises(DataError, match="expected a whole compressed file: "):
        list(decompressed([data[:-1]]))


@pytest.mark.parametrize("data", [b"", b"\x1f", b"BZ", b"sample,fastq_1\n" * 9])
def test_plain_content_is_unchanged(data: bytes) -> None:
    assert b"".join(decompressed([data[:1], data[1:]])) == data


@each_format
def test_damage_is_reported(compress: Compress) -> None:
    data = compress(bytes(range(256)) * 99)
    for damaged in (data[:-6], data[:9], data[:6] + b"\xff\x00\xff" * 9 + data[6:]):
        with pytest.raises(DataError, match="expected a whole compressed file: "):
            list(decompressed([damaged]))


@each_format
def test_a_bomb_is_decompressed_in_bounded_steps(compress: Compress) -> None:
    part = compress(bytes(32 * MIB)) * 8
    taken = []

    def parts() -> Iterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield part

    blocks = decompressed(parts())
    assert max(len(next(blocks)) for _ in range(20)) <= 96 * MIB
    assert len(taken) <= 30


def test_a_window_that_needs_too_much_memory_is_refused() -> None:
    needs_a_gibibyte = lzma.compress(b"a", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}])
    with pytest.raises(DataError, match="expected a whole compressed file: Memory usage limit exceeded"):
        list(decompressed([needs_a_gibibyte]))
