"""Decompression of objects."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks

CODECS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}
LINES = b"".join(b'{"a":%d}\n' % number for number in range(50_000))


@pytest.mark.parametrize("suffix", CODECS)
def test_content_of_one_frame_or_several_is_decompressed(suffix: str) -> None:
    half = len(LINES) // 2
    for data in (CODECS[suffix](LINES), CODECS[suffix](LINES[:half]) + CODECS[suffix](LINES[half:])):
        content = list(blocks(io.BytesIO(data), f"k.{suffix}"))
        assert b"".join(content) == LINES
        assert b"" not in content


@pytest.mark.parametrize("key", ["k", "k.gz.txt", "zst"])
def test_other_objects_are_not_decompressed(key: str) -> None:
    assert list(blocks(io.BytesIO(b"\x1f\x8b"), key)) == [b"\x1f\x8b"]


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize(("kind", "text"), [("JSONL", b'{"a":"1"}\n'), ("JSON", b'[{"a":"1"}]'), ("CSV", b"a\n1\n")])
def test_every_text_format_can_be_compressed(read: Any, suffix: str, kind: str, text: bytes) -> None:
    uri = f"s3://b/k.{suffix}"
    assert read({uri: CODECS[suffix](text)}, uri, input_type=kind) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("suffix", "damage", "cause"),
    [
        (
            "gz",
            "plain",
            "expected gzip, since the name ends in .gz: Error -3 while decompressing data: incorrect header check",
        ),
        ("gz", "cut", "expected a whole gzip file, found one that ends within its content"),
        (
            "zst",
            "plain",
            "expected zstd, since the name ends in .zst: zstd decompressor error: Unknown frame descriptor",
        ),
        ("zst", "cut", "expected a whole zstd file, found one that ends within its content"),
    ],
)
def test_truncated_or_plain_content_is_reported(read_failure: Any, suffix: str, damage: str, cause: str) -> None:
    uri = f"s3://b/k.{suffix}"
    data = LINES if damage == "plain" else CODECS[suffix](LINES)[:-20]
    assert read_failure({uri: data}, uri, input_type="JSONL") == f"{uri}: {cause}"


def test_damaged_bytes_are_reported(read_failure: Any) -> None:
    data = gzip.compress(LINES)
    uri = "s3://b/k.gz"
    assert read_failure({uri: data[:50] + b"\xff" * 40 + data[90:]}, uri, input_type="JSONL").startswith(
        f"{uri}: expected gzip, since the name ends in .gz: Error -3 "
    )
