"""The fake of Step Functions, used through unmodified boto3."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from tests.fakes.batch import Log
from tests.fakes.faults import Bucket
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from tests.fakes.aws import FakeAws
    from tests.fakes.step_functions.execution import Execution

ARN = "arn:aws:states:us-east-1:000000000000"


def document(concurrency: int = 2) -> str:
    """Return a Distributed Map over ``{"items": […]}`` with a Batch job for each; results go to the bucket ``runs``."""
    job = {"JobName": "{% $states.input.name %}", "JobQueue": "queue", "JobDefinition": "step"}
    return json.dumps(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "M",
            "States": {
                "M": {
                    "Type": "Map",
                    "Label": "Each",
                    "Items": "{% $states.input.items %}",
                    "MaxConcurrency": concurrency,
                    "ToleratedFailurePercentage": 50,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                        "StartAt": "T",
                        "States": {
                            "T": {
                                "Type": "Task",
                                "Resource": "arn:aws:states:::batch:submitJob.sync",
                                "Arguments": job,
                                "Output": "{% $states.result.Status %}",
                                "End": True,
                            }
                        },
                    },
                    "ResultWriter": {
                        "Resource": "arn:aws:states:::s3:putObject",
                        "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
                        "Arguments": {"Bucket": "runs", "Prefix": "out"},
                    },
                    "End": True,
                }
            },
        }
    )


ITEMS = json.dumps({"items": [{"name": f"job-{number}"} for number in range(4)]})


class BlockedJobs:
    """Jobs that wait until they are released."""

    def __init__(self, names: list[str]) -> None:
        self.jobs = {name: threading.Event() for name in names}

    def __call__(self, job: Job, log: Log) -> JobEnd:
        log(f"{job.name} waits")
        self.jobs[job.name].wait(PATIENCE_S)
        return JobEnd(1 if job.name == "job-1" else 0, "bad reads" if job.name == "job-1" else None)

    def open(self, *names: str) -> None:
        for name in names or list(self.jobs):
            self.jobs[name].set()


@pytest.fixture
def states(step_functions: FakeAws) -> Iterator[SFNClient]:
    """Return a client without retries. The state machine ``m`` and the bucket ``runs`` exist."""
    client = boto3.client("stepfunctions", config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="runs")
    client.create_state_machine(name="m", definition=document(), roleArn="arn:aws:iam::000000000000:role/r")
    yield client
    step_functions.states.close()
    for entry in s3.list_objects_v2(Bucket="runs").get("Contents", ()):
        s3.delete_object(Bucket="runs", Key=entry["Key"])
    s3.delete_bucket(Bucket="runs")


def start(states: SFNClient, name: str = "e", items: str = ITEMS) -> str:
    return states.start_execution(stateMachineArn=f"{ARN}:stateMachine:m", name=name, input=items)["executionArn"]


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    error_fields = error.value.response["Error"]
    return error_fields["Code"], error_fields["Message"]


def test_an_update_lowers_the_concurrency_and_running_children_go_on(
    step_functions: FakeAws, states: SFNClient
) -> None:
    jobs = step_functions.batch.run_job = BlockedJobs([f"job-{number}" for number in range(4)])
    execution = step_functions.execution(start(states))
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    (entry,) = states.list_map_runs(executionArn=execution.arn)["mapRuns"]
    arn = entry["mapRunArn"]
    states.update_map_run(mapRunArn=arn, maxConcurrency=1)
    run = states.describe_map_run(mapRunArn=arn)
    assert (run["maxConcurrency"], run["executionCounts"]["running"]) == (1, 2)
    jobs.open("job-0")
    execution.wait(lambda one: states_of(one) == {"SUCCEEDED": 1, "RUNNING": 1})
    jobs.open("job-1")
    execution.wait(lambda one: sum(states_of(one).values()) == 3)
    assert states_of(execution)["RUNNING"] == 1
    jobs.open()
    execution.wait()
    assert refusal(states.update_map_run, mapRunArn=arn, maxConcurrency=1)[0] == "ValidationException"
    missing = f"{ARN}:mapRun:m/Each:none"
    assert refusal(states.update_map_run, mapRunArn=missing, maxConcurrency=1)[0] == "ResourceNotFound"


def states_of(execution: Execution) -> Counter[str]:
    """Return the number of children by status."""
    return Counter(child.status for child in execution.children.values())


def test_a_map_run_is_counted_while_it_runs(step_functions: FakeAws, states: SFNClient) -> None:
    jobs = step_functions.batch.run_job = BlockedJobs([f"job-{number}" for number in range(4)])
    arn = start(states)
    execution = step_functions.execution(arn)
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    (entry,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    assert entry["stateMachineArn"] == f"{ARN}:stateMachine:m/Each"
    run = states.describe_map_run(mapRunArn=entry["mapRunArn"])
    assert (run["status"], "stopDate" in run) == ("RUNNING", False)
    assert {key: run["itemCounts"][key] for key in ("pending", "running", "total", "resultsWritten")} == {
        "pending": 2,
        "running": 2,
        "total": 4,
        "resultsWritten": 0,
    }
    assert run["executionCounts"]["running"] == 2
    children = states.list_executions(mapRunArn=entry["mapRunArn"], statusFilter="RUNNING")["executions"]
    assert len(children) == 2
    # Members as recorded from a running Map Run: radkawar/stackd testdata/aws/stepfunctions/distributed_map.json,
    # cancel_pending:early.
    assert set(entry) == {"executionArn", "mapRunArn", "stateMachineArn", "startDate"}
    shared = {"executionArn", "stateMachineArn", "name", "status", "startDate", "mapRunArn"}
    assert set(children[0]) == shared | {"itemCount", "redriveCount"}
    described = states.describe_execution(executionArn=children[0]["executionArn"])
    answered = {"input", "inputDetails", "redriveStatus", "redriveStatusReason", "ResponseMetadata"}
    assert set(described) == shared | answered
    jobs.open()
    execution.wait()
    run = states.describe_map_run(mapRunArn=entry["mapRunArn"])
    assert (run["status"], run["itemCounts"]["failed"], run["itemCounts"]["succeeded"]) == ("SUCCEEDED", 1, 3)
    (failed,) = states.list_executions(mapRunArn=entry["mapRunArn"], statusFilter="FAILED")["executions"]
    described = states.describe_execution(executionArn=failed["executionArn"])
    assert described["error"] == "States.TaskFailed"
    assert json.loads(described["cause"])["Container"]["Reason"] == "bad reads"
    done = states.list_executions(mapRunArn=entry["mapRunArn"], statusFilter="SUCCEEDED")["executions"]
    assert states.describe_execution(executionArn=done[0]["executionArn"])["output"] == '"SUCCEEDED"'
    details = json.loads(states.describe_execution(executionArn=arn)["output"])["ResultWriterDetails"]
    manifest = json.loads(boto3.client("s3").get_object(**details)["Body"].read())
    assert [len(manifest["ResultFiles"][kind]) for kind in ("SUCCEEDED", "FAILED", "PENDING")] == [1, 1, 0]


def test_starting_a_running_execution_again_returns_it(step_functions: FakeAws, states: SFNClient) -> None:
    jobs = step_functions.batch.run_job = BlockedJobs([f"job-{number}" for number in range(4)])
    arn = start(states)
    assert start(states) == arn
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    request = {"stateMachineArn": f"{ARN}:stateMachine:m", "name": "e"}
    assert refusal(states.start_execution, **request, input='{"items":[]}') == exists
    jobs.open()
    step_functions.execution(arn).wait()
    assert refusal(states.start_execution, **request, input=ITEMS) == exists


def test_a_stopped_execution_is_aborted_with_its_children_and_its_files(
    step_functions: FakeAws, states: SFNClient
) -> None:
    def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
        job.cancelled.wait(PATIENCE_S)
        return JobEnd(143)

    step_functions.batch.run_job = wait_until_cancelled
    arn = start(states)
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    states.stop_execution(executionArn=arn, error="Cancelled", cause="by me")
    description = states.describe_execution(executionArn=arn)
    assert (description["status"], description["error"], description["cause"]) == ("ABORTED", "Cancelled", "by me")
    step_functions.execution(arn).wait()
    (entry,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    run = states.describe_map_run(mapRunArn=entry["mapRunArn"])
    counts = run["itemCounts"]
    assert (run["status"], counts["aborted"], counts["pending"], counts["running"]) == ("ABORTED", 2, 2, 0)
    assert [job.status for job in step_functions.batch.jobs.values()] == ["FAILED", "FAILED"]
    key = f"out/{entry['mapRunArn'].rsplit(':', 1)[-1]}/manifest.json"
    manifest = json.loads(boto3.client("s3").get_object(Bucket="runs", Key=key)["Body"].read())
    assert [len(manifest["ResultFiles"][kind]) for kind in ("SUCCEEDED", "FAILED", "PENDING")] == [0, 1, 1]
    events = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)["events"]
    assert (events[0]["type"], events[0]["executionAbortedEventDetails"]["cause"]) == ("ExecutionAborted", "by me")


def test_pages(step_functions: FakeAws, states: SFNClient) -> None:
    for number in range(5):
        start(states, f"e{number}", '{"items":[]}')
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=f"{ARN}:stateMachine:m", PaginationConfig={"PageSize": 2}
    )
    names = [[execution["name"] for execution in page["executions"]] for page in pages]
    assert names == [["e4", "e3"], ["e2", "e1"], ["e0"]]
    first = states.list_executions(stateMachineArn=f"{ARN}:stateMachine:m", maxResults=1)
    arn = f"{ARN}:execution:m:e0"
    code, _ = refusal(states.get_execution_history, executionArn=arn, nextToken=first["nextToken"])
    assert code == "InvalidToken"
    step_functions.execution("e0").wait()
    history = states.get_paginator("get_execution_history").paginate(executionArn=arn, PaginationConfig={"PageSize": 2})
    kinds = [event["type"] for page in history for event in page["events"]]
    assert (kinds[0], kinds[-1]) == ("ExecutionStarted", "ExecutionSucceeded")


def test_planned_throttling_and_throttling_by_rate(step_functions: FakeAws, states: SFNClient) -> None:
    now = [0.0]
    gate = step_functions.states.gate
    gate.buckets["ListExecutions"] = Bucket(2, 1, lambda: now[0])
    request: Any = {"stateMachineArn": f"{ARN}:stateMachine:m"}
    gate.throttle("ListExecutions")
    throttled = ("ThrottlingException", "Rate exceeded")
    assert refusal(states.list_executions, **request) == throttled
    for _ in range(2):
        states.list_executions(**request)
    assert refusal(states.list_executions, **request) == throttled
    now[0] = 1.0
    states.list_executions(**request)
    assert refusal(states.list_executions, **request) == throttled


def test_unknown_resources(states: SFNClient) -> None:
    machine, execution = f"{ARN}:stateMachine:none", f"{ARN}:execution:m:none"
    assert refusal(states.start_execution, stateMachineArn=machine) == (
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{machine}'",
    )
    assert refusal(states.describe_execution, executionArn=execution) == (
        "ExecutionDoesNotExist",
        f"Execution Does Not Exist: '{execution}'",
    )
    assert refusal(states.describe_map_run, mapRunArn=f"{ARN}:mapRun:m/Each:none")[0] == "ResourceNotFound"
    assert refusal(states.describe_execution, executionArn=machine)[0] == "InvalidArn"


def test_batch_describes_and_terminates_jobs_and_logs_their_output(step_functions: FakeAws, states: SFNClient) -> None:
    def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
        log("begun")
        job.cancelled.wait(PATIENCE_S)
        log("asked to end")
        return JobEnd(143)

    step_functions.batch.run_job = wait_until_cancelled
    arn = start(states, items='{"items":[{"name":"only"}]}')
    step_functions.batch.wait(lambda batch: len(batch.running()) == 1)
    batch, logs = boto3.client("batch"), boto3.client("logs")
    (summary,) = batch.list_jobs(jobQueue="queue", jobStatus="RUNNING")["jobSummaryList"]
    batch.terminate_job(jobId=summary["jobId"], reason="no more")
    step_functions.execution(arn).wait()
    (job,) = batch.describe_jobs(jobs=[summary["jobId"], "unknown"])["jobs"]
    assert (job["status"], job["statusReason"], job["container"]["exitCode"]) == ("FAILED", "no more", 143)
    stream = job["attempts"][0]["container"]["logStreamName"]
    events = logs.get_log_events(logGroupName="/genomics-pipeline/tasks", logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in events["events"]] == ["begun", "asked to end"]


def test_a_state_machine_of_a_stack(step_functions: FakeAws, states: SFNClient) -> None:
    definition = '{"StartAt":"P","States":{"P":{"Type":"Pass","Result":"of the stack","End":true}}}'
    role = "arn:aws:iam::000000000000:role/r"
    machine = {"StateMachineName": "made", "DefinitionString": definition, "RoleArn": role}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="with-a-machine", TemplateBody=json.dumps(template))
    arn = states.start_execution(stateMachineArn=f"{ARN}:stateMachine:made")["executionArn"]
    step_functions.execution(arn).wait()
    description = states.describe_execution(executionArn=arn)
    assert (description["status"], description["output"]) == ("SUCCEEDED", '"of the stack"')
    stacks.delete_stack(StackName="with-a-machine")


def test_a_redriven_execution(step_functions: FakeAws, states: SFNClient) -> None:
    """The recordings are radkawar/stackd testdata/aws/stepfunctions/redrive_execution.json and redrive_map.json."""
    gate = threading.Event()
    gate.set()

    def all_but_one(job: Job, log: Log) -> JobEnd:
        gate.wait(PATIENCE_S)
        return JobEnd(0) if job.name == "job-0" else JobEnd(1, "bad reads")

    step_functions.batch.run_job = all_but_one
    arn = start(states)
    step_functions.execution(arn).wait()
    failed = states.describe_execution(executionArn=arn)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    (entry,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    gate.clear()
    request: Any = {"executionArn": arn, "clientToken": "token-A"}
    date = states.redrive_execution(**request)["redriveDate"]
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    assert states.redrive_execution(**request)["redriveDate"] == date
    running = states.describe_execution(executionArn=arn)
    described = {key: running[key] for key in ("status", "redriveCount", "redriveDate", "redriveStatus")}
    assert described == {"status": "RUNNING", "redriveCount": 1, "redriveDate": date, "redriveStatus": "NOT_REDRIVABLE"}
    assert "stopDate" not in running
    reason = f"Execution {arn} invalid for redrive as: Execution is RUNNING and cannot be redriven"
    answer = refusal(states.redrive_execution, executionArn=arn, clientToken="token-B")
    assert answer == ("ExecutionNotRedrivable", reason)
    children = states.list_executions(mapRunArn=entry["mapRunArn"], statusFilter="RUNNING")["executions"]
    assert [child["redriveCount"] for child in children] == [1, 1]
    gate.set()
    step_functions.execution(arn).wait()
    run = states.describe_map_run(mapRunArn=entry["mapRunArn"])
    assert (run["status"], run["redriveCount"], run["itemCounts"]["succeeded"]) == ("FAILED", 1, 1)
    assert run["startDate"] < run["redriveDate"] < run["stopDate"]
    (second_entry,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    assert second_entry["mapRunArn"] == entry["mapRunArn"]
    step_functions.batch.run_job = lambda job, log: JobEnd(0)
    states.redrive_execution(executionArn=arn, clientToken="token-B")
    step_functions.execution(arn).wait()
    description = states.describe_execution(executionArn=arn)
    assert (description["status"], description["redriveCount"]) == ("SUCCEEDED", 2)
    details = json.loads(description["output"])["ResultWriterDetails"]
    assert details["Key"].endswith("/Redrive-2/manifest.json")
    kinds = [event["type"] for event in states.get_execution_history(executionArn=arn)["events"]]
    assert kinds.count("ExecutionRedriven") == kinds.count("MapRunRedriven") == 2
    reason = f"Execution {arn} invalid for redrive as: Execution is SUCCEEDED and cannot be redriven"
    answer = refusal(states.redrive_execution, executionArn=arn, clientToken="token-C")
    assert answer == ("ExecutionNotRedrivable", reason)
    assert states.redrive_execution(**request)["redriveDate"] == date
