"""gzip files, whole and damaged."""

from __future__ import annotations

import gzip
import io
import random
import sys
from itertools import islice
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from inflate import CHUNK_BYTES, Damaged, Truncated, inflate

TEXT = "".join(random.Random(3).choices("ACGT", k=600_000)).encode()  # more than a chunk when compressed
ZIPPED = gzip.compress(TEXT, mtime=0)


def read(data: bytes) -> tuple[bytes, type[Exception] | None]:
    """Return the content, and the error after it."""
    content = b""
    try:
        for piece in inflate(io.BufferedReader(io.BytesIO(data))):
            content += piece
    except (Damaged, Truncated) as error:
        return content, type(error)
    return content, None


def test_one_member_is_larger_than_a_chunk() -> None:
    assert len(ZIPPED) > CHUNK_BYTES
    assert read(ZIPPED) == (TEXT, None)


@pytest.mark.parametrize("between", [b"", b"\0" * 512])
def test_members_follow_each_other(between: bytes) -> None:
    assert read(between.join([ZIPPED, gzip.compress(b"", mtime=0), gzip.compress(b"AC", mtime=0)])) == (
        TEXT + b"AC",
        None,
    )


@pytest.mark.parametrize("size", [1 << 20, 2 << 20, 3 << 19])
def test_members_that_expand_a_thousandfold_follow_each_other(size: int) -> None:
    pieces = inflate(io.BufferedReader(io.BytesIO(gzip.compress(bytes(size)) * 3)))
    assert sum(map(len, islice(pieces, 20))) == 3 * size
    assert next(pieces, None) is None


@pytest.mark.parametrize("kept", [1, 12, CHUNK_BYTES, len(ZIPPED) - 9, len(ZIPPED) - 1])
def test_a_truncated_file_yields_the_content_before_its_end(kept: int) -> None:
    content, error = read(ZIPPED[:kept])
    assert error is Truncated
    assert TEXT.startswith(content)
    assert len(content) >= len(TEXT) * (kept - 40_000) // len(ZIPPED)


def test_a_damaged_file_yields_the_content_before_the_damage() -> None:
    place = CHUNK_BYTES + 20_000
    content, error = read(ZIPPED[:place] + b"\xff" * 64 + ZIPPED[place + 64 :])
    assert error is Damaged
    assert TEXT.startswith(content[: len(TEXT) * CHUNK_BYTES // len(ZIPPED)])
    assert len(content) > len(TEXT) * CHUNK_BYTES // len(ZIPPED)


def test_garbage_after_a_member_is_damage() -> None:
    assert read(gzip.compress(b"AC") + b"garbage") == (b"AC", Damaged)
