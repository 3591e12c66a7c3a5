"""`submit --check-rights`: a job of a step's image uses the inputs as tasks will, before the run is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from tests.fakes.batch import Log
from tests.fakes.deployed import Deployed
from tests.fakes.faults import ApiError
from tests.fakes.jobs import containers
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws

Cli = Callable[..., "Ended"]
ROLE = "arn:aws:sts::000000000000:assumed-role/genomics-pipeline-JobRole-1X/6f1c"
TO_DO = "deploy with the bucket in InputBuckets and its KMS key in InputKeys"


def denied(right: str, resource: str) -> str:
    return f"{DENIED}User: {ROLE} is not authorized to perform: {right} on resource: {resource}"


def words(right: str, resource: str) -> str:
    return f"access denied: the role genomics-pipeline-JobRole-1X lacks the right {right} on {resource}"


@pytest.fixture
def sheet(stack: Deployed, tmp_path: Path) -> Path:
    """Return a sheet with reads in three folders of two buckets."""
    stack.s3.create_bucket(Bucket="lab")
    uris = [stack.put(f"{folder}/{name}.fastq", bucket="lab") for folder, name in (("x", "a"), ("x", "b"), ("y", "c"))]
    rows = [f"{name},{uri}" for name, uri in zip("ABC", uris, strict=True)]
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(["sample,fastq_1", *rows, f"D,{stack.put('reads/d.fastq')}"]) + "\n")
    return path


def test_a_run_is_started_after_its_rights_were_checked(
    stack: Deployed, step_functions: FakeAws, aws: str, reference: str, sheet: Path, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = containers(tmp_path / "scratch", aws)
    ended = cli("submit", sheet, "--reference", reference, "--check-rights", "--dry-run", "--json")
    assert ended.code == 0, ended.err
    run = json.loads(ended.out)["run"]
    assert not step_functions.states.executions
    (job,) = step_functions.batch.jobs.values()
    assert (job.job.name, job.job.definition, job.job.queue) == (
        "check-rights",
        "genomics-pipeline-alignment",
        "genomics-pipeline",
    )
    works = [line for line in ended.err.splitlines() if line.endswith(": works")]
    uris = ["s3://lab/x/a.fastq", f"s3://{stack.bucket}/reads/d.fastq", "s3://lab/y/c.fastq"]
    for uri in uris:
        assert f"rights: read {uri}: works" in works
        assert f"rights: list {uri.rpartition('/')[0]}/: works" in works
    assert any(f"rights: read s3://{stack.bucket}/ref/" in line for line in works)
    assert f"rights: write s3://{stack.bucket}/runs/{run}/steps/rights.json: works" in works
    assert not [line for line in works if "b.fastq" in line]
    assert stack.keys(f"runs/{run}/") == []
    started = cli("submit", sheet, "--reference", reference, "--check-rights", "--json")
    assert json.loads(started.out)["started"]
    assert [job.job.name for job in step_functions.batch.jobs.values()][:2] == ["check-rights", "check-rights"]


DECRYPT, KEY = "kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/of-lab"


def test_all_rights_that_are_missing_are_named_and_nothing_is_started(
    stack: Deployed, step_functions: FakeAws, aws: str, reference: str, sheet: Path, tmp_path: Path, cli: Cli
) -> None:
    def choose(method: str, path: str) -> str | None:
        if method == "PUT":
            return denied("s3:PutObject", "arn:aws:s3:::runs")
        if method == "GET" and path.startswith("/lab/x/"):
            return denied(DECRYPT, KEY)
        return denied("s3:ListBucket", "arn:aws:s3:::lab") if path.startswith("/lab?") else None

    with FaultyS3(aws, choose) as s3:
        step_functions.batch.run_job = containers(tmp_path / "scratch", s3.url)
        ended = cli("submit", sheet, "--reference", reference, "--check-rights")
    assert ended.code == 1
    errors = [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]
    (place,) = {error.split(": ")[0] for error in errors if "/runs/" in error}
    lists = words("s3:ListBucket", "arn:aws:s3:::lab")
    expected = {
        "s3://lab/x/a.fastq": f"the job role cannot read it: {words(DECRYPT, KEY)}",
        "s3://lab/x/": f"the job role cannot list it: {lists}",
        "s3://lab/y/": f"the job role cannot list it: {lists}",
        place: f"the job role cannot write it: {words('s3:PutObject', 'arn:aws:s3:::runs')}",
    }
    assert {error.split(": ")[0]: error.partition(": ")[2].partition(f"; {TO_DO}")[0] for error in errors} == expected
    assert "rights: read s3://lab/y/c.fastq: works" in ended.err.splitlines()
    assert not step_functions.states.executions
    assert stack.keys("runs/") == []


def test_a_container_that_cannot_be_started(
    stack: Deployed, step_functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    reason = "CannotPullECRContainerError: AccessDeniedException: User: arn:aws:sts::1:assumed-role/Exec/6f is not "
    reason += "authorized to perform: ecr:GetAuthorizationToken on r"

    def run_job(job: Job, log: Log) -> JobEnd:
        return JobEnd(None, reason, status_reason="Task failed to start")

    step_functions.batch.run_job = run_job
    ended = cli("submit", sheet, "--reference", reference, "--check-rights")
    assert ended.code == 1
    assert (
        "expected a report of its rights, found none: image: access denied: the role Exec lacks the right" in ended.err
    )
    assert not step_functions.states.executions


def test_a_user_who_may_not_submit_jobs(
    stack: Deployed, step_functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    text = "User: arn:aws:iam::1:user/ann is not authorized to perform: batch:SubmitJob on resource: q"
    step_functions.batch.gate.fail("SubmitJob", ApiError("AccessDeniedException", text, 403))
    ended = cli("submit", sheet, "--reference", reference, "--check-rights")
    assert ended.code == 1
    assert (
        "error: cannot check rights: access denied: the user ann lacks the right batch:SubmitJob on q; "
        "`genomics-pipeline template --caller-policy --check-rights` prints the policy" in ended.err
    )


def test_more_folders_than_an_environment_holds(
    stack: Deployed, step_functions: FakeAws, aws: str, reference: str, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = containers(tmp_path / "scratch", aws)
    stack.s3.create_bucket(Bucket="last")
    uris = [stack.put(f"{'x' * 150}/{number}/a.fastq") for number in range(60)] + [stack.put("a.fastq", bucket="last")]
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1\n" + "".join(f"S{number},{uri}\n" for number, uri in enumerate(uris)))
    ended = cli("submit", sheet, "--reference", reference, "--check-rights", "--dry-run")
    assert ended.code == 0, ended.err
    (note,) = (line for line in ended.err.splitlines() if "others of their buckets are like them" in line)
    assert note.startswith("rights: checked in ")
    assert " folders of 62;" in note
    assert "rights: read s3://last/a.fastq: works" in ended.err.splitlines()  # one of each bucket comes first
