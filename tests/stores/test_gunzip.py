"""Decompression of gzip: members, padding, damage, and time and memory that do not depend on what a header says."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from itertools import islice
from random import Random

import pytest

from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks
from genomics_pipeline.stores import compression, decompression
from genomics_pipeline.stores.gunzip import BLOCK_BYTES, gunzip

EMPTY_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
TEXT = b"sample,fastq_1\na,a.fq\n"
LONG_NAME = b"\x1f\x8b\x08\x18\0\0\0\0\0\xff" + b"n" * (8 << 20) + b"\0" + b"c" * (8 << 20) + b"\0"
FILES: dict[str, bytes] = {
    "one member": gzip.compress(TEXT, mtime=0),
    "many empty members": EMPTY_BLOCK * 10_000 + gzip.compress(TEXT, mtime=0) + EMPTY_BLOCK,
    "padding": gzip.compress(TEXT[:5], mtime=0) + bytes(40_000) + gzip.compress(TEXT[5:], mtime=0) + bytes(9),
    "long name and comment": LONG_NAME + gzip.compress(TEXT, mtime=0)[10:],
    "extra field": b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\xff\xff" + bytes(0xFFFF) + gzip.compress(TEXT, mtime=0)[10:],
}
READERS: dict[str, Callable[[bytes], bytes]] = {
    "sheets": lambda data: b"".join(decompression.decompressed([data])),
    "streams": lambda data: compression.open_decompressed(io.BytesIO(data)).read(),
    "items": lambda data: b"".join(blocks(io.BytesIO(data), "items.csv.gz")),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_every_reader_takes_every_legal_file(
    data: bytes, read: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzip, "GzipFile", None)  # it reads names byte by byte
    assert read(data) == TEXT


@pytest.mark.parametrize("size", [BLOCK_BYTES, 2 * BLOCK_BYTES, BLOCK_BYTES * 3 // 2])
def test_members_that_expand_a_thousandfold_follow_each_other(size: int) -> None:
    content = gunzip([gzip.compress(bytes(size)) * 3])
    assert sum(map(len, islice(content, 6))) == 3 * size
    assert next(content, None) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_pieces_do_not_matter(seed: int) -> None:
    random = Random(seed)
    members = [random.randbytes(random.choice([0, 1, 999, 99_999])) * random.choice([1, 50]) for _ in range(9)]
    data = b"".join(gzip.compress(member, 1) + bytes(random.choice([0, 3])) for member in members)
    cuts = sorted(random.randrange(len(data)) for _ in range(30))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    content = list(gunzip(pieces))
    assert b"".join(content) == b"".join(members)
    assert all(0 < len(block) <= BLOCK_BYTES for block in content)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (FILES["one member"][:-1], EOFError),
        (FILES["one member"][:5], EOFError),
        (FILES["one member"] + b"\x1f", EOFError),
        (LONG_NAME[:-5], EOFError),
        (FILES["one member"] + b"garbage", zlib.error),
        (FILES["one member"][:-5] + b"\0" + FILES["one member"][-4:], zlib.error),
    ],
)
def test_damage_is_an_error(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(gunzip([data]))
