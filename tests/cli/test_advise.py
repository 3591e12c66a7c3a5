"""`genomics-pipeline advise`: the verdict, findings, exit codes, and what is never printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Cli = Callable[..., Any]
BATCH = "arn:aws:states:::batch:submitJob.sync"
JOB = {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"}
RETRY = {"ErrorEquals": ["Batch.AWSBatchException"], "JitterStrategy": "FULL"}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def write_definition(**task: Any) -> str:
        state = {"Type": "Task", "Resource": BATCH, "Parameters": JOB, "End": True, **task}
        text = json.dumps({"StartAt": "A", "States": {"A": state}})
        (tmp_path / "machine.json").write_text(text)
        return "machine.json"

    return write_definition


def test_the_verdict_comes_first_and_equal_findings_together(cli: Cli, write: Callable[..., str]) -> None:
    ended = cli("advise", write(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}]))
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.splitlines()
    assert lines[0] == "machine.json: 2 warnings, 1 note"
    assert lines[2] == "warning: task-timeout at /States/A"
    assert lines[5] == "  docs/advice.md#task-timeout"
    assert lines[7] == "warning: retry-of-everything at /States/A/Retry[0]/ErrorEquals"
    assert lines[9] == "  Saving: 2 state transitions per permanent error, $50.00 per million."


def test_equal_findings_are_told_once(cli: Cli, write: Callable[..., str], tmp_path: Path) -> None:
    first = json.loads((tmp_path / write(Next="B")).read_text())
    first["States"]["A"].pop("End")
    first["States"]["B"] = {"Type": "Task", "Resource": BATCH, "Parameters": JOB, "End": True}
    (tmp_path / "machine.json").write_text(json.dumps(first))
    out = cli("advise", "machine.json").out.splitlines()
    assert out[0] == "machine.json: 2 warnings"
    assert out[2:5] == ["warning: task-timeout in 2 places", "  /States/A", "  /States/B"]


def test_json_has_every_finding(cli: Cli, write: Callable[..., str]) -> None:
    ended = cli("advise", write(TimeoutSeconds=60, Retry=[{**RETRY, "MaxAttempts": 14}]), "--json")
    assert ended.code == 0  # a note only
    advice = json.loads(ended.out)
    assert advice.pop("findings")[0]["path"] == "/States/A/Retry[0]"
    assert advice == {"definition": "machine.json", "counts": {"error": 0, "warning": 0, "note": 1}, "problems": []}


def test_savings_are_in_dollars(cli: Cli, write: Callable[..., str]) -> None:
    definition = write(Resource="arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": "q", "MessageBody": "m"})
    (finding,) = json.loads(cli("advise", definition, "--json").out)["findings"]
    assert finding == {
        "rule": "standard-for-short-work",
        "severity": "note",
        "path": "/",
        "why": finding["why"],
        "saving": {
            "words": "less EXPRESS executions of a second and 64 MB",
            "transitions": 1,
            "per": "execution",
            "dollars_per_million": pytest.approx(22.958125),
        },
        "page": "docs/advice.md#standard-for-short-work",
    }


def test_a_good_definition_has_exit_code_0(cli: Cli, write: Callable[..., str]) -> None:
    ended = cli("advise", write(TimeoutSeconds=60, Retry=[RETRY]))
    assert (ended.code, ended.out, ended.err) == (0, "machine.json: nothing found\n", "")


def test_what_aws_would_refuse_is_an_error_before_the_advice(cli: Cli, write: Callable[..., str]) -> None:
    ended = cli("advise", write(Nexxt="B"))
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0] == "machine.json: 1 error, 1 warning"
    assert lines[2] == "error: SCHEMA_VALIDATION_FAILED at /States/A"
    assert lines[3].startswith("  AWS would refuse this definition: ")
    assert lines[5] == "warning: task-timeout at /States/A"


@pytest.mark.parametrize("text", ["[]", '"text"', "1"])
def test_what_is_no_object_is_refused(cli: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "machine.json").write_text(text)
    ended = cli("advise", str(tmp_path / "machine.json"))
    assert ended.code == 1
    assert "Definition must be a valid JSON object" in ended.out


def test_a_document_that_is_too_deep_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "machine.json").write_text('{"a":' * 201 + "1" + "}" * 201)
    ended = cli("advise", str(tmp_path / "machine.json"))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("machine.json: expected JSON, found more than 200 nested arrays and objects\n")


def test_text_that_is_not_json_is_named_with_its_place(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    file.write_text('{"StartAt": ,}')
    ended = cli("advise", str(file))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {file}:1:13: expected JSON: expecting value\n"


def test_a_missing_file_is_named(cli: Cli, tmp_path: Path) -> None:
    ended = cli("advise", str(tmp_path / "none.json"))
    assert ended.code == 1
    assert "expected a file, found none that can be read" in ended.err


def test_placeholders_without_quotation_marks_are_read(cli: Cli, write: Callable[..., str], tmp_path: Path) -> None:
    text = (tmp_path / write(TimeoutSeconds="LIMIT", Retry=[RETRY])).read_text()
    (tmp_path / "machine.json").write_text(text.replace('"LIMIT"', "${Limit}"))
    assert cli("advise", "machine.json").out == "machine.json: nothing found\n"


def test_standard_input_is_read(cli: Cli, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(write(TimeoutSeconds=60, Retry=[RETRY])).read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert cli("advise", "-").out == "standard input: nothing found\n"


def test_the_type_is_given(cli: Cli, write: Callable[..., str]) -> None:
    ended = cli("advise", write(), "--type", "express")
    assert "Express state machine does not support '.sync' service integration" in ended.out


def test_secrets_are_not_printed(cli: Cli, write: Callable[..., str]) -> None:
    secret = "correct-horse-battery"
    for arguments in ((), ("--json",)):
        ended = cli("advise", write(Parameters={**JOB, "DbPassword": secret, secret: "x"}), *arguments)
        assert ended.code == 1
        assert "corr***" in ended.out
        assert secret not in ended.out + ended.err


def test_control_characters_are_escaped(cli: Cli, write: Callable[..., str], tmp_path: Path) -> None:
    text = (tmp_path / write()).read_text().replace('"A"', '"A\\u001b[31m\\nwarning: none"')
    (tmp_path / "machine.json").write_text(text)
    out = cli("advise", "machine.json").out
    assert "\x1b" not in out
    assert "warning: task-timeout at /States/A\\u001b[31m\\nwarning: none\n" in out


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "error: expected DEFINITION or --pipeline NAME, found neither\n"),
        (("a.json", "--pipeline", "germline"), "error: expected DEFINITION or --pipeline NAME, found both\n"),
        (("a.json", "--region", "moon"), "error: --region: expected a Region such as us-east-1, found 'moon'\n"),
    ],
)
def test_wrong_usage_has_exit_code_2(cli: Cli, arguments: tuple[str, ...], found: str) -> None:
    ended = cli("advise", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", found)


def test_a_shipped_pipeline_has_nothing_to_advise_on(cli: Cli) -> None:
    ended = cli("advise", "--pipeline", "germline")
    assert (ended.code, ended.out) == (0, "germline: nothing found\n")
    assert cli("advise", "--pipeline", "none").code == 1


def test_counts_that_are_large_or_less_than_one_are_written_out(cli: Cli, tmp_path: Path) -> None:
    call = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}}
    states = {f"S{number}": {**call, "Next": f"S{number + 1}"} for number in range(12_000)}
    chain = {"StartAt": "S0", "States": {**states, "S12000": {"Type": "Succeed"}}}
    loop = {"StartAt": "S0", "States": {**states, "S12000": {**call, "Next": "S0"}}}
    (tmp_path / "chain.json").write_text(json.dumps(chain))
    (tmp_path / "loop.json").write_text(json.dumps(loop))
    assert "Saving: 12,001 state transitions per execution" in cli("advise", tmp_path / "chain.json").out
    assert "so within the first turn, of 60005 events" in cli("advise", tmp_path / "loop.json").out


def test_yaml_is_refused_with_what_to_do(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text("StartAt: A\n")
    ended = cli("advise", tmp_path / "machine.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("machine.yaml:1:1: expected JSON: expecting value; convert YAML to JSON first\n")
