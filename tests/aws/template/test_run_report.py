"""The report of ended runs: its rule, and its message where something is missing or a call fails.

The message about a run that `submit` started: tests/cli/test_run_report.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.aws.template.report_definition import RETRY, SHOWN_OF_CAUSE, report_definition
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.model.resource_names import ResourceNames
from tests.aws.template.policies import arn, resolve
from tests.fakes.event_bridge import TOPIC, RunReports, matches

STACK = "genomics-pipeline"
EXECUTION = arn("states", f"execution:{STACK}-germline:r")
NEXT = f"Samples, failures and next commands: genomics-pipeline status r --stack {STACK}"
CONSOLE = "/states/home?region=eu-central-1#/v2/executions/details/"
COUNTS = dict.fromkeys(("Pending", "Running", "Succeeded", "Failed", "TimedOut", "Aborted", "Total"), 0)


def event(**detail: Any) -> dict[str, Any]:
    """Return an event about the end of a run."""
    members = {
        "executionArn": EXECUTION,
        "stateMachineArn": arn("states", f"stateMachine:{STACK}-germline"),
        "name": "r",
        "status": "SUCCEEDED",
        "input": "{}",
        **detail,
    }
    return {
        "id": "0f",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "time": "2026-11-28T12:00:00Z",
        "region": "eu-central-1",
        "detail": members,
    }


class MapRuns:
    """Step Functions with Map Runs: the item counts of each, by its name ``LABEL:UUID``, oldest first."""

    def __init__(self, **counts: dict[str, int]) -> None:
        self.seconds = 0
        self.counts = {name.replace("_", ":"): {**COUNTS, **one} for name, one in counts.items()}

    def __call__(self, operation: str, arguments: dict[str, Any]) -> Any:
        arns = {arn("states", f"mapRun:{STACK}-germline/{name}"): counts for name, counts in self.counts.items()}
        if operation == "DescribeMapRun":
            found = arguments["MapRunArn"]
            return {"MapRunArn": found, "ItemCounts": arns[found]}
        assert arguments == {"ExecutionArn": EXECUTION}
        listed = [
            {
                "MapRunArn": one,
                "StartDate": f"2026-11-28T10:00:0{number}.000Z",
                "StopDate": f"2026-11-28T10:00:0{number + self.seconds}.900Z",
            }
            for number, one in enumerate(arns)
        ]
        return {"MapRuns": listed[::-1]}  # AWS lists the latest first


def report(folder: Path, call: Any, **detail: Any) -> list[str]:
    """Return the lines of the message about the end of a run, without the link to the console."""
    reports = RunReports(folder, call)
    assert reports.run(event(**detail)).status == "SUCCEEDED"
    (published,) = reports.published
    lines: list[str] = published["Message"].splitlines()
    assert lines[-1] == f"Console: https://console.aws.amazon.com{CONSOLE}{EXECUTION}"
    return lines[:-1]


def test_aws_accepts_the_definition() -> None:
    assert list(diagnose(report_definition(ResourceNames(), TOPIC))) == []


def test_a_redriven_run_counts_the_newest_map_run_of_each_map(tmp_path: Path) -> None:
    calls = MapRuns(
        Sample_0={"Succeeded": 2, "TimedOut": 1, "Total": 3},
        Sample2_1={"Failed": 1, "Total": 3, "Pending": 2},
        Sample2_2={"Succeeded": 1, "Aborted": 2, "Total": 3},
        Interval_3={"Total": 4, "Running": 3, "Pending": 1},  # of an execution that was stopped just now
    )
    assert report(tmp_path, calls)[1:-1] == [
        "2 of 3 samples succeeded, 1 timed out",
        "1 of 3 samples succeeded, 2 aborted",
        "0 of 4 intervals succeeded, 3 running, 1 not run",
    ]


def test_map_runs_that_divide_the_samples_are_added(tmp_path: Path) -> None:
    calls = MapRuns(Sample_0={"Succeeded": 2, "Total": 2}, Sample_1={"Failed": 1, "Succeeded": 1, "Total": 2})
    calls.seconds = 5  # of each: both run at the same time
    assert report(tmp_path, calls)[1:-1] == ["3 of 4 samples succeeded, 1 failed"]


@pytest.mark.parametrize("refused", ["ListMapRuns", "DescribeMapRun"])
def test_what_aws_refuses_to_say_is_left_out(tmp_path: Path, refused: str) -> None:
    calls: list[str] = []

    def call(operation: str, arguments: dict[str, Any]) -> Any:
        calls.append(operation)
        if operation == refused:
            raise OSError("Rate exceeded (Service: Sfn, Status Code: 400)")
        return MapRuns(Sample_0={"Total": 1})(operation, arguments)

    assert report(tmp_path, call) == ["Run r: SUCCEEDED at 2026-11-28T12:00:00Z", NEXT]
    assert calls.count(refused) == 1 + RETRY["MaxAttempts"]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"status": "ABORTED"}, None),  # by StopExecution, or with a key of the user's
        ({"status": "ABORTED", "error": None, "cause": None}, None),
        ({"status": "TIMED_OUT", "error": "States.Timeout"}, "States.Timeout"),
        ({"status": "FAILED", "error": "A", "cause": 'a "quoted" <text>'}, 'A: a "quoted" <text>'),
        ({"status": "FAILED", "error": "A", "cause": "x" * 9000}, "A: " + "x" * SHOWN_OF_CAUSE),
        ({"status": "FAILED", "cause": '{"stage":'}, '{"stage":'),
    ],
)
def test_the_reason_is_shown_as_far_as_it_is_known(tmp_path: Path, detail: dict[str, Any], reason: str | None) -> None:
    lines = report(tmp_path, MapRuns(), **detail)
    assert lines == [f"Run r: {detail['status']} at 2026-11-28T12:00:00Z", *([reason] if reason else []), NEXT]


def test_the_link_is_to_the_console_of_the_partition(tmp_path: Path) -> None:
    reports = RunReports(tmp_path, lambda *_: {"MapRuns": []})
    reports.run(event(executionArn=EXECUTION.replace("arn:aws:", "arn:aws-cn:")))
    assert "https://console.amazonaws.cn/states/" in reports.published[0]["Message"]


def test_the_rule_starts_the_report_of_a_run_and_not_of_a_child(document: dict[str, Any]) -> None:
    rule = document["Resources"]["RunEnded"]["Properties"]
    assert [one["Arn"] for one in rule["Targets"]] == [{"Ref": "RunReport"}]
    pattern = resolve(rule["EventPattern"], document["Resources"])
    machine = arn("states", f"stateMachine:{STACK}-germline")
    for status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"):
        assert matches(pattern, event(status=status))
        assert not matches(pattern, event(status=status, stateMachineArn=f"{machine}/Sample"))
    assert not matches(pattern, event(status="RUNNING"))
    assert not matches(pattern, event(stateMachineArn=arn("states", f"stateMachine:{STACK}-two-germline")))


def test_the_deployed_report_is_the_tested_one(document: dict[str, Any]) -> None:
    deployed = resolve(document["Resources"]["RunReport"]["Properties"]["DefinitionString"], document["Resources"])
    assert json.loads(deployed) == report_definition(ResourceNames(), "AlarmTopic")
