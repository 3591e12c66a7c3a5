"""The report of an execution for people."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.report.execution import render_execution

COUNTS = {"pending": 0, "running": 0, "succeeded": 0, "failed": 0, "timedOut": 0, "aborted": 0, "total": 0}
DETAILS = {"Bucket": "run", "Key": "map-runs/Each/1/manifest.json"}


def result(**others: Any) -> ExecutionResult:
    members: dict[str, Any] = {"status": "SUCCEEDED", "transitions": 1, "seconds": 0.5, **others}
    return ExecutionResult(**members)


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({}, ["SUCCEEDED after 0.5 s, 1 state transition", "null"]),
        (
            {"output": ["π"], "transitions": 0},
            ["SUCCEEDED after 0.5 s, 0 state transitions", "[", '  "π"', "]"],
        ),
        (
            {"status": "FAILED", "error": "States.TaskFailed", "cause": "because", "transitions": 3},
            ["FAILED after 0.5 s, 3 state transitions", "error: States.TaskFailed", "cause: because"],
        ),
        (
            {"status": "TIMED_OUT", "error": "States.Timeout", "cause": ""},
            ["TIMED_OUT after 0.5 s, 1 state transition", "error: States.Timeout"],
        ),
        ({"status": "ABORTED"}, ["ABORTED after 0.5 s, 1 state transition", "error: none"]),
        (
            {
                "map_runs": [
                    {
                        "label": "Each",
                        "status": "FAILED",
                        "itemCounts": {**COUNTS, "succeeded": 7, "timedOut": 1, "aborted": 2, "total": 10},
                        "resultWriterDetails": DETAILS,
                    },
                    {"label": "None", "status": "SUCCEEDED", "itemCounts": COUNTS},
                    {"label": "One", "status": "SUCCEEDED", "itemCounts": {**COUNTS, "succeeded": 1, "total": 1}},
                ]
            },
            [
                "SUCCEEDED after 0.5 s, 1 state transition",
                "Map Run Each: FAILED, 10 items: 7 succeeded, 1 timed out, 2 aborted; "
                "results: s3://run/map-runs/Each/1/manifest.json",
                "Map Run None: SUCCEEDED, 0 items",
                "Map Run One: SUCCEEDED, 1 item: 1 succeeded",
                "null",
            ],
        ),
    ],
)
def test_the_report(given: dict[str, Any], lines: list[str]) -> None:
    assert render_execution(result(**given)).splitlines() == lines
