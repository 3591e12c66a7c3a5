"""`genomics-pipeline execute`: documents, output and exit codes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genomics_pipeline.cli.main import main
from tests.patience import PATIENCE_S

Cli = Callable[..., Any]
INVOKE = "arn:aws:states:::lambda:invoke"
SEND = "arn:aws:states:::sqs:sendMessage"
MESSAGE = {"QueueUrl": "q", "MessageBody": "{% $states.input %}"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def machine(path: Path, **states: Any) -> Path:
    last = list(states)[-1]
    states[last].setdefault("End", True)
    return write(path, {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})


def wait(seconds: int) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, "Next": "B"}


PASS = {"Type": "Pass"}


def test_json_output_describes_the_execution(cli: Cli, here: Path) -> None:
    machine(here / "machine.json", A=wait(3600), B={**PASS, "Output": "{% $states.input.n + 1 %}"})
    write(here / "input.json", {"n": 1})
    ended = cli("execute", "machine.json", "--input", "input.json", "--json", "--fast-forward")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert 3600 <= result.pop("seconds") < 7200  # the skipped hour, and the time of the execution itself
    assert result == {
        "status": "SUCCEEDED",
        "output": 2,
        "error": None,
        "cause": None,
        "map_runs": [],
        "transitions": 2,
    }


def test_text_output_describes_the_execution(cli: Cli, here: Path) -> None:
    machine(here / "machine.json", A=wait(90), B=dict(PASS))
    ended = cli("execute", "machine.json", "--fast-forward")
    assert ended.code == 0
    found = re.fullmatch(r"SUCCEEDED after ([\d.,]+) s, 2 state transitions\n\{\}\n", ended.out)
    assert found is not None, ended.out
    assert float(found[1].replace(",", "")) >= 90


def test_text_output_describes_a_map_run(cli: Cli, here: Path) -> None:
    one = {
        "StartAt": "P",
        "States": {"P": {**PASS, "End": True}},
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    machine(here / "machine.json", M={"Type": "Map", "Label": "Each", "Items": [1, 2], "ItemProcessor": one})
    ended = cli("execute", "machine.json")
    assert ended.out.splitlines()[1:] == ["Map Run Each: SUCCEEDED, 2 items: 2 succeeded", "[", "  1,", "  2", "]"]


def test_a_failed_execution_exits_with_1(cli: Cli, here: Path) -> None:
    write(
        here / "machine.json",
        {
            "QueryLanguage": "JSONata",
            "StartAt": "F",
            "States": {"F": {"Type": "Fail", "Error": "Custom", "Cause": "on purpose"}},
        },
    )
    ended = cli("execute", "machine.json", "--json")
    result = json.loads(ended.out)
    assert (ended.code, result["status"], result["error"], result["cause"]) == (1, "FAILED", "Custom", "on purpose")


def test_input_from_standard_input(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(here / "machine.json", B=dict(PASS))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"from": "stdin"}')))
    ended = cli("execute", "machine.json", "--input", "-", "--json")
    assert json.loads(ended.out)["output"] == {"from": "stdin"}


def test_buckets_are_folders(cli: Cli, here: Path) -> None:
    (here / "buckets" / "b").mkdir(parents=True)
    put = {"Bucket": "b", "Key": "deep/a.json", "Body": "{% $states.input %}"}
    machine(
        here / "machine.json",
        Put={"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putObject", "Arguments": put, "Next": "Get"},
        Get={
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Arguments": {"Bucket": "none", "Key": "x"},
            "Catch": [{"ErrorEquals": ["S3.NoSuchBucketException"], "Output": "caught", "Next": "B"}],
            "Next": "B",
        },
        B=dict(PASS),
    )
    write(here / "input.json", {"n": 1})
    ended = cli("execute", "machine.json", "--input", "input.json", "--root", "buckets", "--json")
    assert json.loads(ended.out)["output"] == "caught"
    assert (here / "buckets" / "b" / "deep" / "a.json").read_text() == '{"n":1}'


FUNCTIONS = """
import threading

