"""Runs over records on AWS: submission, state, results and reruns, with Step Functions and Lambda as fakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.aws.records import kept_counts, state
from genomics_pipeline.runs.aws.records.ends import failed_records
from genomics_pipeline.stores.protocol import Store, TransferFailed
from tests.cli.conftest import Ended
from tests.fakes.deployed import REGISTRY, Deployed, deployed_with_functions
from tests.fakes.faults import ApiError

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

GOLDEN = Path(__file__).parents[1] / "golden"
Cli = Callable[..., Ended]


@pytest.fixture(params=["JSONL", "CSV"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pipeline(tmp_path: Path, source: str) -> str:
    """Return a copy of the golden pipeline with batches of two, of the format that the test is about."""
    text = (GOLDEN / "records.toml").read_text().replace("./steps/score", str(GOLDEN / "steps/score"))
    text = text.replace("= 1000", "= 2").replace('"JSONL"', f'"{source}"')
    file = tmp_path / "records.toml"
    file.write_text(text)
    return str(file)


@pytest.fixture
def stack(pipeline: str, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed_with_functions(aws, pipeline, step_functions) as made:
        yield made


def records(stack: Deployed, source: str, *amounts: object) -> str:
    """Put records into the bucket, and return their URI."""
    if source == "CSV":
        return stack.put("in/day.csv", "amount\n" + "".join(f"{one}\n" for one in amounts))
    lines = [json.dumps({"amount": one} if one is not None else {}) for one in amounts]
    return stack.put("in/day.jsonl", "".join(f"{line}\n" for line in lines))


def json_of(ended: Ended, code: int = 0) -> Any:
    assert ended.code == code, ended.err
    return json.loads(ended.out)


def run_of(cli: Cli, step_functions: FakeAws, uri: str, pipeline: str, *options: str) -> str:
    """Submit records, wait for the end, and return the name of the run."""
    submitted = json_of(cli("submit", uri, "--pipeline", pipeline, "--json", *options))
    step_functions.execution(submitted["run"]).wait()
    return str(submitted["run"])


def test_from_submit_to_results(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli, tmp_path: Path
) -> None:
    uri = records(stack, source, 3, 4, 5)
    run = run_of(cli, step_functions, uri, pipeline)
    status = json_of(cli("status", run, "--json"))
    (map_run,) = status["map_runs"]
    assert (status["status"], map_run["total"], map_run["succeeded"]) == ("SUCCEEDED", 3, 3)
    assert "missing" not in status
    assert "SUCCEEDED" in cli("status", run).out
    (file,) = map(json.loads, cli("results", run, "--json").out.splitlines())
    assert file["file"].endswith("SUCCEEDED_0.jsonl")
    cli("results", run, "--download", tmp_path / "here")
    assert sorted((tmp_path / "here/score.jsonl").read_text().split()) == ["1.0", "2.0", "3.0"]
    again = json_of(cli("submit", uri, "--pipeline", pipeline, "--json"))
    assert (again["run"], again["started"], again["status"]) == (run, False, "SUCCEEDED")
    assert json_of(cli("rerun", run, "--json"))["status"] == "NOTHING"


def test_failed_batches_are_run_again_and_nothing_else(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli, tmp_path: Path
) -> None:
    def refuse(payload: Mapping[str, Any]) -> None:
        if any(str(item["amount"]) == "5" for item in payload["items"]):
            raise StatesError("Sandbox.Timedout", "timed out after 30.00 seconds")

    functions = step_functions.functions
    functions.before = refuse
    run = run_of(cli, step_functions, records(stack, source, 3, 4, 5, 6, 7), pipeline, "--tolerate", "50%")
    status = json_of(cli("status", run, "--json"))
    assert status["missing"] == {
        "records": 2,
        "of_records": 5,
        "by_class": {"timeout": 2},
        "first": status["missing"]["first"],
        "accepted": True,
    }
    failed = [json.loads(line) for line in cli("results", run, "--failed", "--json").out.splitlines()]
    assert [str(one["value"]["amount"]) for one in failed] == ["5", "6"]
    assert {(one["stage"], one["class"], one["message"]) for one in failed} == {
        ("score", "timeout", "timed out after 30.00 seconds")
    }
    table = cli("results", run, "--failed", "--tsv").out.splitlines()
    assert [line.split("\t")[2] for line in table] == ["class", "timeout", "timeout"]
    dry = json_of(cli("rerun", run, "--dry-run", "--json"))
    assert (dry["status"], dry["samples"], dry["by_class"]) == ("CHECKED", 2, {"timeout": 2})
    seen: list[Any] = []
    functions.before = lambda payload: seen.extend(payload["items"])
    started = json_of(cli("rerun", run, "--json"))
    step_functions.execution(started["execution"]).wait()
    assert sorted(str(one["amount"]) for one in seen) == ["5", "6"]
    status = json_of(cli("status", run, "--json"))
    assert (status["status"], status["executions"], status.get("missing")) == ("SUCCEEDED", 2, None)
    cli("results", run, "--download", tmp_path / "here")
    assert sorted((tmp_path / "here/score.jsonl").read_text().split()) == ["1.0", "2.0", "3.0", "4.0", "5.0"]


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_a_record_is_replayed_from_the_bucket_alone(
    stack: Deployed,
    step_functions: FakeAws,
    pipeline: str,
    source: str,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(payload: Mapping[str, Any]) -> None:
        if any(str(item.get("amount")) == "5" for item in payload["items"]):
            raise StatesError("Sandbox.Timedout", "timed out after 30.00 seconds")

    step_functions.functions.before = refuse
    run = run_of(cli, step_functions, records(stack, source, 3, None, 5, 6), pipeline, "--tolerate", "80%")
    failed = [json.loads(line) for line in cli("results", run, "--failed", "--json").out.splitlines()]
    (reported,) = (one["record"] for one in failed if one["class"] == "bad_input")
    lost = [one["record"] for one in failed if one["class"] == "timeout"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / run).mkdir()  # a folder of this name is not the run that is meant
    before = sorted(stack.keys("runs/"))
    outcome = json_of(cli("replay", run, reported, "--from", "s3", "--json"))
    assert (outcome["verdict"], outcome["after"]["message"]) == ("reproduced", "no amount")
    assert outcome["definition"] == "the run's own, the one that this installation generates"
    assert outcome["folder"] == str(tmp_path / "replays" / f"{run}-record-{reported.replace(':', '-')}")
    assert [one.partition(":")[0] for one in outcome["differences"]] == ["batch", "image", "host"]
    with monkeypatch.context() as alone:
        alone.setattr("genomics_pipeline.cli.adapters._session", lambda *_: pytest.fail("asked another service"))
        for name in lost:
            outcome = json_of(cli("replay", f"s3://{stack.bucket}/runs/{run}", name, "--json"), 1)
            assert (outcome["verdict"], outcome["before"]["class"]) == ("not reproduced", "timeout")
    assert sorted(stack.keys("runs/")) == before
    absent = cli("replay", run, "7", "--from", "s3")
    assert (absent.code, absent.err.partition(";")[0]) == (
        1,
        "error: 7: expected the number of a record that failed, found none",
    )
    wrong = cli("replay", "a b", "7", "--from", "s3")
    expected = "expected the name of a run, or a folder of its name, found 'a b'"
    assert (wrong.code, wrong.err) == (2, f"error: --from s3: {expected}\n")


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_records_that_a_program_reports_are_missing_and_run_again(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli
) -> None:
    run = run_of(cli, step_functions, records(stack, source, 3, None, 5), pipeline)
    status = json_of(cli("status", run, "--json"), code=1)
    assert (status["missing"]["records"], status["missing"]["by_class"]) == (1, {"bad_input": 1})
    (failed,) = map(json.loads, cli("results", run, "--failed", "--json").out.splitlines())
    assert (failed["value"], failed["message"], failed["record"].rpartition(":")[2]) == ({}, "no amount", "2")
    assert json_of(cli("rerun", run, "--dry-run", "--json"))["samples"] == 1
    for option in (("--sample", "a"), ("--memory", "score=4096")):
        assert cli("rerun", run, *option).code == 2
    assert cli("logs", run, "--stage", "score", "--sample", "x").code in (1, 2)


def test_a_rerun_of_a_class_leaves_the_others_missing_until_they_are_run(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli, tmp_path: Path
) -> None:
    """Check three executions, of which the second takes one class, and the third whatever is left."""
    errors = {"4": "Sandbox.Timedout", "7": "Runtime.OutOfMemory"}

    def refuse(payload: Mapping[str, Any]) -> None:
        for item in payload["items"]:
            if error := errors.get(str(item["amount"])):
                raise StatesError(error, "it ended")

    step_functions.functions.before = refuse
    run = run_of(cli, step_functions, records(stack, source, 3, 4, 5, 6, 7, 8), pipeline, "--tolerate", "100%")
    assert json_of(cli("status", run, "--json"))["missing"]["by_class"] == {"timeout": 2, "out_of_memory": 2}
    dry = json_of(cli("rerun", run, "--class", "timeout", "--dry-run", "--json"))
    assert (dry["samples"], dry["by_class"], dry["left_out"]) == (2, {"timeout": 2}, 2)
    nothing = json_of(cli("rerun", run, "--class", "host_lost", "--json"), code=1)
    assert (nothing["status"], nothing["left_out"]) == ("NOTHING", 4)

    def rerun(*options: str) -> dict[str, int]:
        """Run a rerun to its end, and return the missing records by class."""
        step_functions.execution(json_of(cli("rerun", run, "--json", *options))["execution"]).wait()
        found: dict[str, int] = json_of(cli("status", run, "--json")).get("missing", {}).get("by_class", {})
        return found

    errors["3"] = errors.pop("4")
    assert rerun("--class", "timeout") == {"out_of_memory": 2, "timeout": 2}
    errors.clear()
    assert rerun("--class", "timeout") == {"out_of_memory": 2}
    failed = [json.loads(line) for line in cli("results", run, "--failed", "--json").out.splitlines()]
    assert [str(one["value"]["amount"]) for one in failed] == ["7", "8"]
    assert rerun() == {}
    cli("results", run, "--download", tmp_path / "here")
    assert sorted((tmp_path / "here/score.jsonl").read_text().split()) == [f"{n}.0" for n in range(1, 7)]


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_the_rows_of_an_ended_run_are_read_once(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check that kept counts are those of the rows, and that no change of the files is overlooked."""
    read = list[str]()

    def count(store: Store, run: MapRunDescription) -> Iterator[FailedRecord]:
        read.append(run.uuid)
        return failed_records(store, run)

    monkeypatch.setattr(state, "failed_records", count)
    run = run_of(cli, step_functions, records(stack, source, 3, None, 5, "x", 7), pipeline, "--tolerate", "90%")

    def looked(reads: int) -> Any:
        """Return the state, for which the rows of so many Map Runs were read."""
        read.clear()
        shown = json_of(cli("status", run, "--json"))
        assert len(read) == reads
        return shown["missing"], shown["failures"]

    missing, failures = looked(1)
    assert (missing["records"], failures["by_class"]) == (3, missing["by_class"])
    assert looked(0) == (missing, failures)
    kept, (rows,) = f"runs/{run}/missing.json", [key for key in stack.keys("runs/") if "/SUCCEEDED_0." in key]
    whole, text = (stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read() for key in (rows, kept))
    for damage in (b"", b"{}", text.replace(b'"bad_input": 1', b'"bad_input": "1"')):
        stack.put(kept, damage)
        assert looked(1) == (missing, failures)
    stack.put(rows, whole[:-20])
    assert cli("status", run).code == 1
    stack.put(rows, whole)
    assert looked(0) == (missing, failures), "the same content has the same ETag"
    step_functions.functions.before = lambda payload: None
    started = json_of(cli("rerun", run, "--json", "--class", "bad_input"))
    step_functions.execution(started["execution"]).wait()
    assert looked(2)[0]["records"] == 3
    monkeypatch.setattr(kept_counts, "write_missing", forbid)
    stack.put(kept, b"")
    assert looked(2) == looked(2), "who may only read counts each time"


