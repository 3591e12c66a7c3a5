"""Traces of tasks: times, sizes and ends of each, from the records of a run in a folder and in a bucket."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import write_completion
from genomics_pipeline.records.failure import FailureRecord, write_failure
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.task_trace import TaskTrace
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.task_trace import MIB, seconds_of, task_traces
from tests.cli.conftest import Ended, cli
from tests.runs.test_cost import GB, SPOT, record
from tests.runs.test_follow_on_aws import BUCKET, RUN, ended_run, started_run
from tests.small_project import TORN, SmallProject, named_reads

__all__ = ["cli", "ended_run", "started_run"]
Cli = Callable[..., Ended]
PLACE = RunPlace(RUN, BUCKET, f"runs/{RUN}/")


def traces(small: SmallProject) -> dict[tuple[str, str], TaskTrace]:
    files = find_run(str(small.run), "", adapters()).files
    return {(one.stage, one.item): one for one in task_traces(files)}


def test_a_run_in_a_folder_has_a_trace_of_each_task(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments("--param", f"copying.program={TORN}")).code == 1
    first = traces(small)
    assert list(first) == [("copying", "A"), ("ending", "A"), ("copying", "B")]
    done, failed = first["copying", "A"], first["copying", "B"]
    assert (done.step, done.version, done.scope, done.attempt) == ("copy", "1", "sample", 1)
    assert (done.exit_code, done.failure_class, done.message, done.reused) == (0, None, "", False)
    assert done.submitted is not None
    assert done.started is not None
    assert done.ended is not None
    assert done.submitted <= done.started + 1e-3  # both are rounded to milliseconds
    assert done.waited is not None
    assert done.ended == pytest.approx(done.started + (done.seconds or 0))
    assert done.written_bytes == 2 * len(named_reads("a"))
    assert done.read_bytes == len(named_reads("a"))
    assert done.peak_memory_bytes is not None
    assert done.peak_memory_bytes % MIB == 0
    assert done.peak_memory_bytes > 0
    assert done.job_id
    assert done.job_id != first["ending", "A"].job_id
    assert done.log == f"{small.run}/steps/copying/A/log.txt"
    assert (failed.step, failed.version, failed.attempt) == ("copy", "1", 1)
    assert (failed.exit_code, failed.failure_class) == (1, FailureClass.TOOL_ERROR)
    assert "it is torn" in failed.message
    assert failed.started is not None
    assert failed.submitted is not None
    assert failed.peak_memory_bytes
    assert (failed.read_bytes, failed.written_bytes) == (None, None)


def test_a_task_of_an_earlier_execution_is_reused(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments()).code == 0
    assert not any(one.reused for one in traces(small).values())
    assert cli(*small.arguments("--param", "ending.ending=other")).code == 0
    assert {key: one.reused for key, one in traces(small).items()} == {
        ("copying", "A"): True,
        ("ending", "A"): False,
        ("copying", "B"): True,
        ("ending", "B"): False,
    }


def recording(services: set[str]) -> Callable[..., Any]:
    """Return what calls an API, and adds the name of its service."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def record_call(client: Any, *arguments: Any) -> Any:
        services.add(client.meta.service_model.service_name)
        return call(client, *arguments)

    return record_call


@pytest.mark.usefixtures("ended_run")
def test_a_run_on_aws_is_read_from_its_bucket_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_run(f"s3://{BUCKET}/runs/{RUN}/", "", adapters())
    store = adapters().store
    for file in list(store.list(PLACE.uri("steps/"))):
        store.delete(file.uri)
    attempt, submitted = BatchAttempt("1b2c", 3), "2026-11-28T09:58:00.000Z"
    write_completion(store, PLACE, record("alignment", "a", job=attempt, submitted=submitted, processor_seconds=7000.5))
    write_failure(
        store,
        PLACE,
        "alignment",
        "bad",
        FailureRecord(FailureClass.BAD_INPUT, "bad reads", 65, None, 60.0, 4, 100, SPOT, "alignment", "1"),
    )
    services: set[str] = set()
    monkeypatch.setattr(BaseClient, "_make_api_call", recording(services))
    lost = ItemFailure("c", Failure(FailureClass.HOST_LOST, "lost", stage="alignment", job_id="9", attempts=2))
    never = ItemFailure("a", Failure(FailureClass.CANCELLED, "never started", stage="variant_calling"), pending=True)
    done, failed, before, gone = task_traces(found.files, [lost, never])
    assert services == {"s3"}
    assert (done.job_id, done.attempt, done.waited) == ("1b2c", 1, 120)
    assert done.started == seconds_of("2026-11-28T10:00:00+00:00")
    assert (done.read_bytes, done.written_bytes) == (80 * MIB, 3 * GB)
    assert (done.peak_memory_bytes, done.memory_bytes, done.vcpus) == (1000 * MIB, 16384 * MIB, 2)
    assert (done.host, done.processor_seconds, done.scope) == (SPOT, 7000.5, "sample")
    assert done.log == f"s3://{BUCKET}/runs/{RUN}/steps/alignment/a/log.txt"
    assert (failed.item, failed.failure_class, failed.message) == ("bad", FailureClass.BAD_INPUT, "bad reads")
    assert (failed.started, failed.waited, failed.seconds) == (None, None, 60)
    assert (before.item, before.failure_class, before.job_id, before.attempt) == ("c", FailureClass.HOST_LOST, "9", 1)
    assert (gone.item, gone.failure_class, gone.job_id, gone.attempt) == ("c", FailureClass.HOST_LOST, "9", 2)
    assert (gone.step, gone.started, gone.seconds) == ("", None, None)


@pytest.mark.usefixtures("ended_run")
def test_a_task_that_succeeded_before_the_newest_submission_is_reused() -> None:
    store = adapters().store
    given = json.loads(store.read(PLACE.uri("run.json")))
    write_completion(store, PLACE, record("alignment", "a", started="2026-11-28T10:00:00.000+00:00"))
    found = find_run(f"s3://{BUCKET}/runs/{RUN}/", "", adapters())
    for submitted, reused in (("2026-11-28T09:59:59+00:00", False), ("2026-11-28T10:00:01+00:00", True)):
        store.write(PLACE.uri("run.json"), json.dumps({**given, "submitted": submitted}).encode())
        assert next(task_traces(found.files)).reused is reused


def test_memory_does_not_grow_with_the_number_of_samples(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments("--sample", "A")).code == 0
    line = json.loads((small.run / "manifest.jsonl").read_text())

    def peak(samples: int) -> int:
        lines = (json.dumps({**line, "sample": f"s{number}"}) + "\n" for number in range(samples))
        (small.run / "manifest.jsonl").write_text("".join(lines))
        files = find_run(str(small.run), "", adapters()).files
        tracemalloc.start()
        assert not list(task_traces(files))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(5000) < 1.5 * peak(500) + MIB
