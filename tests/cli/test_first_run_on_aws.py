"""A whole run of a new stack with what may go wrong in it at once, on hosts of either architecture."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from tests.cli.conftest import BWA, FAI, FASTA, Ended
from tests.fakes.batch import Log
from tests.fakes.batch_job import AnyDefinition
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.jobs import by_item, containers, payload_of, with_spot_losses
from tests.fakes.moto_clients import moto_client
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
GOOD = [f"s{number:02}" for number in range(20)]
GATHER = "genomics-pipeline-gather"
DECRYPT = (
    "User: arn:aws:sts::000000000000:assumed-role/genomics-pipeline-JobRole-1X/6f1c is not authorized to perform: "
    "kms:Decrypt on resource: arn:aws:kms:us-east-1:000000000000:key/of-reads because no identity-based policy"
)
BLOCKED = "Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"


@pytest.fixture(params=list(Architecture))
def new_stack(request: pytest.FixtureRequest, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    """Yield a stack of each architecture, with a reference and its indexes below ``ref/``."""
    with deployed(aws, architecture=request.param) as stack:
        for ending, text in {"fa": FASTA, "fa.fai": FAI, **dict.fromkeys(BWA, "x")}.items():
            stack.put(f"ref/tiny.{ending}", text)
        yield stack
        for execution in step_functions.states.executions.values():
            execution.wait()


def write_sheet(stack: Deployed, path: Path) -> Path:
    """Write a sheet of good samples, of one whose reads are encrypted with a foreign key, and of one too large."""
    stack.s3.create_bucket(Bucket="encrypted")
    reads = {name: stack.put(f"reads/{name}.fastq") for name in (*GOOD, "large")}
    reads["encrypted"] = stack.put("lab/a.fastq", bucket="encrypted")
    path.write_text("".join(["sample,fastq_1\n", *(f"{name},{uri}\n" for name, uri in reads.items())]))
    return path


def deploy_gather_again(moto: str) -> None:
    """Register another revision of the last stage's job definition, as `deploy` does when its step has changed."""
    batch = moto_client("batch", moto)
    (before,) = batch.describe_job_definitions(jobDefinitionName=GATHER)["jobDefinitions"]
    container = {"image": before["containerProperties"]["image"], "vcpus": 2, "memory": 512}
    batch.register_job_definition(jobDefinitionName=GATHER, type="container", containerProperties=container)


def submitted_definitions(execution: str) -> list[str]:
    """Return the job definitions of the tasks of an execution outside of its maps."""
    events = boto3.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    details = [event["taskScheduledEventDetails"] for event in events if "taskScheduledEventDetails" in event]
    return [json.loads(one["parameters"])["JobDefinition"] for one in details]


def test_a_first_run_ends_as_described(
    new_stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli
) -> None:
    attempts: list[bool] = []
    is_deployed = threading.Event()

    def is_lost(item: str, job: Job) -> bool:
        is_deployed.wait(60)
        lost = item in GOOD and (int(item[1:]) + job.attempt) % 20 == 3  # 5 % of the attempts
        attempts.append(lost)
        return lost

    def end_of(stage: str, item: str) -> JobEnd:
        return JobEnd(None, status_reason=BLOCKED) if item == "large" else JobEnd(0)

    def deny(method: str, path: str) -> str | None:
        return f"{DENIED}{DECRYPT}" if method in ("HEAD", "GET") and path.startswith("/encrypted/lab/") else None

    with FaultyS3(aws, deny) as s3:
        worker, quick = containers(tmp_path / "scratch", s3.url), by_item(end_of)

        def run_job(job: Job, log: Log) -> JobEnd:
            names = [item.get("sample") for item in payload_of(job).items]
            return worker(job, log) if "encrypted" in names else quick(job, log)

        step_functions.batch.definitions = AnyDefinition(STACK_RETRY_STRATEGY)
        step_functions.batch.run_job = with_spot_losses(run_job, is_lost)
        reference = f"s3://{new_stack.bucket}/ref/tiny.fa"
        submitted = cli("submit", write_sheet(new_stack, tmp_path / "c.csv"), "--reference", reference, "--json")
        assert submitted.code == 0, submitted.err
        run = json.loads(submitted.out)["run"]
        deploy_gather_again(aws)
        is_deployed.set()
        execution = step_functions.execution(run)
        execution.wait()

    status: dict[str, Any] = json.loads(cli("status", run, "--json").out)
    samples = status["map_runs"][0]
    assert (status["status"], samples["succeeded"], samples["failed"]) == ("SUCCEEDED", len(GOOD), 2)
    assert sum(attempts) == 2  # s02 in both stages; nothing else was tried again
    classes = {one["item"]: one["class"] for one in status["failures"]["items"]}
    assert classes == {"large": "aws_limit", "encrypted": "access_denied"}
    shown = cli("status", run).out
    assert "lacks the right kms:Decrypt on arn:aws:kms:us-east-1:000000000000:key/of-reads" in shown
    assert "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in shown
    pinned = f"arn:aws:batch:us-east-1:000000000000:job-definition/{GATHER}:1"
    assert submitted_definitions(execution.arn) == [pinned]
