"""Retries by a definition in the engine: every failure class, with causes in AWS's form."""

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
EXECUTION_INPUT = {
    "run": {"name": "r", "bucket": "RUN", "prefix": ""},
    "reference": "r.fa",
    "parameters": {},
    "manifest": "manifest.jsonl",
    "tolerated": {"percentage": 100, "count": 100},
    "memory_mib": {},
    "wait_s": 1000,
    "job_definitions": {},
    "earlier": {},
}


def job(
    status_reason: str = EXITED, code: int | None = None, reason: str | None = None, host: str | None = None
) -> StatesError:
    """Return the error of a failed job, whose cause also contains retry patterns that must not be matched."""
    container = {"ExitCode": code, "Reason": reason, "ContainerInstanceArn": host}
    detail = {
        "JobId": "j",
        "Status": "FAILED",
        "StatusReason": status_reason,
        "Attempts": [{"Container": {}, "StatusReason": "Host EC2 (instance i-1) terminated."}],
        "Container": {name: value for name, value in container.items() if value is not None},
        "RetryStrategy": {"EvaluateOnExit": [{"OnReason": "OutOfMemoryError*"}, {"OnStatusReason": "Host EC2*"}]},
    }
    return StatesError("States.TaskFailed", json.dumps(detail))


HOST_LOST = job("Host EC2 (instance i-0f5) terminated.")
OUT_OF_MEMORY = job(code=137, reason="OutOfMemoryError: Container killed due to memory usage")
TIMEOUT = job("Job attempt duration exceeded timeout")
BAD_INPUT, TOOL_ERROR = job(code=65), job(code=1)
OUT_OF_DISK = job(code=73, host="arn:aws:ecs:us-east-1:0:container-instance/h/1")
IMAGE = job("Task failed to start", reason="CannotPullContainerError: not found")
REFUSED = StatesError("Batch.ClientException", "JobDefinition not found")


class Batch:
    """A fake of Batch that ends its jobs as specified and records the requests."""

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

    def payloads(self) -> list[dict[str, Any]]:
        """Return the payload of each job."""
        return [json.loads(one["ContainerOverrides"]["Environment"][0]["Value"]) for one in self.submitted]

    def attempts(self) -> list[tuple[int, str, int]]:
        """Return the memory in MiB, the queue and the timeout in seconds of each job."""
        return [
            (
                int(request["ContainerOverrides"]["ResourceRequirements"][0]["Value"]),
                request["JobQueue"],
                request["Timeout"]["AttemptDurationSeconds"],
            )
            for request in self.submitted
        ]


def with_retries(
    declared: Pipeline, ladder: tuple[int, ...], retry: dict[FailureClass, int], vcpus: int = 1
) -> Pipeline:
    """Return a pipeline with the memory ladder, retries and vCPUs of its first stage replaced."""
    first: Stage = declared.stages[0]
    resources = Resources(vcpus=vcpus, memory_ladder=ladder, timeout_s=600)
    step = replace(first.step, resources=resources, retry={**first.step.retry, **retry})
    return replace(declared, stages=(replace(first, step=step), *declared.stages[1:]))


