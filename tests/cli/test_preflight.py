"""The pipeline preflight over a sample sheet: on this machine, and on AWS with Step Functions and Lambda as fakes."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.language.errors import StatesError
from tests.fakes.deployed import Deployed

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws

Cli = Callable[..., "Ended"]
Reads = Callable[..., Path]
GOOD = b"@r1\nACGT\n+\nFFF#\n@r2\nACGA\n+\nFFF#\n"
SECOND = GOOD.replace(b"ACG", b"TTT")
GERMLINE_AND_PREFLIGHT = pytest.mark.parametrize("stack", [("germline", "preflight")], indirect=True)


def json_of(ended: Ended, code: int = 0) -> Any:
    assert ended.code == code, ended.err
    return json.loads(ended.out)


def lines_of(ended: Ended) -> list[Any]:
    return [json.loads(line) for line in ended.out.splitlines()]


def test_all_lanes_that_cannot_be_used_are_listed_and_checked_again_by_rerun(
    reads: Reads, cli: Cli, tmp_path: Path
) -> None:
    reads("a_R1.fastq.gz", "r1", "r2"), reads("a_R2.fastq.gz", "r1", "r3"), reads("b.fastq", "r1")
    (tmp_path / "c.fastq.gz").write_bytes(b"<html>403</html>")
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1,fastq_2\nA,a_R1.fastq.gz,a_R2.fastq.gz\nB,b.fastq,\nC,c.fastq.gz,\n")
    summary = json_of(cli("run", sheet, "--pipeline", "preflight", "--out", "out", "--json"), code=1)
    assert summary["missing"]["by_class"] == {"bad_input": 2}
    rows = [json.loads(line) for line in Path("out/results/preflight.jsonl").read_text().splitlines()]
    assert [(row["sample"], row["file"], row["layout"]) for row in rows] == [("B", str(tmp_path / "b.fastq"), "single")]
    failed = lines_of(cli("results", "out", "--failed", "--json"))
    assert [one["message"] for one in failed] == [
        f"sample A, lane L001: {tmp_path}/a_R2.fastq.gz: record 2: expected the mate of r2, found r3",
        f"sample C, lane L001: {tmp_path}/c.fastq.gz: expected FASTQ, found an HTML page, such as the error of a server"
        "; transfer the file again",
    ]
    assert [(one["record"], one["class"], one["value"]["line"]) for one in failed] == [
        (1, "bad_input", 2),
        (3, "bad_input", 4),
    ]
    reads("c.fastq.gz", "r1")
    again = json_of(cli("rerun", "out", "--json"), code=1)
    assert again["missing"]["records"] == 1
    reads("a_R2.fastq.gz", "r1", "r2")
    assert cli("rerun", "out").code == 0
    assert len(Path("out/results/preflight.jsonl").read_text().splitlines()) == 4
    assert json_of(cli("status", "out", "--json"))["status"] == "SUCCEEDED"
    assert cli("delete", "out", "--yes").code == 0
    assert not Path("out").exists()


def test_a_sheet_without_fastq_files_and_a_wrong_one_are_refused(reads: Reads, cli: Cli, tmp_path: Path) -> None:
    sheet = tmp_path / "cohort.csv"
    for text, message in (
        ("sample,bam\nA,a.bam\n", "cohort.csv: expected lanes with FASTQ files (fastq_1), found none"),
        ("sample,fastq_1\nA B,a.fastq\n", "cohort.csv:2:sample: "),
    ):
        sheet.write_text(text)
        ended = cli("run", sheet, "--pipeline", "preflight", "--out", "out")
        assert (ended.code, message in ended.err, Path("out").exists()) == (1, True, False)
    ended = cli("run", "--pipeline", "preflight", "--out", "out")
    assert (ended.code, "RECORDS: expected a sample sheet; found none" in ended.err) == (2, True)


def test_the_plan_of_a_hundred_thousand_files_costs_less_than_a_dollar(cli: Cli) -> None:
    words = ("--records", "50000", "--pipeline", "preflight", "--batch-seconds", "9", "--record-bytes", "300")
    plan = json_of(cli("plan", *words, "--json"))
    assert (plan["execution_type"], plan["children"]) == ("EXPRESS", 1000)
    assert plan["dollars"] < 1


@pytest.fixture
def functions(stack: Deployed, step_functions: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """Let the fake of Lambda run the step, and waits be none."""
    stack.add_functions("preflight", step_functions)

    def wait(_: float) -> None:
        for execution in step_functions.states.executions.values():
            execution.wait()

    monkeypatch.setattr(time, "sleep", wait)
    return step_functions


@pytest.fixture
def sheet(stack: Deployed, tmp_path: Path) -> Path:
    """Return a sheet of three samples, of which one cannot be used."""
    path = stack.sheet(tmp_path / "cohort.csv", "A", "B", "C")
    for name in ("A", "B", "C"):
        stack.put(f"reads/{name}_R1.fastq", GOOD)
    stack.put("reads/A_R2.fastq", SECOND)
    stack.put("reads/B_R2.fastq", gzip.compress(SECOND)[:-4])
    stack.put("reads/C_R2.fastq", SECOND.replace(b"@r2", b"@r9"))
    return path


def bad_lanes(stack: Deployed, sheet: Path) -> list[str]:
    """Return the messages for the sheet's lanes."""
    folder = f"s3://{stack.bucket}/reads"
    return [
        f"{sheet}:3: sample B, lane L001: {folder}/B_R2.fastq: expected a whole gzip file: Compressed file ended "
        "before the end-of-stream marker was reached",
        f"{sheet}:4: sample C, lane L001: {folder}/C_R2.fastq: record 2: expected the mate of r2, found r9",
    ]


