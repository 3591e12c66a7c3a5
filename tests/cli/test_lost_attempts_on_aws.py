"""Attempts on AWS whose workers could write nothing: each has its row in the trace, read from the bucket alone."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.stage_try import parse_tries
from genomics_pipeline.model.task import SUBMITTED_VARIABLE, TRIED_VARIABLE
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.worker.lost_attempt import AttemptStart, note_start
from genomics_pipeline.worker.task_resources import TaskResources
from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_report_on_aws import bucket_alone
from tests.fakes.batch import Log, RunJob
from tests.fakes.batch_job import AnyDefinition
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import containers, payload_of

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["bucket_alone"]
Cli = Callable[..., Ended]
LATE = JobEnd(137, status_reason="Job attempt duration exceeded timeout")
HOST = JobEnd(None, status_reason="Host EC2 (instance i-0a) terminated.")
TIMEOUT = ("timeout", "killed, since its time was up")
DONE = ("-", "-")


class Killing:
    """Jobs of containers, some of whose alignments are killed.

    Args:
        run_job: Runs the others.
        scratch: A folder.

    Attributes:
        left: The ends of the next alignments of samples.
    """

    def __init__(self, run_job: RunJob, scratch: Path) -> None:
        self._run_job, self._scratch = run_job, scratch
        self.left: dict[str, list[JobEnd]] = {}

    def __call__(self, job: Job, log: Log) -> JobEnd:
        payload = payload_of(job)
        left = self.left.get(str(payload.items[0].get("sample"))) if payload.stage == "alignment" else None
        if not left:
            return self._run_job(job, log)
        end = left.pop(0)
        if end is LATE:
            self._begin(job)
        return end

    def _begin(self, job: Job) -> None:
        """Start a worker, which is killed before it has done anything."""
        payload, started = payload_of(job), datetime.now(UTC).isoformat(timespec="milliseconds")
        scratch, submitted = self._scratch, job.environment[SUBMITTED_VARIABLE]
        resources = TaskResources(
            job.vcpus, job.memory_mib, scratch, scratch, threading.Event(), job.environment, submitted=submitted
        )
        tried = parse_tries(job.environment[TRIED_VARIABLE])
        start = AttemptStart(BatchAttempt(job.job_id, job.attempt), started, tried)
        note_start(payload, load_step(payload.step), object_store(), resources, start)


def attempts(cli: Cli, place: str) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the alignments in the trace of a run, by sample."""
    ended = cli("trace", place)
    assert ended.code == 0, ended.err
    rows: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(StringIO(ended.out), delimiter="\t"):
        if row["process"] == "alignment":
            rows.setdefault(row["tag"], []).append(row)
    return rows


def ends(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    assert [row["attempt"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    return [(row["failure_class"], row["message"]) for row in rows]


def test_each_attempt_has_its_row(
    stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli, bucket_alone: Callable[[], None]
) -> None:
    assert cli("simulate", "--out", tmp_path / "c", "--samples", "3", "--length", "6000", "--depth", "12").code == 0
    step_functions.batch.definitions = AnyDefinition(STACK_RETRY_STRATEGY)
    jobs = step_functions.batch.run_job = Killing(containers(tmp_path / "scratch", aws), tmp_path)
    jobs.left = {"sample1": [LATE], "sample2": [HOST, LATE, LATE], "sample3": [HOST]}
    sheet = on_s3(tmp_path / "c", stack, tmp_path / "cohort.csv", broken="")
    arguments = ("--reference", tmp_path / "c/reference.fa", "--max-failures", "1", "--json")
    submitted: Any = json.loads(cli("submit", sheet, *arguments).out)
    step_functions.execution(submitted["run"]).wait()
    place = f"s3://{stack.bucket}/runs/{submitted['run']}"

    lost = ("host_lost", "ended before its worker began")
    found = attempts(cli, place)
    assert ends(found["sample1"]) == [TIMEOUT, DONE]
    assert ends(found["sample2"])[:2] == [lost, TIMEOUT]
    assert ends(found["sample2"])[2:] == [("timeout", "Job attempt duration exceeded timeout")]
    assert ends(found["sample3"]) == [lost, DONE]
    late = found["sample1"][0]
    assert int(late["realtime"]) >= 0
    assert late["native_id"] != found["sample1"][1]["native_id"] != "-"
    events = json.loads(cli("trace", place, "--format", "timeline").out)["traceEvents"]
    killed = [one for one in events if one.get("args", {}).get("failure_class") == "timeout"]
    assert [one["name"] for one in killed] == ["alignment"] * 3
    metrics = cli("trace", place, "--format", "openmetrics").out
    run = f'run="{submitted["run"]}",stage="alignment"'
    assert f'genomics_pipeline_attempts_total{{{run},end="timeout"}} 3\n' in metrics

    assert cli("rerun", submitted["run"]).code == 0
    step_functions.execution(f"{submitted['run']}-r1").wait()
    bucket_alone()
    again = attempts(cli, place)["sample2"]
    assert [one for one, _ in ends(again)] == ["host_lost", "timeout", "timeout", "-"]
    assert [row["native_id"] for row in again[:3]] == [row["native_id"] for row in found["sample2"]]
