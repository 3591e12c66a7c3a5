"""`genomics-pipeline explain`: every form of a failure that users find, and its explanation."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Cli = Callable[..., Any]

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
JOB = {
    "jobId": "4d1c",
    "jobName": "germline-alignment",
    "status": "FAILED",
    "statusReason": "Essential container in task exited",
    "attempts": [
        {"container": {"exitCode": 137, "reason": OUT_OF_MEMORY, "logStreamName": f"align/default/{number}"}}
        for number in (1, 2)
    ],
    "container": {
        "exitCode": 137,
        "reason": OUT_OF_MEMORY,
        "logStreamName": "align/default/2",
        "resourceRequirements": [{"type": "MEMORY", "value": "8192"}],
        "environment": [{"name": "GENOMICS_PIPELINE_TASK", "value": "{}"}],
    },
    "retryStrategy": {"evaluateOnExit": [{"onStatusReason": "Host EC2*"}]},
    "tags": {"error": "none"},
}


def pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: pascal(member) for name, member in value.items()}
    return [pascal(member) for member in value] if isinstance(value, list) else value


TRIED = [
    {"class": "host_lost", "memory_mib": 8192, "job_id": "3a77"},
    {"class": "out_of_memory", "memory_mib": 8192, "job_id": "4d1c"},
]
STAGE = {
    "stage": "alignment",
    "class": "out_of_memory",
    "error": "States.TaskFailed",
    "cause": json.dumps(pascal(JOB)),
    "tried": TRIED,
}
ROW = {
    "ExecutionArn": "arn:aws:states:us-west-2:000000000000:execution:germline/Sample:1",
    "Input": '{"item": {"sample": "NA12878"}}',
    "Name": "1",
    "Status": "FAILED",
    "Error": "States.TaskFailed",
    "Cause": json.dumps(STAGE),
}
EXECUTION = {name[0].lower() + name[1:]: value for name, value in ROW.items()}

OF_A_JOB = {
    "a job's detail, as a cause": pascal(JOB),
    "a job's detail, as Batch gives it": JOB,
    "DescribeJobs": {"jobs": [JOB]},
    "DescribeJobs, in the other case": {"Jobs": [pascal(JOB)]},
    "what a catcher is given": {"Error": "States.TaskFailed", "Cause": json.dumps(pascal(JOB))},
}
OF_A_STAGE = {
    "the cause of a Fail state": STAGE,
    "a cause as text": json.dumps(STAGE),
    "error and cause": {"error": "States.TaskFailed", "cause": json.dumps(STAGE)},
    "a cause that is no text any more": {"error": "States.TaskFailed", "cause": STAGE},
    "a row of ResultWriter's": ROW,
    "ResultWriter's file of one row": [ROW],
    "DescribeExecution": EXECUTION,
}


def explain_json(failure: Any, cli: Cli, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "cause.json"
    file.write_text(json.dumps(failure))
    ended = cli("explain", str(file), "--json")
    assert (ended.code, ended.err) == (0, "")
    explanation: dict[str, Any] = json.loads(ended.out)
    return explanation


@pytest.mark.parametrize("form", [*OF_A_JOB, *OF_A_STAGE])
def test_every_form_of_a_failure_is_explained(form: str, cli: Cli, tmp_path: Path) -> None:
    explanation = explain_json({**OF_A_JOB, **OF_A_STAGE}[form], cli, tmp_path)
    assert (explanation["class"], explanation["why"]) == ("out_of_memory", f"container reason: {OUT_OF_MEMORY}")
    assert (explanation["job_id"], explanation["exit_code"], explanation["memory_mib"]) == ("4d1c", 137, 8192)
    assert explanation["log_streams"] == ["align/default/1", "align/default/2"]
    summary = (explanation["stage"], explanation["attempts"], explanation["tried"])
    assert summary == (("alignment", 3, TRIED) if form in OF_A_STAGE else (None, 2, []))


def test_text_output(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "cause.json"
    file.write_text(json.dumps(ROW))
    ended = cli("explain", str(file))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "out_of_memory: the task needed more memory than it had\n"
        f"why        container reason: {OUT_OF_MEMORY}\n"
        "stage      alignment\n"
        "job        4d1c, exit code 137, 8,192 MiB requested\n"
        "attempts   3\n"
        "tried      host_lost with 8,192 MiB requested, job 3a77\n"
        "           out_of_memory with 8,192 MiB requested, job 4d1c\n"
        "log        align/default/2\n"
        "by itself  a retry with the next rung of the step's memory ladder, up to the last one\n"
        "to do      rerun with more memory (--memory), or add a rung to memory_mib in step.toml\n"
    )


def test_a_refused_job_and_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"error": "Batch.ClientException", "cause": "JobQueue x-job-queue not found."}
    data = io.BytesIO(json.dumps(refused).encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=data))
    ended = cli("explain", "-")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "unknown: Batch refused the job: usually its job definition or queue does not exist\n"
        "why        nothing in it is known\n"
        "message    JobQueue x-job-queue not found.\n"
        "by itself  nothing: the request would be refused again\n"
        "to do      deploy the pipeline and the steps that the run was submitted with; then rerun\n"
    )


@pytest.mark.parametrize(("status", "expected"), [("ABORTED", "cancelled"), ("TIMED_OUT", "timeout")])
def test_an_execution_without_error_and_cause(status: str, expected: str, cli: Cli, tmp_path: Path) -> None:
    assert explain_json({"executionArn": "a", "status": status}, cli, tmp_path)["class"] == expected


ANY = "expected a cause, an execution, rows of ResultWriter's FAILED file, or jobs"
REFUSED = {
    "[]": f"{ANY}, found an empty array",
    "[{}, {}]": f"{ANY}, found an empty object",
    '{"jobs": []}': f"{ANY}, found an empty array",
    '{"jobs": [{"jobId": "1", "status": "SUCCEEDED"}]}': "expected a job that failed, found one that SUCCEEDED",
    '{"executionArn": "a", "status": "RUNNING"}': "expected an execution that failed, found one that is RUNNING",
    '{"Status": "SUCCEEDED", "ExecutionArn": "a"}': "expected an execution that failed, found one that is SUCCEEDED",
    "{}": f"{ANY}, found an empty object",
    '{"a": 1, "b": 2}': f"{ANY}, found an object of a, b",
    "7": f"{ANY}, found 7",
    "null": f"{ANY}, found null",
}


@pytest.mark.parametrize("text", REFUSED)
def test_input_without_a_failure_is_refused(text: str, cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "cause.json"
    file.write_text(text)
    ended = cli("explain", str(file))
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: {file}: {REFUSED[text]}\n")


def test_input_that_is_not_json_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "cause.json"
    file.write_text('{"Error": oops}')
    ended = cli("explain", str(file))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {file}:1:11: expected JSON: expecting value\n"
    gone = cli("explain", str(tmp_path / "gone.json"))
    assert (gone.code, gone.out) == (1, "")
    assert "gone.json: expected a file, found none that can be read" in gone.err


def rows(*failures: tuple[str, int]) -> str:
    """Return rows of a FAILED file, of samples with exit codes, and a row of a child that never started."""
    texts = [
        json.dumps(
            {
                "Cause": json.dumps({"stage": "alignment", "cause": json.dumps({"Container": {"ExitCode": code}})}),
                "Error": "States.TaskFailed",
                "Input": json.dumps({"item": {"sample": sample}}),
                "Status": "FAILED",
            }
        )
        for sample, code in failures
    ]
    return "\n".join([*texts, ""])


def test_rows_of_one_kind_are_explained_together(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "FAILED_0.jsonl"
    file.write_text(rows(("a", 65), ("b", 137), ("c", 65)))
    ended = cli("explain", str(file))
    assert (ended.code, ended.err) == (0, "")
    headings = [line for line in ended.out.splitlines() if line.startswith(("1 ", "2 ", "bad_input", "out_of_memory"))]
    assert [line.partition(": ")[0] for line in headings] == [
        "2 failures (a, c); the first of them:",
        "bad_input",
        "1 failure (b):",
        "out_of_memory",
    ]
    explained = json.loads(cli("explain", str(file), "--json").out)
    assert [(one["count"], one["items"], one["class"]) for one in explained] == [
        (2, ["a", "c"], "bad_input"),
        (1, ["b"], "out_of_memory"),
    ]
    (tmp_path / "FAILED_0.json").write_text(json.dumps([json.loads(row) for row in file.read_text().splitlines()]))
    assert cli("explain", str(tmp_path / "FAILED_0.json")).out == ended.out


def test_a_wrong_line_among_rows_is_named(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "FAILED_0.jsonl"
    file.write_text(rows(("a", 65), ("b", 137)) + '{"Cause": oops}\n')
    ended = cli("explain", str(file))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {file}:3:11: expected JSON: expecting value\n"


def test_many_rows_name_the_first_items(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "FAILED_0.jsonl"
    file.write_text(rows(*((f"s{number}", 65) for number in range(1200))))
    ended = cli("explain", str(file))
    assert ended.out.startswith("1,200 failures (s0, s1, s2, s3, s4 and 1,195 more); the first of them:\nbad_input: ")


def test_a_folder_without_a_run(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    ended = cli("explain", str(folder))
    assert (ended.code, ended.err) == (1, f"error: {folder}: expected a run's folder, found another folder\n")
