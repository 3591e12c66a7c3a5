"""`genomics-pipeline delete` of runs on AWS, with the fakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from genomics_pipeline.aws import objects_below
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.objects_below import BatchOfObjects, delete_batch
from genomics_pipeline.aws.patience import ROUNDS
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model.errors import RunError
from tests.cli.test_cancel import submit_orphan, wait_until_cancelled

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

Cli = Callable[..., "Ended"]


@pytest.fixture
def submit_run(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> Iterator[Callable[..., str]]:
    """Yield `submit_run(*samples)`, which submits a run and returns its name; the bucket has versions, as deployed."""
    stack.s3.put_bucket_versioning(Bucket=stack.bucket, VersioningConfiguration={"Status": "Enabled"})

    def call(*samples: str) -> str:
        ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", *samples), "--reference", reference, "--json")
        assert ended.code == 0, ended.err
        return str(json.loads(ended.out)["run"])

    yield call
    for version in versions(stack, ""):
        stack.s3.delete_object(Bucket=stack.bucket, **version)


def versions(stack: Deployed, prefix: str) -> list[Any]:
    page = stack.s3.list_object_versions(Bucket=stack.bucket, Prefix=prefix)
    return [
        {"Key": one["Key"], "VersionId": one["VersionId"]}
        for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    ]


def test_the_objects_of_one_run_are_deleted_and_their_versions_kept(
    stack: Deployed, step_functions: FakeAws, submit_run: Callable[..., str], cli: Cli
) -> None:
    run, other = submit_run("A"), submit_run("B")
    for name in (run, other):
        step_functions.execution(name).wait()
    stack.put(f"runs/{run}-longer/run.json", "{}")
    rest = [key for key in stack.keys("") if not key.startswith(f"runs/{run}/")]
    held = len(stack.keys(f"runs/{run}/"))
    ended = cli("delete", run, "--yes", "--json")
    assert ended.code == 0, ended.err
    answer = json.loads(ended.out)
    assert (answer["status"], answer["files"], answer["executions"], answer["deleted"]) == ("SUCCEEDED", held, 1, True)
    assert "S3 keeps their versions for NoncurrentVersionDays" in ended.err
    assert stack.keys("") == rest
    assert len(versions(stack, f"runs/{run}/")) >= 2 * held
    gone = cli("delete", run, "--yes")
    assert (gone.code, "expected a run's folder or a run of the stack" in gone.err) == (1, True)


def test_with_versions_nothing_is_left_of_the_run(
    stack: Deployed, step_functions: FakeAws, submit_run: Callable[..., str], cli: Cli
) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    stack.put(f"runs/{run}/results/a.bam", "old")
    stack.put(f"runs/{run}/results/a.bam", "new")
    stack.put(f"runs/{run}/definition.json", '{"torn')
    held = len(versions(stack, f"runs/{run}/"))
    ended = cli("delete", run, "--versions", "--yes", "--json")
    assert json.loads(ended.out)["files"] == held
    assert versions(stack, f"runs/{run}/") == []


def test_a_run_that_has_not_ended_is_refused(
    stack: Deployed, step_functions: FakeAws, submit_run: Callable[..., str], cli: Cli
) -> None:
    step_functions.batch.run_job = wait_until_cancelled
    run = submit_run("A")
    step_functions.batch.wait(lambda batch: len(batch.running()) == 1)
    ended = cli("delete", run, "--yes")
    found = f"expected a run that has ended, found the execution {run} RUNNING"
    assert ended.err == f"error: {run}: {found}; wait for it, or end it: genomics-pipeline cancel {run}\n"
    assert cli("cancel", run, "--yes").code == 0
    step_functions.execution(run).wait()
    job = submit_orphan(step_functions, run, stack.bucket, 1)
    ended = cli("delete", run, "--yes")
    assert ended.err.startswith(f"error: {run}: expected a run that has ended, found its Batch job {job}; end its jobs")
    assert f"runs/{run}/run.json" in stack.keys(f"runs/{run}/")


def test_an_interrupted_deletion_is_repeated(
    stack: Deployed,
    step_functions: FakeAws,
    submit_run: Callable[..., str],
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    sent: list[str] = []
    delete = objects_below.delete_batch

    def interrupt(bucket: str, batch: BatchOfObjects, clients: Clients) -> None:
        if sent:
            raise KeyboardInterrupt
        sent.extend(one["Key"] for one in batch.objects)
        delete(bucket, batch, clients)

    with monkeypatch.context() as patch:
        patch.setattr("genomics_pipeline.runs.aws.deletion.delete_batch", interrupt)
        assert cli("delete", run, "--yes").code == 130
    assert stack.keys(f"runs/{run}/") == [f"runs/{run}/definition.json", f"runs/{run}/run.json"]
    assert cli("delete", run, "--yes").code == 0
    assert stack.keys(f"runs/{run}/") == []


def test_runs_of_the_stack_that_read_its_results_are_named(
    stack: Deployed, step_functions: FakeAws, submit_run: Callable[..., str], cli: Cli
) -> None:
    step_functions.batch.run_job = lambda job, log: JobEnd(1, "bad reads")
    run, other = submit_run("A"), submit_run("B")
    for name in (run, other):
        step_functions.execution(name).wait()
    item = {"sample": "b", "lanes": [{"fastq_1": f"s3://{stack.bucket}/runs/{run}/results/a.fq"}]}
    stack.put(f"runs/{other}/manifest.jsonl", json.dumps(item))
    answer = json.loads(cli("delete", run, "--dry-run", "--json").out)
    assert answer["referrers"] == [f"s3://{stack.bucket}/runs/{other}/manifest.jsonl"]
    assert answer["deleted"] is False
    assert json.loads(cli("delete", other, "--dry-run", "--json").out)["referrers"] == []


def test_a_deleted_run_cannot_be_submitted_while_aws_keeps_its_name(
    step_functions: FakeAws, submit_run: Callable[..., str], stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    assert cli("delete", run, "--yes").code == 0
    ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == (
        f"error: run {run}: its files were deleted, and AWS keeps the name of its execution for 90 days; "
        "change an input, or wait"
    )


class BusyBucket:
    """A stand-in for S3's client that refuses single objects a number of times."""

    def __init__(self, refusals: int, code: str) -> None:
        self.refusals, self.code = refusals, code
        self.requests: list[list[str]] = []

    def delete_objects(self, Bucket: str, Delete: Any) -> dict[str, Any]:  # noqa: N803
        keys = [one["Key"] for one in Delete["Objects"]]
        self.requests.append(keys)
        if len(self.requests) > self.refusals:
            return {}
        return {"Errors": [{"Key": keys[-1], "Code": self.code, "Message": "Please reduce your request rate."}]}


def batch_of(*keys: str) -> BatchOfObjects:
    return BatchOfObjects(tuple({"Key": key} for key in keys))


def test_objects_that_s3_was_too_busy_for_are_deleted_after_a_pause() -> None:
    s3, pauses = BusyBucket(2, "SlowDown"), list[float]()
    delete_batch("b", batch_of("x", "y"), cast(Clients, SimpleNamespace(s3=s3)), pauses.append)
    assert s3.requests == [["x", "y"], ["y"], ["y"]]
    assert len(pauses) == 2


@pytest.mark.parametrize(("code", "requests"), [("SlowDown", ROUNDS), ("AccessDenied", 1)])
def test_objects_that_s3_refuses_are_named(code: str, requests: int) -> None:
    s3 = BusyBucket(100, code)
    with pytest.raises(RunError, match=r"^cannot delete 1 object of s3://b, such as y: Please reduce"):
        delete_batch("b", batch_of("x", "y"), cast(Clients, SimpleNamespace(s3=s3)), lambda seconds: None)
    assert len(s3.requests) == requests
