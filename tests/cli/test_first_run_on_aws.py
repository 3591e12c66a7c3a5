"""A whole run of a new stack with what may go wrong in it at once, on hosts of either architecture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_pipeline, shipped_folder
from genomics_pipeline.runs.containers.images import tag
from tests.cli.conftest import FAI, FASTA, MINIBWA, Ended
from tests.fakes.batch import Log
from tests.fakes.batch_job import AnyDefinition
from tests.fakes.deployed import Deployed, put_image
from tests.fakes.event_bus import messages
from tests.fakes.job_queues import TOO_LARGE
from tests.fakes.jobs import by_item, containers, payload_of, with_spot_losses
from tests.fakes.moto_clients import moto_client
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
GOOD = [f"s{number:02}" for number in range(20)]
NAMES = ResourceNames()
GATHER = NAMES.job_definition("gather")
DECRYPT = (
    "User: arn:aws:sts::000000000000:assumed-role/genomics-pipeline-JobRole-1X/6f1c is not authorized to perform: "
    "kms:Decrypt on resource: arn:aws:kms:us-east-1:000000000000:key/of-reads because no identity-based policy"
)


@dataclass(frozen=True)
class NewStack:
    """A stack that `deploy` has just made, of a user's copy of the germline pipeline and its steps."""

    made: Deployed
    pipeline: Path
    deploy: Callable[..., Ended]

    def revisions(self, name: str) -> dict[str, str]:
        """Return the images of the ACTIVE revisions of a job definition, by their ARNs."""
        found = boto3.client("batch").describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
        return {
            one["jobDefinitionArn"]: one["containerProperties"]["image"].partition(":")[2]
            for one in found["jobDefinitions"]
        }


