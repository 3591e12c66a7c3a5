"""Rights that are missing on AWS: what commands say about them, from a refused call to the first failed sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.deployed import Deployed
from tests.fakes.faults import ApiError
from tests.fakes.jobs import containers
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws

Cli = Callable[..., "Ended"]
ROLE = "arn:aws:sts::000000000000:assumed-role/genomics-pipeline-JobRole-1X/6f1c"
KEY = "arn:aws:kms:us-east-1:000000000000:key/of-reads"
DECRYPT = f"User: {ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based policy"
WORDS = f"access denied: the role genomics-pipeline-JobRole-1X lacks the right kms:Decrypt on {KEY}"


@pytest.fixture
def encrypted(stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path) -> Iterator[Path]:
    """Yield a sheet with a sample A in a bucket whose key the job role may not use, and B in that of the stack."""
    stack.s3.create_bucket(Bucket="encrypted")
    sheet = tmp_path / "cohort.csv"
    first, second = stack.put("lab/a.fastq", bucket="encrypted"), stack.put("reads/b.fastq")
    sheet.write_text(f"sample,fastq_1\nA,{first}\nB,{second}\n")

    def choose(method: str, path: str) -> str | None:
        return f"{DENIED}{DECRYPT}" if method in ("HEAD", "GET") and path.startswith("/encrypted/lab/") else None

    with FaultyS3(aws, choose) as s3:
        step_functions.batch.run_job = containers(tmp_path / "scratch", s3.url)
        yield sheet
        for execution in step_functions.states.executions.values():
            execution.wait()


def test_the_first_sample_that_fails_says_which_right_is_missing(
    encrypted: Path, step_functions: FakeAws, stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    run = json.loads(cli("submit", encrypted, "--reference", reference, "--json").out)["run"]
    execution = step_functions.execution(run)
    execution.wait()
    jobs = list(step_functions.batch.jobs.values())
    waits = [json.loads(line)["QueueWait"] for job in jobs for line in job.lines if '"QueueWait"' in line]
    assert len(waits) == len(jobs)  # of each job, since no attempt was repeated
    assert all(0 <= wait < 600 for wait in waits)
    assert [job.end.exit_code for job in jobs if job.end and '"A"' in str(job.job.environment)] == [77]  # once
    record = stack.read(f"runs/{run}/steps/alignment/A/failure.json")
    assert (record["class"], record["exit_code"]) == ("access_denied", 77)
    status = cli("status", run)
    assert f"A (alignment): access denied: s3://encrypted/lab/a.fastq: {WORDS} (no identity-based policy)" in status.out
    (cause,) = (row["Cause"] for row in failures(stack, run) if '\\"A\\"' in row["Input"] or '"A"' in row["Input"])
    (tmp_path / "cause.json").write_text(cause)
    explained = cli("explain", tmp_path / "cause.json")
    assert explained.out.startswith("access_denied: a role lacks a right")
    assert "InputKeys" in explained.out


def failures(stack: Deployed, run: str) -> list[dict[str, Any]]:
    """Return the rows of ResultWriter's files of failed children."""
    keys = [key for key in stack.keys(f"runs/{run}/map-runs/") if "FAILED" in key]
    bodies = (stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode() for key in keys)
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_a_pull_that_was_denied_is_explained(tmp_path: Path, cli: Cli) -> None:
    corpus = json.loads((Path(__file__).parents[1] / "corpus" / "causes" / "image.json").read_text())
    (entry,) = (one for one in corpus if one["name"] == "the execution role may not pull")
    (tmp_path / "cause.json").write_text(json.dumps(entry["cause"]))
    explained = cli("explain", tmp_path / "cause.json").out
    assert explained.startswith("image: ")
    assert (
        "message    access denied: the role demo-ExecutionRole-1 lacks the right ecr:BatchGetImage on "
        "arn:aws:ecr:us-west-2:254865750963:repository/demo/alignment (no identity-based policy allows"
    ) in explained


@pytest.mark.parametrize(
    ("service", "operation"), [("states", "DescribeStateMachine"), ("states", "StartExecution"), ("batch", "X")]
)
def test_a_call_of_a_command_that_is_denied(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli, service: str, operation: str
) -> None:
    operation = {"batch": "DescribeJobDefinitions"}.get(service, operation)
    user = "arn:aws:iam::000000000000:user/ann"
    text = f"User: {user} is not authorized to perform: {service}:{operation} on resource: arn:x because no policy"
    getattr(step_functions, service).gate.fail(operation, ApiError("AccessDeniedException", text, 403))
    ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    assert ended.code == 1
    assert f"access denied: the user ann lacks the right {service}:{operation} on arn:x (no policy)" in ended.err
    assert "`genomics-pipeline template --caller-policy` prints the rights that runs need" in ended.err


def test_reads_that_the_user_may_not_see(
    stack: Deployed, aws: str, reference: str, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    denied = f"{DENIED}User: arn:aws:iam::1:user/ann is not authorized to perform: s3:GetObject on resource: r"
    with FaultyS3(aws, lambda _, path: denied if "A_R1" in path else None) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
        ended = cli("submit", sheet, "--reference", reference)
    assert ended.code == 1
    assert (
        f"error: s3://{stack.bucket}/reads/A_R1.fastq: sample A, lane L001: expected a FASTQ file, found "
        "access denied: the user ann lacks the right s3:GetObject on r; or it does not exist"
    ) in ended.err
