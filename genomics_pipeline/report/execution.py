"""The report of an execution: its status, its Map Runs, and its output or its error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.model.json_text import without_infinities
from genomics_pipeline.model.quantity import quantity

_OUTCOMES = {
    "succeeded": "succeeded",
    "failed": "failed",
    "timedOut": "timed out",
    "aborted": "aborted",
    "pending": "pending",
}


def render_execution(result: ExecutionResult) -> str:
    """Return the report of an execution: status, Map Runs with their item counts, then the output or the error.

    >>> print(render_execution(ExecutionResult("SUCCEEDED", {"a": 1}, transitions=2, seconds=3600.25)))
    SUCCEEDED after 3600.25 s, 2 state transitions
    {
      "a": 1
    }
    """
    return "\n".join(_lines(result))


def _lines(result: ExecutionResult) -> Iterator[str]:
    yield f"{result.status} after {result.seconds} s, {quantity(result.transitions, 'state transition')}"
    for run in result.map_runs:
        yield _map_run(run)
    if result.status == "SUCCEEDED":
        yield json.dumps(without_infinities(result.output), indent=2, ensure_ascii=False)
        return
    yield f"error: {result.error or 'none'}"
    if result.cause:
        yield f"cause: {result.cause}"


def _map_run(run: Mapping[str, Any]) -> str:
    counts = run["itemCounts"]
    outcomes = ", ".join(f"{counts[end]} {words}" for end, words in _OUTCOMES.items() if counts.get(end))
    items = quantity(counts["total"], "item")
    details = run.get("resultWriterDetails")
    where = f"; results: s3://{details['Bucket']}/{details['Key']}" if details else ""
    return f"Map Run {run['label']}: {run['status']}, {items}{': ' if outcomes else ''}{outcomes}{where}"