def forbid(*_: object) -> None:
    """Refuse to write, as S3 does where a right is missing."""
    raise TransferFailed("s3://b/k", "expected the right s3:PutObject")


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_a_failed_start_is_followed_by_the_advice_to_repeat_it(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli
) -> None:
    uri = records(stack, source, 3)
    step_functions.states.gate.fail("StartExecution", ApiError("ExecutionLimitExceeded", "too many open executions"))
    ended = cli("submit", uri, "--pipeline", pipeline)
    (folder,) = {key.split("/")[1] for key in stack.keys("runs/")}
    assert ended.code == 1
    advice = f"nothing was started; repeat the command to reuse the files in s3://{stack.bucket}/runs/{folder}/"
    assert ended.err.endswith(f"too many open executions; {advice}\n")
    assert json_of(cli("submit", uri, "--pipeline", pipeline, "--json"))["run"] == folder


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_everything_that_is_wrong_is_said_before_anything_starts(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli, tmp_path: Path
) -> None:
    uri = records(stack, source, 3)
    for argument, message in (
        (str(tmp_path / "day.jsonl"), "expected the s3:// URI of an object, which Step Functions reads; found a path"),
        (f"s3://{stack.bucket}/in/", "expected an object, found the prefix 'in/'"),
        (f"s3://{stack.bucket}/in/none.jsonl", "expected an object, found none"),
    ):
        ended = cli("submit", argument, "--pipeline", pipeline, "--param", "score.most=3")
        assert ended.code == 1
        assert message in ended.err
        assert "most" in ended.err
    ended = cli("submit", uri, "--pipeline", pipeline, "--sample", "a")
    assert (ended.code, "--sample: expected a pipeline over samples" in ended.err) == (2, True)
    assert cli("submit", uri, "--pipeline", pipeline, "--param", "score.least=9", "--dry-run").code == 0
    assert not step_functions.states.executions
    assert stack.keys("runs/") == []


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_a_function_with_another_image_is_refused(
    stack: Deployed, aws: str, pipeline: str, source: str, cli: Cli
) -> None:
    from tests.fakes.moto_clients import moto_client

    functions, name = moto_client("lambda", aws), stack.names.function("score")
    uri, repository = records(stack, source, 3), stack.names.repository("score")
    functions.update_function_code(FunctionName=name, ImageUri=f"{REGISTRY}/{repository}:other-x86_64")
    ended = cli("submit", uri, "--pipeline", pipeline)
    assert ended.code == 1
    assert f"function {name}: expected the image {repository}:" in ended.err
    functions.delete_function(FunctionName=name)
    ended = cli("submit", uri, "--pipeline", pipeline)
    assert ended.code == 1
    assert (
        "function genomics-pipeline-score: expected it in the stack, found none; `genomics-pipeline deploy`"
        in ended.err
    )