@pytest.fixture
def run(pipeline: Any, tmp_path: Path) -> Any:
    """Return a function that runs one sample and returns the fake Batch and the child's result row."""

    def call(
        ends: Sequence[StatesError | None],
        *,
        ladder: tuple[int, ...] = (100, 200, 400),
        retry: dict[FailureClass, int] | None = None,
        vcpus: int = 1,
        stages: Sequence[Any] = (("align", "sample", {"reads": "sample.reads"}),),
        items: Sequence[dict[str, Any]] = ({"sample": "S"},),
        items_per_batch: int | None = None,
        **inputs: Any,
    ) -> tuple[Batch, dict[str, Any]]:
        declared = with_retries(pipeline("p", stages), ladder, retry or {}, vcpus)
        settings = replace(declared.maps["sample"], items_per_batch=items_per_batch)
        document = generate(replace(declared, maps={**declared.maps, "sample": settings}))
        (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        batch = Batch(ends)
        result = execute(
            document,
            {**EXECUTION_INPUT, **inputs},
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
        check_row(line.encode())  # a rerun reads parts of a cause without decoding it
        row = json.loads(line)
        return batch, row

    return call


SPOT_QUEUE, ON_DEMAND = "genomics-pipeline", "genomics-pipeline-on-demand"


@pytest.mark.parametrize(
    ("ends", "attempts"),
    {
        "at once": ([], [(100, SPOT_QUEUE, 600)]),
        "more memory": (
            [OUT_OF_MEMORY, OUT_OF_MEMORY],
            [(100, SPOT_QUEUE, 600), (200, SPOT_QUEUE, 600), (400, SPOT_QUEUE, 600)],
        ),
        "a lost host keeps its memory": ([HOST_LOST], [(100, SPOT_QUEUE, 600), (100, ON_DEMAND, 600)]),
        "a longer timeout, once": ([TIMEOUT], [(100, SPOT_QUEUE, 600), (100, SPOT_QUEUE, 1200)]),
        "each failure class has its own retries": (
            [HOST_LOST, OUT_OF_MEMORY, TIMEOUT, OUT_OF_MEMORY],
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
def test_retries_succeed(run: Any, ends: list[StatesError], attempts: list[Any]) -> None:
    batch, row = run(ends)
    assert row["Status"] == "SUCCEEDED", row
    assert batch.attempts() == attempts


@pytest.mark.parametrize(
    ("ends", "failure_class", "jobs"),
    [
        ([OUT_OF_MEMORY] * 9, FailureClass.OUT_OF_MEMORY, 3),
        ([HOST_LOST] * 9, FailureClass.HOST_LOST, 2),
        ([TIMEOUT] * 9, FailureClass.TIMEOUT, 2),
        ([BAD_INPUT] * 9, FailureClass.BAD_INPUT, 1),
        ([TOOL_ERROR] * 9, FailureClass.TOOL_ERROR, 1),
        ([IMAGE] * 9, FailureClass.IMAGE, 1),  # Batch itself has retried it
        ([REFUSED] * 9, None, 1),
        ([OUT_OF_DISK] * 9, FailureClass.OUT_OF_DISK, 3),
        ([job(code=73)] * 9, FailureClass.OUT_OF_DISK, 1),  # of one machine, whose disk is the same for each try
        ([OUT_OF_MEMORY, BAD_INPUT], FailureClass.BAD_INPUT, 2),
    ],
)
def test_retries_end(run: Any, ends: list[StatesError], failure_class: FailureClass | None, jobs: int) -> None:
    batch, row = run(ends)
    assert len(batch.submitted) == jobs
    cause = json.loads(row["Cause"])
    assert (row["Status"], row["Error"], cause["stage"]) == ("FAILED", ends[jobs - 1].error, "align")
    assert len(cause["tried"]) == jobs
    assert cause["class"] == classify(row["Error"], row["Cause"]).failure_class
    assert failure_class in (None, cause["class"])


def test_the_cause_lists_the_attempts(run: Any) -> None:
    _, row = run([OUT_OF_MEMORY, HOST_LOST, TOOL_ERROR])
    assert json.loads(row["Cause"])["tried"] == [
        {"class": "out_of_memory", "memory_mib": 100, "job_id": "j"},
        {"class": "host_lost", "memory_mib": 200, "job_id": "j"},
        {"class": "tool_error", "memory_mib": 200, "job_id": "j"},
    ]


def test_a_throttled_submission_is_not_an_attempt(run: Any) -> None:
    throttled = StatesError("Batch.AWSBatchException", "Too Many Requests (Service: AWSBatch; Status Code: 429)")
    batch, row = run([*[throttled] * 15, OUT_OF_MEMORY])
    assert row["Status"] == "SUCCEEDED"
    assert [memory for memory, _, _ in batch.attempts()] == [*[100] * 16, 200]


def test_a_step_adds_and_removes_retries(run: Any) -> None:
    batch, row = run([TOOL_ERROR, TOOL_ERROR, HOST_LOST], retry={FailureClass.TOOL_ERROR: 2, FailureClass.HOST_LOST: 0})
    assert (len(batch.submitted), row["Status"]) == (3, "FAILED")


def test_a_full_disk_doubles_the_vcpus(run: Any) -> None:
    batch, row = run([OUT_OF_DISK, OUT_OF_MEMORY, OUT_OF_DISK], vcpus=8)
    assert row["Status"] == "SUCCEEDED"
    assert [memory for memory, _, _ in batch.attempts()] == [100, 100, 200, 200]
    for request, vcpus in zip(batch.submitted, ("8", "16", "16", "32"), strict=True):
        overrides = request["ContainerOverrides"]
        assert overrides["ResourceRequirements"][1] == {"Type": "VCPU", "Value": vcpus}
        assert overrides["Environment"][2] == {"Name": "GENOMICS_PIPELINE_VCPUS", "Value": vcpus}


@pytest.mark.parametrize(("vcpus", "jobs"), [(16, 3), (32, 2), (33, 1), (64, 1), (96, 1)])
def test_vcpus_are_not_doubled_beyond_the_largest_host(run: Any, vcpus: int, jobs: int) -> None:
    batch, _ = run([OUT_OF_DISK] * 9, vcpus=vcpus)
    assert len(batch.submitted) == jobs


def test_a_step_without_retries_of_a_full_disk(run: Any) -> None:
    batch, _ = run([OUT_OF_DISK], retry={FailureClass.OUT_OF_DISK: 0})
    assert len(batch.submitted) == 1


def test_a_step_disables_a_retry(run: Any) -> None:
    batch, row = run([TIMEOUT], retry={FailureClass.TIMEOUT: 0})
    assert (len(batch.submitted), row["Status"]) == (1, "FAILED")


def test_a_rerun_may_start_with_more_memory(run: Any) -> None:
    batch, _ = run([OUT_OF_MEMORY], memory_mib={"align": 300})
    assert [memory for memory, _, _ in batch.attempts()] == [300, 400]


def with_first(sample: str, memory: int, seconds: int) -> dict[str, Any]:
    return {"sample": sample, "first_attempts": {"align": {"memory_mib": memory, "timeout_s": seconds}}}


@pytest.mark.parametrize(
    ("memory", "ends", "attempts"),
    {
        "below the ladder": (70, [OUT_OF_MEMORY] * 3, [(70, 60), (100, 60), (200, 60), (400, 60)]),
        "between its entries": (250, [OUT_OF_MEMORY], [(250, 60), (400, 60)]),
        "its last entry": (400, [], [(400, 60)]),
        "the retry has the time of the step": (70, [TIMEOUT], [(70, 60), (70, 1200)]),
        "both": (70, [OUT_OF_MEMORY, TIMEOUT, OUT_OF_MEMORY], [(70, 60), (100, 60), (100, 1200), (200, 1200)]),
    }.values(),
)
def test_an_item_has_a_first_attempt_of_its_own(
    run: Any, memory: int, ends: list[StatesError | None], attempts: list[Any]
) -> None:
    batch, row = run(ends, items=[with_first("S", memory, 60)])
    assert row["Status"] == "SUCCEEDED"
    assert [(mib, seconds) for mib, _, seconds in batch.attempts()] == attempts
    # What a step sees and its provenance are those of a run without: see `worker.review`.
    assert [one["items"] for one in batch.payloads()] == [[{"sample": "S"}]] * len(attempts)
    assert json.loads(row["Input"])["item"] == with_first("S", memory, 60)  # of which a rerun makes its manifest


def test_a_ladder_of_one_entry_follows_a_first_attempt(run: Any) -> None:
    batch, row = run([OUT_OF_MEMORY] * 2, ladder=(100,), items=[with_first("S", 70, 60)])
    assert ([memory for memory, _, _ in batch.attempts()], row["Status"]) == ([70, 100], "FAILED")


def test_a_user_s_memory_comes_before_that_of_an_item(run: Any) -> None:
    batch, _ = run([OUT_OF_MEMORY], items=[with_first("S", 70, 60)], memory_mib={"align": 300})
    assert [memory for memory, _, _ in batch.attempts()] == [300, 400]


def test_a_batch_has_the_most_memory_and_the_time_of_all_its_items(run: Any) -> None:
    items = [with_first("S", 70, 60), with_first("T", 250, 30)]
    batch, _ = run([OUT_OF_MEMORY, TIMEOUT], items=items, items_per_batch=2)
    assert [(mib, seconds) for mib, _, seconds in batch.attempts()] == [(250, 90), (400, 90), (400, 2400)]
    assert batch.payloads()[0]["items"] == [{"sample": "S"}, {"sample": "T"}]


def test_the_cohort_s_first_attempts_are_in_the_input(run: Any) -> None:
    stages = (
        ("align", "sample", {"reads": "sample.reads"}),
        ("join", "cohort", {"bams": "align.out"}),
    )
    own = {"join": {"memory_mib": 70, "timeout_s": 60}}
    batch, _ = run([None, OUT_OF_MEMORY], stages=stages, first_attempts=own)
    assert [(mib, seconds) for mib, _, seconds in batch.attempts()] == [(100, 600), (70, 60), (2048, 60)]


def test_the_retries_of_a_stage_do_not_affect_the_next(run: Any) -> None:
    stages = (("align", "sample", {"reads": "sample.reads"}), ("call", "sample", {"bam": "align.out"}))
    batch, row = run([HOST_LOST, OUT_OF_MEMORY, None, HOST_LOST], stages=stages)
    assert row["Status"] == "SUCCEEDED"
    assert [(request["JobDefinition"], request["JobQueue"]) for request in batch.submitted] == [
        ("genomics-pipeline-align", SPOT_QUEUE),
        ("genomics-pipeline-align", ON_DEMAND),
        ("genomics-pipeline-align", ON_DEMAND),
        ("genomics-pipeline-call", SPOT_QUEUE),
        ("genomics-pipeline-call", ON_DEMAND),
    ]


def test_the_worker_receives_its_memory(run: Any) -> None:
    batch, _ = run([OUT_OF_MEMORY])
    variables = [request["ContainerOverrides"]["Environment"][1] for request in batch.submitted]
    assert variables == [{"Name": "GENOMICS_PIPELINE_MEMORY_MIB", "Value": value} for value in ("100", "200")]


OF_OTHERS = ('{"stage', '{"errorMessage')  # causes of stages, and of functions, which test_record_map.py has
CAUSES = {one.name: one for one in causes() if one.error not in UNCATCHABLE and not one.cause.startswith(OF_OTHERS)}


@pytest.mark.parametrize("name", CAUSES)
def test_a_definition_and_the_package_classify_every_cause_alike(pipeline: Any, name: str) -> None:
    cause = CAUSES[name]
    (catcher,) = generate(pipeline("p", [("gather", "cohort", {"reference": "reference"})]))["States"]["gather"][
        "Catch"
    ]
    states = {"errorOutput": {"Error": cause.error, "Cause": cause.cause}, "input": {"memory_mib": {}}}
    failure = evaluate(catcher["Assign"], {"states": states}, "Assign")["failure"]
    assert failure["class"] == cause.failure_class


def arguments_of(pipeline: Any, **inputs: Any) -> tuple[Any, Any]:
    """Return the job definition and the timeout of a Task over the cohort."""
    task = generate(pipeline("p", [("gather", "cohort", {"reference": "reference"})]))["States"]["gather"]
    states = {"states": {"input": {**EXECUTION_INPUT, **inputs}}}
    definition = evaluate(task["Arguments"]["JobDefinition"], states, "Arguments")
    return definition, evaluate(task["TimeoutSeconds"], states, "TimeoutSeconds")


def test_a_task_may_wait_and_be_tried_five_times(pipeline: Any) -> None:
    assert arguments_of(pipeline)[1] == 5 * 86_400 + 1000 + 3600
    assert arguments_of(pipeline, wait_s=99_999_999)[1] == 99_999_999  # the most that AWS allows


def test_a_run_names_the_revision_that_it_was_submitted_with(pipeline: Any) -> None:
    arn = "arn:aws:batch:us-east-1:000000000000:job-definition/genomics-pipeline-gather:7"
    assert arguments_of(pipeline, job_definitions={"gather": arn})[0] == arn
    assert arguments_of(pipeline, job_definitions={"other": arn})[0] == "genomics-pipeline-gather"
