"""Named pipes of remote files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ANY, Expected
from genomics_pipeline.worker.find_input import find_input
from genomics_pipeline.worker.inputs import Staging
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.verified import VerifiedFiles
from tests.fakes.memory_store import MemoryStore
from tests.patience import PATIENCE_S
from tests.small_project import task_json

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
    assert streams.failed.wait(PATIENCE_S)
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
        assert streams.failed.wait(PATIENCE_S)
    streams.close()
    assert str(streams.failure) == f"{tmp_path}/none: expected a file, found none"


def test_fastq_files_and_files_taken_as_aligned_are_pipes_and_alignments_to_align_are_copies(tmp_path: Path) -> None:
    store = MemoryStore()
    uris = {name: f"s3://b/{name}" for name in ("a.fastq", "b.bam", "c.bam", "d.cram")}
    store.objects.update(dict.fromkeys(uris.values(), b"content"))
    lanes = [
        {"lane": "1", "fastq_1": uris["a.fastq"]},
        {"lane": "2", "bam": uris["b.bam"]},
        {"lane": "3", "bam": uris["c.bam"], "start": "variant_calling"},
        {"lane": "4", "cram": uris["d.cram"], "library": "lib", "start": "variant_calling"},
    ]
    payload = TaskPayload.from_json(task_json("alignment", [], inputs={"reads": "sample.reads"}))
    spec = InputSpec("reads", "reads", stream=True)
    found = find_input(payload, spec, {"sample": "s", "lanes": lanes}, store, tmp_path)
    with Streams(store) as streams:
        local = found.local(Staging(store, streams, threading.Event(), VerifiedFiles(store, None)), tmp_path)
        names = ("fastq_1", "bam", "bam", "cram")
        paths = [Path(lane[name]) for lane, name in zip(local, names, strict=True)]
        assert [path.is_fifo() for path in paths] == [True, False, True, True]
        assert paths[1].read_bytes() == b"content"
    assert [lane.get("start") for lane in local] == [None, None, "variant_calling", "variant_calling"]
    assert [lane["library"] for lane in local] == [None, None, None, "lib"]
