"""`execute --tasks batch`: a definition's Batch tasks through a Batch API, with unmodified boto3."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
import pytest

from genomics_pipeline.aws.batch import BatchJobs
from genomics_pipeline.cli.adapters import aws_clients, object_store
from genomics_pipeline.cli.main import main
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.runs.aws.batch_api import BatchApi
from tests.fakes.faults import ApiError
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch import Log

SUBMIT = "arn:aws:states:::batch:submitJob"
ARGUMENTS = {"JobName": "{% $states.input.name %}", "JobQueue": "queue", "JobDefinition": "step"}


class AtOnce:
    """A clock whose delays end at once, and which records them."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def now(self) -> float:
        return 1790201831.644

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)

    def jitter(self, seconds: float) -> float:
        return seconds


def task(resource: str = f"{SUBMIT}.sync", **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Arguments": ARGUMENTS, "End": True, **fields}


def machine(state: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": state}}


@pytest.fixture
def run(checked_calls: list[str], tmp_path: Path) -> Callable[..., ExecutionResult]:
    """Return `run(state, clock=…)`, which runs a state machine of that state; its jobs go where boto3 leads."""

    def call(state: dict[str, Any], clock: AtOnce | None = None) -> ExecutionResult:
        clock = clock or AtOnce()
        jobs = BatchTasks(BatchApi(BatchJobs(aws_clients()), clock))
        return execute(
            machine(state),
            {"name": "job"},
            name="e",
            state_machine="m",
            store=object_store(),
            tasks=Handlers(jobs.handlers()),
            journal=tmp_path / "journal",
            clock=clock,
        )

    return call


def test_a_job_that_succeeds_gives_its_detail(step_functions: FakeAws, run: Callable[..., ExecutionResult]) -> None:
    overrides = {"Environment": [{"Name": "A", "Value": "1"}]}
    result = run(
        task(Arguments={**ARGUMENTS, "ContainerOverrides": overrides, "Timeout": {"AttemptDurationSeconds": 60}})
    )
    (job,) = step_functions.batch.jobs.values()
    assert job.job.environment == {"A": "1", "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
    assert job.job.timeout_s == 60
    assert {name: result.output[name] for name in ("JobId", "JobName", "Status")} == {
        "JobId": job.job.job_id,
        "JobName": "job",
        "Status": "SUCCEEDED",
    }
    assert result.output["Container"]["ExitCode"] == 0
    assert result.output["Container"]["LogStreamName"] == job.stream


def test_a_job_that_fails_is_a_task_that_failed_with_its_detail(
    step_functions: FakeAws, run: Callable[..., ExecutionResult]
) -> None:
    reason = "OutOfMemoryError: Container killed due to memory usage"
    step_functions.batch.run_job = lambda job, log: JobEnd(137, reason)
    result = run(task())
    assert (result.status, result.error) == ("FAILED", "States.TaskFailed")
    cause = json.loads(result.cause or "")
    assert (cause["Status"], cause["StatusReason"]) == ("FAILED", "Essential container in task exited")
    assert (cause["Container"]["ExitCode"], cause["Container"]["Reason"]) == (137, reason)
    assert cause["Attempts"][0]["Container"]["ExitCode"] == 137


@pytest.mark.parametrize(
    ("refusal", "error", "cause"),
    [
        (
            ApiError("ClientException", "JobQueue queue not found"),
            "Batch.ClientException",
            "JobQueue queue not found (Service: AWSBatch; Status Code: 400; Error Code: ClientException; ",
        ),
        (
            ApiError("AccessDeniedException", "no", 403),
            "Batch.AWSBatchException",
            "no (Service: AWSBatch; Status Code: 403; Error Code: AccessDeniedException; ",
        ),
    ],
)
def test_a_submission_that_is_refused(
    step_functions: FakeAws, run: Callable[..., ExecutionResult], refusal: ApiError, error: str, cause: str
) -> None:
    step_functions.batch.gate.fail("SubmitJob", refusal)
    result = run(task())
    assert (result.status, result.error) == ("FAILED", error)
    assert (result.cause or "").startswith(cause)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (ApiError("TooManyRequestsException", "Too Many Requests", 429), "Batch.AWSBatchException"),
        (ApiError("ServerException", "broken", 500), "Batch.ServerException"),
    ],
)
def test_a_busy_batch_is_asked_again_by_the_states_own_retry(
    step_functions: FakeAws,
    run: Callable[..., ExecutionResult],
    monkeypatch: pytest.MonkeyPatch,
    refusal: ApiError,
    error: str,
) -> None:
    monkeypatch.setattr("genomics_pipeline.stores.client_config.ATTEMPTS", 1)
    step_functions.batch.gate.fail("SubmitJob", refusal)
    clock = AtOnce()
    retry = [{"ErrorEquals": [error], "IntervalSeconds": 7}]
    assert run(task(Retry=retry), clock).status == "SUCCEEDED"
    assert clock.delays[0] == 7


@pytest.mark.usefixtures("step_functions")
def test_an_argument_that_submit_job_does_not_have(run: Callable[..., ExecutionResult]) -> None:
    result = run(task(Arguments={**ARGUMENTS, "Nice": 1}))
    assert (result.error, (result.cause or "")[-59:]) == (
        "States.Runtime",
        "Task: [The field 'Nice' is not supported by Step Functions]",
    )


def test_a_job_that_is_only_submitted(step_functions: FakeAws, run: Callable[..., ExecutionResult]) -> None:
    result = run(task(SUBMIT))
    (job,) = step_functions.batch.jobs.values()
    assert result.output == {
        "JobArn": f"arn:aws:batch:us-east-1:000000000000:job/{job.job.job_id}",
        "JobId": job.job.job_id,
        "JobName": "job",
    }


def test_polls_are_ever_more_seldom_and_a_busy_batch_does_not_end_them(
    step_functions: FakeAws, run: Callable[..., ExecutionResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genomics_pipeline.stores.client_config.ATTEMPTS", 1)
    batch = step_functions.batch
    batch.gate.throttle("DescribeJobs", 3)

    def until_asked_seven_times(job: Job, log: Log) -> JobEnd:
        batch.calls.wait("DescribeJobs", 7)
        return JobEnd(0)

    batch.run_job = until_asked_seven_times
    clock = AtOnce()
    assert run(task(), clock).status == "SUCCEEDED"
    assert [round(delay, 2) for delay in clock.delays[:10]] == [1, 1.5, 2.25, 3.38, 5.06, 7.59, 11.39, 17.09, 25.63, 30]


def test_a_task_that_times_out_ends_its_job(step_functions: FakeAws, run: Callable[..., ExecutionResult]) -> None:
    def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
        job.cancelled.wait(PATIENCE_S)
        return JobEnd(143)

    step_functions.batch.run_job = wait_until_cancelled
    result = run(task(TimeoutSeconds=1))
    assert (result.status, result.error) == ("FAILED", "States.Timeout")
    step_functions.batch.wait(lambda batch: not batch.running())
    (job,) = step_functions.batch.jobs.values()
    assert job.terminated == "Ended with its Task in arn:aws:states:us-east-1:000000000000:execution:m:e"


@pytest.fixture
def moto_batch(aws: str) -> Iterator[None]:
    """Configure moto's Batch without containers, where each job succeeds; queue ``queue``, definition ``step``."""
    config = f"{aws}/moto-api/config"
    before = json.loads(urlopen(config).read())
    docker = {"batch": {"use_docker": False}}
    urlopen(Request(config, json.dumps(docker).encode(), {"Content-Type": "application/json"})).close()
    iam, batch = boto3.client("iam"), boto3.client("batch")
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = batch.create_compute_environment(computeEnvironmentName="hosts", type="UNMANAGED", serviceRole=role)
    order: Any = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
    batch.create_job_queue(jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order)
    container: Any = {"image": "none", "vcpus": 1, "memory": 128}
    batch.register_job_definition(jobDefinitionName="step", type="container", containerProperties=container)
    yield
    urlopen(Request(config, json.dumps(before).encode(), {"Content-Type": "application/json"})).close()
    batch.delete_job_queue(jobQueue="queue")
    batch.delete_compute_environment(computeEnvironment="hosts")
    batch.deregister_job_definition(jobDefinition="step:1")
    iam.delete_role(RoleName="batch")


@pytest.mark.usefixtures("moto_batch")
def test_motos_batch(run: Callable[..., ExecutionResult]) -> None:
    result = run(task())
    assert (result.status, result.output["Status"], result.output["JobName"]) == ("SUCCEEDED", "SUCCEEDED", "job")


@pytest.mark.usefixtures("moto_batch")
def test_motos_batch_refuses(run: Callable[..., ExecutionResult]) -> None:
    result = run(task(Arguments={**ARGUMENTS, "JobDefinition": "other"}))
    assert (result.status, result.error) == ("FAILED", "Batch.ClientException")
    assert (result.cause or "").startswith("Job definition other does not exist (Service: AWSBatch; Status Code: 400; ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--fast-forward"],
            "--fast-forward skips time, but --tasks batch waits for real jobs: use one of them",
        ),
        (
            ["--root", "."],
            "--tasks batch: jobs of AWS Batch cannot read a folder of this machine; use S3, not --root",
        ),
    ],
)
def test_what_does_not_go_together(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(machine(task())))
    with pytest.raises(SystemExit) as end:
        main(["execute", str(file), "--tasks", "batch", *options])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_the_command_takes_documents_from_s3(step_functions: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="documents")
    s3.put_object(Bucket="documents", Key="machine.json", Body=json.dumps(machine(task(SUBMIT))).encode())
    s3.put_object(Bucket="documents", Key="input.json", Body=b'{"name":"from-s3"}')
    options = ["--input", "s3://documents/input.json", "--tasks", "batch", "--json"]
    with pytest.raises(SystemExit) as end:
        main(["execute", "s3://documents/machine.json", *options])
    for key in ("machine.json", "input.json"):
        s3.delete_object(Bucket="documents", Key=key)
    s3.delete_bucket(Bucket="documents")
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out)["output"]["JobName"] == "from-s3"