@pytest.mark.parametrize("source", ["JSONL"], indirect=True)
def test_a_run_ends_after_too_many_failures_and_a_rerun_takes_what_never_started(
    stack: Deployed, step_functions: FakeAws, pipeline: str, source: str, cli: Cli
) -> None:
    def refuse(payload: Mapping[str, Any]) -> None:
        raise StatesError("Sandbox.Timedout", "timed out after 30.00 seconds")

    step_functions.functions.before = refuse
    uri = records(stack, source, *range(2, 12))
    run = run_of(cli, step_functions, uri, pipeline, "--max-failures", "3", "--max-concurrency", "1")
    status = json_of(cli("status", run, "--json"), code=1)
    missing = status["missing"]
    assert (status["status"], missing["records"], missing["of_records"]) == ("FAILED", 10, 10)
    assert set(missing["by_class"]) == {"timeout", "pending"}
    stopped = "stopped: 4 of 10 records failed; at most 3 may (--max-failures, or [maps.record] of the pipeline); "
    assert status["error"].startswith(stopped)
    step_functions.functions.before = lambda payload: None
    started = json_of(cli("rerun", run, "--json"))
    assert started["samples"] == 10
    step_functions.execution(started["execution"]).wait()
    assert json_of(cli("status", run, "--json"))["status"] == "SUCCEEDED"
    assert json_of(cli("cancel", run, "--yes", "--json"))["status"] == "SUCCEEDED"
    assert cli("cost", run).code == 2
