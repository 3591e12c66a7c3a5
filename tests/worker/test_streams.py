"""Named pipes of remote files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ANY, Expected
from genomics_pipeline.worker.streams import Streams

DATA = bytes(range(256)) * 20_000  # more than fits into a pipe


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[Streams]:
    (tmp_path / "far").write_bytes(DATA)
    with Streams(LocalStore()) as streams:
        yield streams


def test_a_reader_gets_the_whole_file(streams: Streams, tmp_path: Path) -> None:
    streams.open(f"{tmp_path}/far", ANY, tmp_path / "pipe")
    assert (tmp_path / "pipe").read_bytes() == DATA
    streams.close()
    assert streams.failure is None


def test_pipes_are_read_in_any_order(streams: Streams, tmp_path: Path) -> None:
    for name in ("one", "two"):
        streams.open(f"{tmp_path}/far", ANY, tmp_path / name)
    with (tmp_path / "one").open("rb") as first, (tmp_path / "two").open("rb") as second:
        assert second.read() == DATA
        assert first.read() == DATA


def test_a_pipe_may_stay_unopened(streams: Streams, tmp_path: Path) -> None:
    streams.open(f"{tmp_path}/far", ANY, tmp_path / "pipe")
    streams.close()
    assert streams.failure is None


def test_a_pipe_may_stay_unread_while_it_is_open(streams: Streams, tmp_path: Path) -> None:
    streams.open(f"{tmp_path}/far", ANY, tmp_path / "pipe")
    with (tmp_path / "pipe").open("rb") as pipe:
        assert pipe.read(10) == DATA[:10]
        streams.close()
    assert streams.failure is None


def test_a_failure_is_reported_and_is_not_the_end_of_the_file(streams: Streams, tmp_path: Path) -> None:
    streams.open(f"{tmp_path}/far", Expected(version="other"), tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDONLY)
    left = len(DATA)
    while left:
        left -= len(os.read(pipe, left))
    assert streams.failed.wait(60)
    os.set_blocking(pipe, False)
    with pytest.raises(BlockingIOError):  # at the end this would return b""
        os.read(pipe, 1)
    closing = threading.Thread(target=streams.close)
    closing.start()
    os.set_blocking(pipe, True)
    assert os.read(pipe, 1) == b""
    closing.join()
    os.close(pipe)
    assert str(streams.failure).startswith(f"{tmp_path}/far: expected the version other, found ")


def test_a_missing_file_is_a_failure(streams: Streams, tmp_path: Path) -> None:
    streams.open(f"{tmp_path}/none", ANY, tmp_path / "pipe")
    with (tmp_path / "pipe").open("rb"):
        assert streams.failed.wait(60)
    streams.close()
    assert str(streams.failure) == f"{tmp_path}/none: expected a file, found none"