def mend(stack: Deployed) -> None:
    stack.put("reads/B_R2.fastq", gzip.compress(SECOND))
    stack.put("reads/C_R2.fastq", SECOND)


def errors_of(ended: Ended) -> list[str]:
    return [
        line.removeprefix("error: ") for line in ended.err.splitlines() if "sample " in line and ": expected" in line
    ]


@GERMLINE_AND_PREFLIGHT
def test_a_run_starts_once_all_files_can_be_used(
    stack: Deployed, functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    executions = functions.states.executions
    command = ("submit", sheet, "--reference", reference, "--preflight")
    ended = cli(*command, "--dry-run")
    assert (ended.code, "preflight: 6 files would be checked" in ended.err, executions) == (0, True, {})
    for _ in range(2):  # the second finds the preflight that ended
        ended = cli(*command)
        assert ended.code == 1
        assert errors_of(ended) == bad_lanes(stack, sheet)
        assert len(executions) == 1
    mend(stack)
    started = json_of(cli(*command, "--json"))
    assert started["started"]
    assert len(executions) == 3
    again = json_of(cli(*command, "--json"))
    assert (again["run"], again["started"], len(executions)) == (started["run"], False, 3)


@GERMLINE_AND_PREFLIGHT
def test_only_the_samples_of_the_run_are_looked_at(
    stack: Deployed, functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    ended = cli("submit", sheet, "--reference", reference, "--preflight", "--sample", "A", "--json")
    assert json_of(ended)["started"]
    assert "preflight: all files can be used" in ended.err


@GERMLINE_AND_PREFLIGHT
def test_a_preflight_that_fails_by_itself_says_how_to_repeat_it(
    stack: Deployed, functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    def refuse(payload: object) -> None:
        raise StatesError("Sandbox.Timedout", "timed out after 60.00 seconds")

    mend(stack)
    functions.functions.before = refuse
    command = ("submit", sheet, "--reference", reference, "--preflight")
    ended = cli(*command)
    assert ended.code == 1
    assert "sample A, lane L001: expected a look at its files, found timeout: timed out" in ended.err
    (name,) = {arn.rpartition(":")[2] for arn in functions.states.executions}
    assert f"genomics-pipeline rerun {name}, then repeat this command" in ended.err
    functions.functions.before = lambda payload: None
    rerun = json_of(cli("rerun", name, "--json"))
    functions.execution(rerun["execution"]).wait()
    assert json_of(cli(*command, "--json"))["started"]


@pytest.mark.parametrize("stack", [("preflight",)], indirect=True)
def test_a_sheet_is_submitted_to_preflight_alone(
    stack: Deployed, functions: FakeAws, sheet: Path, cli: Cli, tmp_path: Path
) -> None:
    submitted = json_of(cli("submit", sheet, "--pipeline", "preflight", "--json"))
    functions.execution(submitted["run"]).wait()
    status = json_of(cli("status", submitted["run"], "--json"), code=1)
    assert (status["missing"]["records"], status["missing"]["by_class"]) == (2, {"bad_input": 2})
    failed = lines_of(cli("results", submitted["run"], "--failed", "--json"))
    assert [f"{sheet}:{one['value']['line']}: {one['message']}" for one in failed] == bad_lanes(stack, sheet)
    cli("results", submitted["run"], "--download", tmp_path / "here")
    assert len((tmp_path / "here/preflight.jsonl").read_text().splitlines()) == 2
    assert not json_of(cli("submit", sheet, "--pipeline", "preflight", "--json"))["started"]
    mend(stack)
    rerun = json_of(cli("rerun", submitted["run"], "--json"))
    functions.execution(rerun["execution"]).wait()
    assert json_of(cli("status", submitted["run"], "--json"))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("stack", [("preflight",)], indirect=True)
def test_files_that_functions_cannot_read_are_refused(
    stack: Deployed, functions: FakeAws, reads: Reads, cli: Cli, tmp_path: Path
) -> None:
    reads("a.fastq", "r1")
    stack.s3.create_bucket(Bucket="lab")
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1\nA,a.fastq\n")
    ended = cli("submit", sheet, "--pipeline", "preflight")
    assert (
        ended.code,
        f"{tmp_path}/a.fastq: expected a FASTQ file on S3, found a file of this machine" in ended.err,
    ) == (1, True)
    sheet.write_text("sample,fastq_1\nA,s3://lab/a.fastq\n")
    ended = cli("submit", sheet, "--pipeline", "preflight")
    assert (ended.code, "InputBuckets=arn:aws:s3:::lab" in ended.err) == (1, True)
    assert not functions.states.executions


def test_a_stack_without_preflight_says_how_to_deploy_it(
    stack: Deployed, step_functions: FakeAws, reference: str, sheet: Path, cli: Cli
) -> None:
    ended = cli("submit", sheet, "--reference", reference, "--preflight")
    assert (ended.code, "genomics-pipeline deploy" in ended.err, step_functions.states.executions) == (1, True, {})
    assert "preflight" in ended.err
    ended = cli("submit", sheet, "--pipeline", "preflight", "--preflight")
    assert (ended.code, "--preflight: expected a pipeline over samples" in ended.err) == (2, True)
