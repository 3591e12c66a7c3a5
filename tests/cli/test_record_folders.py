"""More folders of records, each read by a Map Run, than an execution's output can name are refused before the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.asl.record_budget import MOST_FOLDERS
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.record_source import RecordSource
from genomics_pipeline.runs.aws.records.place import find_on_s3
from tests.cli.conftest import Ended
from tests.fakes.memory_store import MemoryStore
from tests.small_functions import write_function, write_pipeline

EXPECTED = (
    f"expected at most {MOST_FOLDERS} folders, since AWS allows 262144 bytes in an output, found {MOST_FOLDERS + 1}; "
    "submit some of the folders in a run of their own"
)


def test_a_run_here_refuses_them_before_its_first_batch(
    cli: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_function(tmp_path / "score")
    write_pipeline(tmp_path, source='format = "JSONL"\nprefix = true', settings="map_runs = 2")
    for number in range(MOST_FOLDERS + 1):
        (tmp_path / f"days/{number}").mkdir(parents=True)
        (tmp_path / f"days/{number}/a.jsonl").write_text('{"amount": 1}\n')
    monkeypatch.chdir(tmp_path)
    ended = cli("run", "days", "--pipeline", "sums.toml", "--out", "out")
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: days: {EXPECTED}\n")
    assert not (tmp_path / "out").exists()


def test_submit_refuses_them() -> None:
    store, source = MemoryStore(), RecordSource("JSONL", prefix=True)
    uris = [f"s3://records/days/{number}/a.jsonl" for number in range(MOST_FOLDERS + 1)]
    for uri in uris:
        store.objects[uri] = b"{}\n"
    with pytest.raises(DataError) as refused:
        find_on_s3("s3://records/days/", MapSettings(map_runs=2, source=source), store)
    assert str(refused.value) == f"s3://records/days/: {EXPECTED}"
    del store.objects[uris[0]]
    found = find_on_s3("s3://records/days/", MapSettings(map_runs=2, source=source), store)
    assert len(found.place.prefixes) == MOST_FOLDERS