def own_pipeline(folder: Path) -> Path:
    """Copy the germline pipeline and its steps, so that a test may change them; return its file."""
    shutil.copytree(shipped_folder("steps"), folder / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    text = (shipped_folder("pipelines") / "germline.toml").read_text()
    (folder / "germline.toml").write_text(text.replace('\nstep = "', '\nstep = "./steps/'))
    return folder / "germline.toml"


@pytest.fixture(params=list(Architecture))
def new_stack(
    request: pytest.FixtureRequest,
    cloudformation: str,
    step_functions: FakeAws,
    tmp_path: Path,
    cli: Cli,
) -> Iterator[NewStack]:
    """Yield a stack of each architecture with alarms, the images of its steps, and a reference below ``ref/``."""
    pipeline = own_pipeline(tmp_path)

    def deploy(*options: str) -> Ended:
        return cli("deploy", "--pipeline", pipeline, "--yes", *options)

    ended = deploy("--parameter", f"Architecture={request.param}", "--parameter", "Alarms=on", "--json")
    assert ended.code == 0, ended.err
    stack = Deployed(NAMES, json.loads(ended.out)["Bucket"], moto_client("s3", cloudformation))
    for step in load_pipeline(str(pipeline))[1].values():
        put_image(NAMES.repository(step.spec.name), tag(step, request.param), cloudformation)
    for ending, text in {"fa": FASTA, "fa.fai": FAI, **dict.fromkeys(MINIBWA, "x")}.items():
        stack.put(f"ref/tiny.{ending}", text)
    yield NewStack(stack, pipeline, deploy)
    for execution in step_functions.states.executions.values():
        execution.stop(None, None)  # which still runs only after a failure of the test
        execution.wait()


def write_sheet(stack: Deployed, path: Path) -> Path:
    """Write a sheet of good samples, of one whose reads are encrypted with a foreign key, and of one too large."""
    stack.s3.create_bucket(Bucket="encrypted")
    reads = {name: stack.put(f"reads/{name}.fastq") for name in (*GOOD, "large")}
    reads["encrypted"] = stack.put("lab/a.fastq", bucket="encrypted")
    path.write_text("".join(["sample,fastq_1\n", *(f"{name},{uri}\n" for name, uri in reads.items())]))
    return path


def submitted_definitions(execution: str) -> list[str]:
    """Return the job definitions of the tasks of an execution outside of its maps."""
    events = boto3.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    details = [event["taskScheduledEventDetails"] for event in events if "taskScheduledEventDetails" in event]
    return [json.loads(one["parameters"])["JobDefinition"] for one in details]


def blocked_queue(step_functions: FakeAws, moto: str) -> None:
    """Wait until the job that fits no host blocks its queue, and check what the stack's topic is told."""
    step_functions.batch.wait(lambda batch: bool(batch.blocked()))
    (event,) = step_functions.batch.events
    ((topic, message),) = messages(event, moto)
    assert topic.endswith(f":{NAMES.alarm_topic}")
    assert message.startswith(f"The queue arn:aws:batch:us-east-1:000000000000:job-queue/{NAMES.job_queue} is blocked")
    assert TOO_LARGE in message


def deploy_in_the_middle(stack: NewStack, run: str) -> str:
    """Deploy a changed step and setting during a run, and return the revision of the step from before."""
    ((before, image),) = stack.revisions(GATHER).items()
    with (stack.pipeline.parent / "steps" / "gather" / "gather.py").open("a") as program:
        program.write("# changed\n")
    ended = stack.deploy("--max-vcpus", "512")
    assert ended.code == 0, ended.err
    going_on = "1 run in progress, which go on with the definition and the job definitions that they were started with"
    assert f"{going_on}: {run}" in ended.out
    after = stack.revisions(GATHER)
    assert after.pop(before) == image  # it is ACTIVE still, with the image of the run
    assert list(after) == [before.replace(":1", ":2")]
    assert image not in after.values()
    return before


def test_a_first_run_ends_as_described(
    new_stack: NewStack, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli
) -> None:
    attempts: list[bool] = []

    def is_lost(item: str, job: Job) -> bool:
        lost = item in GOOD and (int(item[1:]) + job.attempt) % 20 == 3  # 5 % of the attempts
        attempts.append(lost)
        return lost

    def deny(method: str, path: str) -> str | None:
        return f"{DENIED}{DECRYPT}" if method in ("HEAD", "GET") and path.startswith("/encrypted/lab/") else None

    with FaultyS3(aws, deny) as s3:
        worker, quick = containers(tmp_path / "scratch", s3.url), by_item(lambda stage, item: JobEnd(0))

        def samples(job: Job) -> list[Any]:
            return [item.get("sample") for item in payload_of(job).items]

        def run_job(job: Job, log: Log) -> JobEnd:
            return worker(job, log) if "encrypted" in samples(job) else quick(job, log)

        batch = step_functions.batch
        batch.definitions = AnyDefinition(STACK_RETRY_STRATEGY)
        batch.run_job = with_spot_losses(run_job, is_lost)
        batch.queues.block = lambda job: TOO_LARGE if "large" in samples(job) else ""
        sheet, reference = write_sheet(new_stack.made, tmp_path / "c.csv"), f"s3://{new_stack.made.bucket}/ref/tiny.fa"
        submitted = cli("submit", sheet, "--reference", reference, "--pipeline", new_stack.pipeline, "--json")
        assert submitted.code == 0, submitted.err
        run = json.loads(submitted.out)["run"]
        blocked_queue(step_functions, aws)
        assert "blocked: the job has more vCPUs or memory than the largest of the" in cli("status", run).out
        (queue,) = json.loads(cli("status", run, "--json").out)["queues"]
        assert (queue["head"]["of_this_run"], queue["head"]["status_reason"]) == (True, TOO_LARGE)
        pinned = deploy_in_the_middle(new_stack, run)
        assert step_functions.execution(run).status == "RUNNING"
        batch.pass_time(600)  # after which the template's queue cancels a job that fits no host
        execution = step_functions.execution(run)
        execution.wait()

    status: dict[str, Any] = json.loads(cli("status", run, "--json").out)
    ends = status["map_runs"][0]
    assert (status["status"], ends["succeeded"], ends["failed"]) == ("SUCCEEDED", len(GOOD), 2)
    assert sum(attempts) == 2  # s02 in both stages; nothing else was tried again
    classes = {one["item"]: one["class"] for one in status["failures"]["items"]}
    assert classes == {"large": "aws_limit", "encrypted": "access_denied"}
    shown = cli("status", run).out
    assert "lacks the right kms:Decrypt on arn:aws:kms:us-east-1:000000000000:key/of-reads" in shown
    assert "Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in shown
    assert submitted_definitions(execution.arn) == [pinned]
