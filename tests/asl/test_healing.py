"""Retries by a definition, run by the engine: every failure class, with causes as AWS gives them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.step import Resources
from genomics_pipeline.records.row_bytes import check_row
from tests.corpus.failure_causes import causes

UNCATCHABLE = ("", "States.Runtime", "States.DataLimitExceeded")
SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"
EXITED = "Essential container in task exited"
STATE_INPUT = {
    "run": {"name": "r", "bucket": "RUN", "prefix": ""},
    "reference": "r.fa",
    "parameters": {},
    "manifest": "manifest.jsonl",
    "tolerated": {"percentage": 100, "count": 100},
    "memory_mib": {},
    "earlier": {},
}


def job(status_reason: str = EXITED, code: int | None = None, reason: str | None = None) -> StatesError:
    """Return the error of a failed job; its cause contains retry patterns, which must not be searched."""
    container = {"ExitCode": code, "Reason": reason}
    detail = {
        "JobId": "j",
        "Status": "FAILED",
        "StatusReason": status_reason,
        "Attempts": [{"Container": {}, "StatusReason": "Host EC2 (instance i-1) terminated."}],
        "Container": {name: value for name, value in container.items() if value is not None},
        "RetryStrategy": {"EvaluateOnExit": [{"OnReason": "OutOfMemoryError*"}, {"OnStatusReason": "Host EC2*"}]},
    }
    return StatesError("States.TaskFailed", json.dumps(detail))


SPOT = job("Host EC2 (instance i-0f5) terminated.")
MEMORY = job(code=137, reason="OutOfMemoryError: Container killed due to memory usage")
TIMEOUT = job("Job attempt duration exceeded timeout")
BAD_INPUT, TOOL_ERROR = job(code=65), job(code=1)
IMAGE = job("Task failed to start", reason="CannotPullContainerError: not found")
REFUSED = StatesError("Batch.ClientException", "JobDefinition not found")


class Batch:
    """A fake of Batch whose jobs end as given; it keeps the submissions."""

    def __init__(self, ends: Sequence[StatesError | None]) -> None:
        self._ends = list(ends)
        self.submitted: list[dict[str, Any]] = []

    async def __call__(self, arguments: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        self.submitted.append(arguments)
        end = self._ends.pop(0) if self._ends else None
        if end:
            raise end
        return {"JobId": "done"}

    def tries(self) -> list[tuple[int, str, int]]:
        """Return memory in MiB, queue and timeout in seconds of each job."""
        return [
            (
                int(one["ContainerOverrides"]["ResourceRequirements"][0]["Value"]),
                one["JobQueue"],
                one["Timeout"]["AttemptDurationSeconds"],
            )
            for one in self.submitted
        ]


def stage(declared: Pipeline, ladder: tuple[int, ...], retry: dict[FailureClass, int]) -> Pipeline:
    """Return a pipeline with the memory ladder and retries of its first stage replaced."""
    first: Stage = declared.stages[0]
    resources = Resources(memory_ladder=ladder, timeout_s=600)
    step = replace(first.step, resources=resources, retry={**first.step.retry, **retry})
    return replace(declared, stages=(replace(first, step=step), *declared.stages[1:]))


@pytest.fixture
def run(pipeline: Any, tmp_path: Path) -> Any:
    """Return a function that runs one sample whose jobs end as given; it returns the Batch and the child's row."""

    def call(
        ends: Sequence[StatesError | None],
        *,
        ladder: tuple[int, ...] = (100, 200, 400),
        retry: dict[FailureClass, int] | None = None,
        stages: Sequence[Any] = (("align", "sample", {"reads": "sample.reads"}),),
        **overrides: Any,
    ) -> tuple[Batch, dict[str, Any]]:
        document = generate(stage(pipeline("p", stages), ladder, retry or {}))
        (tmp_path / "manifest.jsonl").write_text('{"sample":"S"}\n')
        batch = Batch(ends)
        result = execute(
            document,
            {**STATE_INPUT, **overrides},
            name="e",
            state_machine="p",
            store=object_store().with_buckets({"RUN": tmp_path}),
            tasks=Handlers({SUBMIT_JOB: batch}),
            journal=tmp_path / "journal",
            fast_forward=True,
        )
        assert result.status == "SUCCEEDED", result
        (folder,) = (tmp_path / "map-runs" / "Sample").iterdir()
        (line,) = [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
        check_row(line.encode())  # what a rerun reads of a cause without decoding it
        row = json.loads(line)
        return batch, row

    return call


SPOT_QUEUE, ON_DEMAND = "genomics-pipeline", "genomics-pipeline-on-demand"


@pytest.mark.parametrize(
    ("ends", "tries"),
    {
        "at once": ([], [(100, SPOT_QUEUE, 600)]),
        "memory climbs": (
            [MEMORY, MEMORY],
            [(100, SPOT_QUEUE, 600), (200, SPOT_QUEUE, 600), (400, SPOT_QUEUE, 600)],
        ),
        "a lost host is no lack of memory": ([SPOT], [(100, SPOT_QUEUE, 600), (100, ON_DEMAND, 600)]),
        "longer, once": ([TIMEOUT], [(100, SPOT_QUEUE, 600), (100, SPOT_QUEUE, 1200)]),
        "each its own": (
            [SPOT, MEMORY, TIMEOUT, MEMORY],
            [
                (100, SPOT_QUEUE, 600),
                (100, ON_DEMAND, 600),
                (200, ON_DEMAND, 600),
                (200, ON_DEMAND, 1200),
                (400, ON_DEMAND, 1200),
            ],
        ),
    }.values(),
)
def test_what_heals(run: Any, ends: list[StatesError], tries: list[Any]) -> None:
    batch, row = run(ends)
    assert row["Status"] == "SUCCEEDED", row
    assert batch.tries() == tries


@pytest.mark.parametrize(
    ("ends", "failure_class", "jobs"),
    [
        ([MEMORY] * 9, FailureClass.OUT_OF_MEMORY, 3),
        ([SPOT] * 9, FailureClass.HOST_LOST, 2),
        ([TIMEOUT] * 9, FailureClass.TIMEOUT, 2),
        ([BAD_INPUT] * 9, FailureClass.BAD_INPUT, 1),
        ([TOOL_ERROR] * 9, FailureClass.TOOL_ERROR, 1),
        ([IMAGE] * 9, FailureClass.IMAGE, 1),  # Batch itself has tried
        ([REFUSED] * 9, None, 1),
        ([MEMORY, BAD_INPUT], FailureClass.BAD_INPUT, 2),
    ],
)
def test_what_stops(run: Any, ends: list[StatesError], failure_class: FailureClass | None, jobs: int) -> None:
    batch, row = run(ends)
    assert len(batch.submitted) == jobs
    cause = json.loads(row["Cause"])
    assert (row["Status"], row["Error"], cause["stage"]) == ("FAILED", ends[jobs - 1].error, "align")
    assert len(cause["tried"]) == jobs
    assert cause["class"] == classify(row["Error"], row["Cause"]).failure_class
    assert failure_class in (None, cause["class"])


def test_what_was_tried_is_told(run: Any) -> None:
    _, row = run([MEMORY, SPOT, TOOL_ERROR])
    assert json.loads(row["Cause"])["tried"] == [
        {"class": "out_of_memory", "memory_mib": 100, "job_id": "j"},
        {"class": "host_lost", "memory_mib": 200, "job_id": "j"},
        {"class": "tool_error", "memory_mib": 200, "job_id": "j"},
    ]


def test_throttling_is_waited_for_and_is_no_try(run: Any) -> None:
    throttled = StatesError("Batch.AWSBatchException", "Too Many Requests (Service: AWSBatch; Status Code: 429)")
    batch, row = run([*[throttled] * 15, MEMORY])
    assert row["Status"] == "SUCCEEDED"
    assert [memory for memory, _, _ in batch.tries()] == [*[100] * 16, 200]


def test_a_step_says_what_is_tried_again(run: Any) -> None:
    batch, row = run([TOOL_ERROR, TOOL_ERROR, SPOT], retry={FailureClass.TOOL_ERROR: 2, FailureClass.HOST_LOST: 0})
    assert (len(batch.submitted), row["Status"]) == (3, "FAILED")


def test_a_step_says_what_is_not_tried_again(run: Any) -> None:
    batch, row = run([TIMEOUT], retry={FailureClass.TIMEOUT: 0})
    assert (len(batch.submitted), row["Status"]) == (1, "FAILED")


def test_a_rerun_may_begin_with_more_memory(run: Any) -> None:
    batch, _ = run([MEMORY], memory_mib={"align": 300})
    assert [memory for memory, _, _ in batch.tries()] == [300, 400]


def test_a_stage_begins_anew_after_the_one_before_it(run: Any) -> None:
    stages = (("align", "sample", {"reads": "sample.reads"}), ("call", "sample", {"bam": "align.out"}))
    batch, row = run([SPOT, MEMORY, None, SPOT], stages=stages)
    assert row["Status"] == "SUCCEEDED"
    assert [(one["JobDefinition"], one["JobQueue"]) for one in batch.submitted] == [
        ("genomics-pipeline-align", SPOT_QUEUE),
        ("genomics-pipeline-align", ON_DEMAND),
        ("genomics-pipeline-align", ON_DEMAND),
        ("genomics-pipeline-call", SPOT_QUEUE),
        ("genomics-pipeline-call", ON_DEMAND),
    ]


def test_the_worker_is_told_its_memory(run: Any) -> None:
    batch, _ = run([MEMORY])
    memory = [one["ContainerOverrides"]["Environment"][1] for one in batch.submitted]
    assert memory == [{"Name": "GENOMICS_PIPELINE_MEMORY_MIB", "Value": value} for value in ("100", "200")]


CAUSES = {one.name: one for one in causes() if one.error not in UNCATCHABLE and "stage" not in one.cause[:10]}


@pytest.mark.parametrize("name", CAUSES)
def test_a_definition_calls_every_cause_as_we_do(pipeline: Any, name: str) -> None:
    one = CAUSES[name]
    (catcher,) = generate(pipeline("p", [("gather", "cohort", {"reference": "reference"})]))["States"]["gather"][
        "Catch"
    ]
    states = {"errorOutput": {"Error": one.error, "Cause": one.cause}, "input": {"memory_mib": {}}}
    failure = evaluate(catcher["Assign"], {"states": states}, "Assign")["failure"]
    assert failure["class"] == one.failure_class