def double(event, context):
    return event["n"] * 2

async def send(event, context):
    return {"MessageId": context.invoked_function_arn, **event}

def approve(event, context):
    threading.Thread(target=context.callbacks.succeed, args=(context.token, "approved")).start()

not_a_function = 1
"""


def test_functions_run_tasks(cli: Cli, here: Path) -> None:
    write(here / "tasks_of_mine.py", FUNCTIONS)
    function = "arn:aws:lambda:us-east-1:000000000000:function:double"
    arguments = {"FunctionName": "double", "Payload": "{% $states.input %}"}
    machine(
        here / "machine.json",
        A={"Type": "Task", "Resource": function, "Output": {"n": "{% $states.result %}"}, "Next": "B"},
        B={
            "Type": "Task",
            "Resource": INVOKE,
            "Arguments": arguments,
            "Output": {"n": "{% $states.result.Payload %}"},
            "Next": "C",
        },
        C={"Type": "Task", "Resource": SEND, "Arguments": MESSAGE, "Next": "D"},
        D={
            "Type": "Task",
            "Resource": f"{SEND}.waitForTaskToken",
            "Arguments": {**MESSAGE, "MessageAttributes": "{% $states.context.Task.Token %}"},
            "Output": ["{% $states.input %}", "{% $states.result %}"],
        },
    )
    write(here / "input.json", {"n": 3})
    tasks = [f"{function}=tasks_of_mine:double", f"{SEND}=tasks_of_mine:send"]
    tasks.append(f"{SEND}.waitForTaskToken=tasks_of_mine:approve")
    options = [option for task in tasks for option in ("--task", task)]
    ended = cli("execute", "machine.json", "--input", "input.json", "--json", *options)
    assert json.loads(ended.out)["output"] == [
        {"MessageId": SEND, "QueueUrl": "q", "MessageBody": {"n": 12}},
        "approved",
    ], ended


def test_state_machines_start_each_other_and_themselves(cli: Cli, here: Path) -> None:
    machine(here / "child.json", B={**PASS, "Output": {"child": "{% $states.input %}"}})
    call = "arn:aws:states:::states:startExecution"
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:"
    again = {"StateMachineArn": "{% $states.context.StateMachine.Id %}", "Input": {"depth": 1}}
    rule = {"Condition": "{% $states.input.depth = 1 %}", "Next": "Last"}
    machine(
        here / "machine.json",
        Depth={"Type": "Choice", "Choices": [rule], "Default": "Child"},
        Child={
            "Type": "Task",
            "Resource": f"{call}.sync:2",
            "Arguments": {"StateMachineArn": f"{arn}other", "Name": "first", "Input": {"a": 1}},
            "Assign": {"child": "{% $states.result.Output %}"},
            "Next": "Again",
        },
        Again={
            "Type": "Task",
            "Resource": f"{call}.sync",
            "Arguments": again,
            "Output": ["{% $child %}", "{% $states.result.Output %}", "{% $states.result.StateMachineArn %}"],
            "Next": "Last",
        },
        Last=dict(PASS),
    )
    ended = cli("execute", "machine.json", "--state-machine", "other=child.json", "--json")
    assert json.loads(ended.out)["output"] == [{"child": {"a": 1}}, '{"depth":1}', f"{arn}machine"], ended


def test_a_child_ends_its_parents_task_by_its_token(cli: Cli, here: Path) -> None:
    send = {"TaskToken": "{% $states.input.token %}", "Output": {"from": "child"}}
    machine(
        here / "child.json",
        S={"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", "Arguments": send},
    )
    arguments = {"StateMachineArn": "child", "Input": {"token": "{% $states.context.Task.Token %}"}}
    call = "arn:aws:states:::states:startExecution.waitForTaskToken"
    machine(here / "machine.json", A={"Type": "Task", "Resource": call, "Arguments": arguments})
    ended = cli("execute", "machine.json", "--state-machine", "child=child.json", "--json")
    assert json.loads(ended.out)["output"] == {"from": "child"}, ended


MOCKS = {
    "StateMachines": {"machine": {"TestCases": {"Happy": {"A": "Sent"}, "Retried": {"A": "Slow"}}}},
    "MockedResponses": {
        "Sent": {"0": {"Return": {"MessageId": "1"}}},
        "Slow": {"0-1": {"Throw": {"Error": "Sqs.Busy", "Cause": "wait"}}, "2": {"Return": "at last"}},
    },
}


@pytest.mark.parametrize(("case", "output", "delays"), [("Happy", {"MessageId": "1"}, 0), ("Retried", "at last", 3)])
def test_mocks(cli: Cli, here: Path, case: str, output: Any, delays: int) -> None:
    state = {"Type": "Task", "Resource": SEND, "Arguments": MESSAGE, "Retry": [{"ErrorEquals": ["Sqs.Busy"]}]}
    machine(here / "machine.json", A=state)
    write(here / "mock.json", MOCKS)
    ended = cli("execute", "machine.json", "--mock", "mock.json", "--test-case", case, "--json", "--fast-forward")
    result = json.loads(ended.out)
    assert result["output"] == output
    assert result["seconds"] >= delays


def test_the_state_machine_is_named_after_its_file_or_by_the_option(cli: Cli, here: Path) -> None:
    machine(here / "a.asl.json", B={**PASS, "Output": "{% $states.context.StateMachine.Name %}"})
    assert json.loads(cli("execute", "a.asl.json", "--json").out)["output"] == "a"
    ended = cli("execute", "a.asl.json", "--state-machine", f"chosen={here}/a.asl.json", "--json")
    assert json.loads(ended.out)["output"] == "chosen"


def test_batch_jobs_are_the_shipped_steps(cli: Cli, here: Path) -> None:
    (here / "buckets").mkdir()
    arguments = {"JobName": "j", "JobQueue": "q", "JobDefinition": "genomics-pipeline-alignments"}
    submit = "arn:aws:states:::batch:submitJob.sync"
    machine(here / "machine.json", A={"Type": "Task", "Resource": submit, "Arguments": arguments})
    ended = cli("execute", "machine.json", "--root", "buckets", "--json")
    result = json.loads(ended.out)
    assert (ended.code, result["error"], result["cause"]) == (
        1,
        "Batch.ClientException",
        "JobDefinition not found: genomics-pipeline-alignments",
    )


def test_the_definition_of_a_run_is_executed_by_the_same_worker(cli: Cli, here: Path) -> None:
    assert cli("simulate", "--out", "cohort", "--samples", "1", "--length", "6000", "--depth", "8").code == 0
    sheet, reference = "cohort/cohort.csv", "cohort/reference.fa"
    assert cli("run", sheet, "--reference", reference, "--out", "buckets/RUN", "--json").code == 0
    made = here / "buckets/RUN/results/variant_calling/joint/joint_germline.vcf.gz"
    before = made.read_bytes()
    (here / "buckets/RUN/steps").rename(here / "completion records")
    made.unlink()
    definition, execution_input = "buckets/RUN/definition.json", "buckets/RUN/input.json"
    ended = cli("execute", definition, "--input", execution_input, "--root", "buckets", "--json")
    result = json.loads(ended.out)
    assert (ended.code, result["status"]) == (0, "SUCCEEDED"), result
    assert [(run["label"], run["itemCounts"]["failed"]) for run in result["map_runs"]] == [
        ("Sample", 0),
        ("Interval", 0),
    ]
    assert made.read_bytes() == before


def test_the_same_command_reads_the_result_from_the_journal(cli: Cli, here: Path) -> None:
    write(
        here / "counts_calls.py", "calls = []\ndef count(event, context):\n    calls.append(1)\n    return len(calls)\n"
    )
    machine(here / "machine.json", A={"Type": "Task", "Resource": SEND, "Arguments": MESSAGE})
    command = ["execute", "machine.json", "--task", f"{SEND}=counts_calls:count", "--journal", "journal", "--json"]
    first, second = cli(*command), cli(*command)
    assert json.loads(first.out)["output"] == json.loads(second.out)["output"] == 1
    changed = cli(*command, "--name", "another")
    assert changed.code == 1
    assert changed.err == (
        "error: journal/execution.jsonl: the journal belongs to another execution; use another folder\n"
    )


CALL = {"Type": "Task", "Resource": SEND, "Arguments": MESSAGE, "End": True}
TASK = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": CALL}}
RIGHT: dict[str, Any] = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({}, [], "machine.json: expected a file, found none that can be read: No such file or directory"),
        ({"machine.json": '{\n  "StartAt": }'}, [], "machine.json:2:14: expected JSON: expecting value"),
        ({"machine.json": "[]"}, [], "machine.json: expected a state machine, an object with States"),
        (
            {"machine.json": '{"a": NaN}'},
            [],
            "machine.json: expected JSON, found NaN, which is not valid JSON",
        ),
        ({"machine.json": RIGHT, "i": "{'a': 1}"}, ["--input", "i"], "i:1:2: expected JSON: expecting property name"),
        ({"machine.json": RIGHT}, ["--input", "none"], "none: expected a file, found none that can be read"),
        ({"machine.json": RIGHT}, ["--root", "none"], "--root none: expected a folder whose folders are the buckets"),
        (
            {"machine.json": {**RIGHT, "States": {**RIGHT["States"], "B": {"Type": "Fail"}}}},
            [],
            'machine.json:/States/B: MISSING_TRANSITION_TARGET: State "B" is not reachable.',
        ),
        ({"machine.json": TASK}, [], f"machine.json:/States/A/Resource: there is no handler for '{SEND}'"),
        (
            {"machine.json": TASK},
            ["--test-case", "x"],
            "--test-case names a case of a mock file; give the file with --mock",
        ),
        ({"machine.json": TASK, "m": MOCKS}, ["--mock", "m"], "--mock m: expected --test-case, one of: Happy, Retried"),
        (
            {"machine.json": TASK, "m": MOCKS},
            ["--mock", "m", "--test-case", "Hapy"],
            "--test-case Hapy: no such test case of 'machine'; did you mean 'Happy'?",
        ),
        (
            {"machine.json": TASK, "m": {"StateMachines": {"machin": {"TestCases": {}}}, "MockedResponses": {}}},
            ["--mock", "m"],
            "--mock m: expected test cases of the state machine 'machine', found none; "
            "name it with --state-machine NAME=machine.json; did you mean 'machin'?",
        ),
        (
            {
                "machine.json": RIGHT,
                "m": {
                    "StateMachines": {"machine": {"TestCases": {"Happy": {"B": "R"}}}},
                    "MockedResponses": {"R": {}},
                },
            },
            ["--mock", "m"],
            "m:$.StateMachines.machine.TestCases.Happy.B: expected a Task of the state machine, found 'B'; known: none",
        ),
        ({"machine.json": TASK}, ["--task", "x"], "--task x: expected ARN=module:function"),
        (
            {"machine.json": TASK},
            ["--task", "x=no_module:f"],
            "--task x=no_module:f: cannot import no_module: ModuleNotFoundError",
        ),
        (
            {"machine.json": TASK, "bad_mod.py": "1/0"},
            ["--task", "x=bad_mod:f"],
            "--task x=bad_mod:f: cannot import bad_mod: ZeroDivisionError",
        ),
        (
            {"machine.json": TASK, "fine_mod.py": FUNCTIONS},
            ["--task", "x=fine_mod:duble"],
            "--task x=fine_mod:duble: fine_mod has no function 'duble'; did you mean 'double'?",
        ),
        (
            {"machine.json": TASK, "fine_mod2.py": FUNCTIONS},
            ["--task", "x=fine_mod2:double", "--task", "x=fine_mod2:send"],
            "--task x=fine_mod2:send: this ARN already has a function",
        ),
        ({"machine.json": RIGHT}, ["--state-machine", "x"], "--state-machine x: expected NAME=FILE"),
        ({"machine.json": RIGHT}, ["--state-machine", "x=none.json"], "none.json: expected a file"),
    ],
)
def test_a_document_that_cannot_be_executed_exits_with_2(
    cli: Cli, here: Path, files: dict[str, Any], options: list[str], message: str
) -> None:
    for name, value in files.items():
        write(here / name, value)
    ended = cli("execute", "machine.json", *options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {message}"), ended.err
    assert ended.err.count("\n") == 1


def test_every_problem_of_a_document_is_reported(cli: Cli, here: Path) -> None:
    states = {"A": {"Type": "Pass", "Next": "C"}, "B": {**CALL, "Retry": []}}
    write(here / "machine.json", {"QueryLanguage": "JSONata", "StartAt": "A", "States": states})
    ended = cli("execute", "machine.json", "--json")
    assert (ended.code, ended.out) == (2, "")
    result = [tuple(line.split(": ")[1:3]) for line in ended.err.splitlines()]
    assert result == [
        ("machine.json:/States/A/Next", "MISSING_TRANSITION_TARGET"),
        ("machine.json:/States/B", "MISSING_TRANSITION_TARGET"),
        ("machine.json:/States/B/Resource", f"there is no handler for '{SEND}'"),
    ]


_PRINTING = """
import logging, os, subprocess, sys
print("import")
logging.getLogger("tasks").addHandler(logging.StreamHandler(sys.stdout))
def work(event, context):
    print("printed")
    logging.getLogger("tasks").warning("logged")
    os.write(1, b"written\\n")
    subprocess.run(["echo", "of a process"], check=True)
    context.log("of the context")
    return {"ok": 1}
