"""The digest of what records were counted in: every change that may change the counts changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.records.map_run import MapRunCounts, MapRunDescription
from genomics_pipeline.runs.counted_files import counted_files
from genomics_pipeline.stores.local import LocalStore
from tests.fakes.memory_store import MemoryStore

FOLDER = "map-runs/Record/1b2c/"
COUNTS = MapRunCounts(total=3, running=0, succeeded=2, failed=1, timed_out=0, aborted=0)
RUN = MapRunDescription(
    arn="arn:aws:states:us-east-1:000000000000:mapRun:sums/Record:1b2c",
    status="SUCCEEDED",
    started=0,
    stopped=9,
    items=COUNTS,
    executions=COUNTS,
    tolerated_count=9,
    tolerated_percentage=90,
    results={"Bucket": "b", "Key": f"{FOLDER}manifest.json"},
)
ROWS = f"s3://b/{FOLDER}SUCCEEDED_0.jsonl"


def store() -> MemoryStore:
    made = MemoryStore()
    made.objects = {ROWS: b"rows", f"s3://b/{FOLDER}manifest.json": b"{}", "s3://b/other.json": b"1"}
    return made


FIRST = counted_files(store(), [("first", [RUN])])


@pytest.mark.parametrize(
    "change",
    [
        lambda objects: objects.update({ROWS: b"row"}),
        lambda objects: objects.update({ROWS: b"ROWS"}),
        lambda objects: objects.pop(ROWS),
        lambda objects: objects.update({f"s3://b/{FOLDER}Redrive-1/manifest.json": b"{}"}),
    ],
)
def test_a_change_of_the_files_is_noticed(change: Callable[[dict[str, bytes]], object]) -> None:
    changed = store()
    change(changed.objects)
    assert counted_files(changed, [("first", [RUN])]) != FIRST


@pytest.mark.parametrize(
    "executions",
    [
        [("other", [RUN])],
        [("first", [])],
        [("first", [RUN]), ("second", [])],
        [("first", [replace(RUN, status="FAILED")])],
        [("first", [replace(RUN, executions=replace(COUNTS, failed=0, aborted=1))])],
        [("first", [replace(RUN, results={"Bucket": "b", "Key": f"{FOLDER}Redrive-1/manifest.json"})])],
        [("first", [replace(RUN, results=None)])],
    ],
)
def test_a_change_of_the_executions_is_noticed(executions: list[tuple[str, list[MapRunDescription]]]) -> None:
    assert counted_files(store(), executions) != FIRST


def test_other_objects_do_not_matter_nor_does_the_time_of_a_file(tmp_path: Path) -> None:
    """Check that a folder of this machine may be copied."""
    changed = store()
    changed.objects["s3://b/other.json"] = b"2"
    assert counted_files(changed, [("first", [RUN])]) == FIRST
    digests = set()
    for name in ("one", "two"):
        rows = tmp_path / name / FOLDER / "SUCCEEDED_0.jsonl"
        rows.parent.mkdir(parents=True)
        rows.write_bytes(b"rows")
        digests.add(counted_files(LocalStore({"b": tmp_path / name}), [("first", [RUN])]))
    assert len(digests) == 1
