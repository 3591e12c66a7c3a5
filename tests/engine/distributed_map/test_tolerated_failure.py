"""Tolerated failures, and the abort of a Map Run with more failures than that."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure as Tolerance
from genomics_pipeline.engine.events import ChildEnded
from genomics_pipeline.language.errors import StatesError
from tests.engine.distributed_map.map_states import WRITER, failing, over


@pytest.mark.parametrize(
    ("fields", "failed", "status"),
    [
        ({}, 0, "SUCCEEDED"),
        ({}, 1, "FAILED"),
        ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, 3, "FAILED"),
        ({"ToleratedFailureCount": 0}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 25}, 2, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 25}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 12.5}, 1, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 12.4}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 100}, 8, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 0}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": 50, "ToleratedFailureCount": 1}, 2, "FAILED"),
        ({"ToleratedFailurePercentage": 0, "ToleratedFailureCount": 5}, 1, "FAILED"),
        ({"ToleratedFailurePercentage": "{% 25 %}"}, 2, "SUCCEEDED"),
    ],
)
def test_tolerated_failures_decide_on_the_status(
    harness: Any, fields: dict[str, Any], failed: int, status: str
) -> None:
    state = over(list(range(8)), "some", MaxConcurrency=1, **fields)
    result = harness.run({"M": state}, tasks={"some": failing(*range(failed))})
    assert result.status == status
    if status == "SUCCEEDED":
        assert result.output == list(range(failed, 8))
    else:
        assert result.error == "States.ExceedToleratedFailureThreshold"
        assert result.cause == "The specified tolerated failure threshold was exceeded"


def test_a_percentage_refers_to_all_items() -> None:
    assert not Tolerance(None, 50).is_exceeded(4, 8)
    assert Tolerance(None, 50).is_exceeded(5, 8)


def test_after_too_many_failures_running_children_are_aborted_and_the_rest_stays_pending(harness: Any) -> None:
    async def respond(arguments: Any, context: Any) -> Any:
        if arguments == 2:
            await asyncio.sleep(0.01)
            raise StatesError("Bad", "two")
        if arguments == 1:
            await asyncio.Event().wait()
        return arguments

    catch = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "E"}]
    state = over([0, 1, 2, 3, 4], "respond", MaxConcurrency=2, ResultWriter=WRITER, Catch=catch)
    # 0 succeeds, 1 waits forever, 2 fails while 1 is running; 3 and 4 never start.
    result = harness.run({"M": state, "E": {"Type": "Succeed"}}, tasks={"respond": respond})
    assert result.status == "SUCCEEDED"
    rows = {
        kind: harness.store.lines(harness.store.uri_of(f"{kind}_0.jsonl"))
        for kind in ("SUCCEEDED", "FAILED", "PENDING")
    }
    assert [(row["Input"], row["Status"]) for row in rows["SUCCEEDED"]] == [("0", "SUCCEEDED")]
    assert [(row["Input"], row["Status"], row.get("Error")) for row in rows["FAILED"]] == [
        ("1", "ABORTED", None),
        ("2", "FAILED", "Bad"),
    ]
    assert rows["PENDING"] == [
        {"Input": text, "InputDetails": {"Included": True}, "Status": "PENDING"} for text in ("3", "4")
    ]
    (run,) = result.map_runs
    assert run["status"] == "FAILED"
    counts = {"pending": 2, "running": 0, "succeeded": 1, "failed": 1, "timedOut": 0, "aborted": 1, "total": 5}
    counts |= {"resultsWritten": 5, "failuresNotRedrivable": 0, "pendingRedrive": 0}
    assert run["itemCounts"] == counts
    assert run["executionCounts"] == counts


@pytest.mark.parametrize("gap", range(12))
def test_a_child_that_ends_during_the_abort_is_in_exactly_one_file(harness: Any, gap: int) -> None:
    """Let a failure cancel children at various times, also while the record of a child's end is being written."""

    async def racing(arguments: Any, context: Any) -> Any:
        if arguments == 0:
            raise StatesError("Bad", "")
        for _ in range(gap):
            await asyncio.sleep(0)
        return arguments

    state = over(list(range(30)), "racing", ResultWriter=WRITER)
    result = harness.run({"M": state}, tasks={"racing": racing})
    assert result.error == "States.ExceedToleratedFailureThreshold"
    manifest = json.loads(harness.store.objects[harness.store.uri_of("manifest.json")])
    inputs = [
        json.loads(row["Input"])
        for kind, files in manifest["ResultFiles"].items()
        for file in files
        for row in harness.store.lines(f"s3://b/{file['Key']}")
    ]
    assert sorted(inputs) == list(range(30))
    (run,) = result.map_runs
    parts = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")
    assert run["itemCounts"]["total"] == sum(run["itemCounts"][part] for part in parts) == 30
    assert len(harness.seen(ChildEnded)) == 30 - run["itemCounts"]["pending"]
