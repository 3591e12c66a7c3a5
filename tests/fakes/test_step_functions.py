"""The fake of Step Functions, through unmodified boto3."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from tests.fakes.batch import Log
from tests.fakes.faults import Bucket

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from tests.fakes.aws import FakeAws

ARN = "arn:aws:states:us-east-1:000000000000"


def document(concurrency: int = 2) -> str:
    """Return a Distributed Map over ``{"items": […]}``, a Batch job for each; results go to the bucket ``runs``."""
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


class Doors:
    """Jobs that wait until they are released."""

    def __init__(self, names: list[str]) -> None:
        self.doors = {name: threading.Event() for name in names}

    def __call__(self, job: Job, log: Log) -> JobEnd:
        log(f"{job.name} waits")
        self.doors[job.name].wait(60)
        return JobEnd(1 if job.name == "job-1" else 0, "bad reads" if job.name == "job-1" else None)

    def open(self, *names: str) -> None:
        for name in names or list(self.doors):
            self.doors[name].set()


@pytest.fixture
def states(step_functions: FakeAws) -> Iterator[SFNClient]:
    """Return a client without retries. The state machine ``m`` and the bucket ``runs`` exist."""
    client = boto3.client("stepfunctions", config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="runs")
    client.create_state_machine(name="m", definition=document(), roleArn="arn:aws:iam::000000000000:role/r")
    yield client
    step_functions.states.close()
    for found in s3.list_objects_v2(Bucket="runs").get("Contents", ()):
        s3.delete_object(Bucket="runs", Key=found["Key"])
    s3.delete_bucket(Bucket="runs")


def start(states: SFNClient, name: str = "e", items: str = ITEMS) -> str:
    return states.start_execution(stateMachineArn=f"{ARN}:stateMachine:m", name=name, input=items)["executionArn"]


def refusal(call: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**given)
    error_fields = error.value.response["Error"]
    return error_fields["Code"], error_fields["Message"]


def test_a_map_run_is_counted_while_it_runs(step_functions: FakeAws, states: SFNClient) -> None:
    doors = step_functions.batch.run_job = Doors([f"job-{number}" for number in range(4)])
    arn = start(states)
    execution = step_functions.execution(arn)
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    (listed,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    assert listed["stateMachineArn"] == f"{ARN}:stateMachine:m/Each"
    run = states.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (run["status"], "stopDate" in run) == ("RUNNING", False)
    assert {key: run["itemCounts"][key] for key in ("pending", "running", "total", "resultsWritten")} == {
        "pending": 2,
        "running": 2,
        "total": 4,
        "resultsWritten": 0,
    }
    assert run["executionCounts"]["running"] == 2
    children = states.list_executions(mapRunArn=listed["mapRunArn"], statusFilter="RUNNING")["executions"]
    assert len(children) == 2
    # Members as recorded of a running Map Run: radkawar/stackd testdata/aws/stepfunctions/distributed_map.json,
    # cancel_pending:early.
    assert set(listed) == {"executionArn", "mapRunArn", "stateMachineArn", "startDate"}
    shared = {"executionArn", "stateMachineArn", "name", "status", "startDate", "mapRunArn"}
    assert set(children[0]) == shared | {"itemCount", "redriveCount"}
    described = states.describe_execution(executionArn=children[0]["executionArn"])
    answered = {"input", "inputDetails", "redriveStatus", "redriveStatusReason", "ResponseMetadata"}
    assert set(described) == shared | answered
    doors.open()
    execution.wait()
    run = states.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (run["status"], run["itemCounts"]["failed"], run["itemCounts"]["succeeded"]) == ("SUCCEEDED", 1, 3)
    (failed,) = states.list_executions(mapRunArn=listed["mapRunArn"], statusFilter="FAILED")["executions"]
    described = states.describe_execution(executionArn=failed["executionArn"])
    assert described["error"] == "States.TaskFailed"
    assert json.loads(described["cause"])["Container"]["Reason"] == "bad reads"
    done = states.list_executions(mapRunArn=listed["mapRunArn"], statusFilter="SUCCEEDED")["executions"]
    assert states.describe_execution(executionArn=done[0]["executionArn"])["output"] == '"SUCCEEDED"'
    details = json.loads(states.describe_execution(executionArn=arn)["output"])["ResultWriterDetails"]
    manifest = json.loads(boto3.client("s3").get_object(**details)["Body"].read())
    assert [len(manifest["ResultFiles"][kind]) for kind in ("SUCCEEDED", "FAILED", "PENDING")] == [1, 1, 0]


def test_the_same_name_and_input_while_it_runs_is_the_same_execution(
    step_functions: FakeAws, states: SFNClient
) -> None:
    doors = step_functions.batch.run_job = Doors([f"job-{number}" for number in range(4)])
    arn = start(states)
    assert start(states) == arn
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    given = {"stateMachineArn": f"{ARN}:stateMachine:m", "name": "e"}
    assert refusal(states.start_execution, **given, input='{"items":[]}') == exists
    doors.open()
    step_functions.execution(arn).wait()
    assert refusal(states.start_execution, **given, input=ITEMS) == exists


def test_a_stopped_execution_is_aborted_with_its_children_and_its_files(
    step_functions: FakeAws, states: SFNClient
) -> None:
    def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
        job.cancelled.wait(60)
        return JobEnd(143)

    step_functions.batch.run_job = wait_until_cancelled
    arn = start(states)
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    states.stop_execution(executionArn=arn, error="Cancelled", cause="by me")
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Cancelled", "by me")
    step_functions.execution(arn).wait()
    (listed,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    run = states.describe_map_run(mapRunArn=listed["mapRunArn"])
    counts = run["itemCounts"]
    assert (run["status"], counts["aborted"], counts["pending"], counts["running"]) == ("ABORTED", 2, 2, 0)
    assert [job.status for job in step_functions.batch.jobs.values()] == ["FAILED", "FAILED"]
    key = f"out/{listed['mapRunArn'].rsplit(':', 1)[-1]}/manifest.json"
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
    names = [[one["name"] for one in page["executions"]] for page in pages]
    assert names == [["e4", "e3"], ["e2", "e1"], ["e0"]]
    first = states.list_executions(stateMachineArn=f"{ARN}:stateMachine:m", maxResults=1)
    arn = f"{ARN}:execution:m:e0"
    code, _ = refusal(states.get_execution_history, executionArn=arn, nextToken=first["nextToken"])
    assert code == "InvalidToken"
    step_functions.execution("e0").wait()
    history = states.get_paginator("get_execution_history").paginate(executionArn=arn, PaginationConfig={"PageSize": 2})
    kinds = [event["type"] for page in history for event in page["events"]]
    assert (kinds[0], kinds[-1]) == ("ExecutionStarted", "ExecutionSucceeded")


def test_throttling_planned_and_by_rate(step_functions: FakeAws, states: SFNClient) -> None:
    now = [0.0]
    gate = step_functions.states.gate
    gate.buckets["ListExecutions"] = Bucket(2, 1, lambda: now[0])
    given: Any = {"stateMachineArn": f"{ARN}:stateMachine:m"}
    gate.throttle("ListExecutions")
    throttled = ("ThrottlingException", "Rate exceeded")
    assert refusal(states.list_executions, **given) == throttled
    for _ in range(2):
        states.list_executions(**given)
    assert refusal(states.list_executions, **given) == throttled
    now[0] = 1.0
    states.list_executions(**given)
    assert refusal(states.list_executions, **given) == throttled


def test_what_is_not_there(states: SFNClient) -> None:
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


def test_batch_describes_and_ends_the_jobs_and_their_output_is_in_the_log_group(
    step_functions: FakeAws, states: SFNClient
) -> None:
    def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
        log("begun")
        job.cancelled.wait(60)
        log("asked to end")
        return JobEnd(143)

    step_functions.batch.run_job = wait_until_cancelled
    arn = start(states, items='{"items":[{"name":"only"}]}')
    step_functions.batch.wait(lambda batch: len(batch.running()) == 1)
    batch, logs = boto3.client("batch"), boto3.client("logs")
    (listed,) = batch.list_jobs(jobQueue="queue", jobStatus="RUNNING")["jobSummaryList"]
    batch.terminate_job(jobId=listed["jobId"], reason="no more")
    step_functions.execution(arn).wait()
    (job,) = batch.describe_jobs(jobs=[listed["jobId"], "unknown"])["jobs"]
    assert (job["status"], job["statusReason"], job["container"]["exitCode"]) == ("FAILED", "no more", 143)
    stream = job["attempts"][0]["container"]["logStreamName"]
    events = logs.get_log_events(logGroupName="/genomics-pipeline/tasks", logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in events["events"]] == ["begun", "asked to end"]


def test_a_state_machine_that_a_stack_made(step_functions: FakeAws, states: SFNClient) -> None:
    definition = '{"StartAt":"P","States":{"P":{"Type":"Pass","Result":"of the stack","End":true}}}'
    role = "arn:aws:iam::000000000000:role/r"
    machine = {"StateMachineName": "made", "DefinitionString": definition, "RoleArn": role}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="with-a-machine", TemplateBody=json.dumps(template))
    arn = states.start_execution(stateMachineArn=f"{ARN}:stateMachine:made")["executionArn"]
    step_functions.execution(arn).wait()
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found["output"]) == ("SUCCEEDED", '"of the stack"')
    stacks.delete_stack(StackName="with-a-machine")


def test_a_redriven_execution(step_functions: FakeAws, states: SFNClient) -> None:
    """As recorded: radkawar/stackd testdata/aws/stepfunctions/redrive_execution.json and redrive_map.json."""
    door = threading.Event()
    door.set()

    def all_but_one(job: Job, log: Log) -> JobEnd:
        door.wait(60)
        return JobEnd(0) if job.name == "job-0" else JobEnd(1, "bad reads")

    step_functions.batch.run_job = all_but_one
    arn = start(states)
    step_functions.execution(arn).wait()
    failed = states.describe_execution(executionArn=arn)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    (listed,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    door.clear()
    given: Any = {"executionArn": arn, "clientToken": "token-A"}
    date = states.redrive_execution(**given)["redriveDate"]
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    assert states.redrive_execution(**given)["redriveDate"] == date
    running = states.describe_execution(executionArn=arn)
    described = {key: running[key] for key in ("status", "redriveCount", "redriveDate", "redriveStatus")}
    assert described == {"status": "RUNNING", "redriveCount": 1, "redriveDate": date, "redriveStatus": "NOT_REDRIVABLE"}
    assert "stopDate" not in running
    reason = f"Execution {arn} invalid for redrive as: Execution is RUNNING and cannot be redriven"
    answer = refusal(states.redrive_execution, executionArn=arn, clientToken="token-B")
    assert answer == ("ExecutionNotRedrivable", reason)
    children = states.list_executions(mapRunArn=listed["mapRunArn"], statusFilter="RUNNING")["executions"]
    assert [child["redriveCount"] for child in children] == [1, 1]
    door.set()
    step_functions.execution(arn).wait()
    run = states.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (run["status"], run["redriveCount"], run["itemCounts"]["succeeded"]) == ("FAILED", 1, 1)
    assert run["startDate"] < run["redriveDate"] < run["stopDate"]
    (again,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    assert again["mapRunArn"] == listed["mapRunArn"]
    step_functions.batch.run_job = lambda job, log: JobEnd(0)
    states.redrive_execution(executionArn=arn, clientToken="token-B")
    step_functions.execution(arn).wait()
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found["redriveCount"]) == ("SUCCEEDED", 2)
    details = json.loads(found["output"])["ResultWriterDetails"]
    assert details["Key"].endswith("/Redrive-2/manifest.json")
    kinds = [event["type"] for event in states.get_execution_history(executionArn=arn)["events"]]
    assert kinds.count("ExecutionRedriven") == kinds.count("MapRunRedriven") == 2
    reason = f"Execution {arn} invalid for redrive as: Execution is SUCCEEDED and cannot be redriven"
    answer = refusal(states.redrive_execution, executionArn=arn, clientToken="token-C")
    assert answer == ("ExecutionNotRedrivable", reason)
    assert states.redrive_execution(**given)["redriveDate"] == date