"""


def test_what_functions_print_goes_to_standard_error(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    machine(here / "machine.json", A={"Type": "Task", "Resource": arn})
    write(here / "printing_tasks.py", _PRINTING)
    with pytest.raises(SystemExit) as exited:
        main(["execute", "machine.json", "--root", ".", "--json", "--task", f"{arn}=printing_tasks:work"])
    out, err = capfd.readouterr()
    assert exited.value.code == 0
    assert json.loads(out)["output"] == {"ok": 1}
    for text in ("import", "printed", "logged", "written", "of a process", "of the context"):
        assert text in err
    print("after it")
    assert capfd.readouterr().out == "after it\n"


_EXITING = """
import os, threading

def ends_the_process(event, context):
    os._exit(0)

def ends_it_in_a_thread(event, context):
    threading.Thread(target=os._exit, args=(0,)).start()
    threading.Event().wait()
"""


def execute_exiting(here: Path, function: str) -> subprocess.CompletedProcess[str]:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    machine(here / "machine.json", A={"Type": "Task", "Resource": arn})
    write(here / "exiting_tasks.py", _EXITING)
    program = "from genomics_pipeline.cli.main import main; main()"
    argv = ["execute", "machine.json", "--root", ".", "--json", "--task", f"{arn}=exiting_tasks:{function}"]
    return subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, timeout=PATIENCE_S)


def test_a_function_that_ends_the_process_does_not_end_the_engine(here: Path) -> None:
    end = execute_exiting(here, "ends_the_process")
    assert (end.returncode, end.stderr) == (1, "")
    assert json.loads(end.stdout)["error"] == "Runtime.ExitError"


def test_a_thread_of_a_function_that_ends_the_process_is_reported(here: Path) -> None:
    end = execute_exiting(here, "ends_it_in_a_thread")
    assert (end.returncode, end.stdout) == (1, "")
    assert end.stderr.startswith("error: expected the execution's result, found that a thread of a function called os.")
