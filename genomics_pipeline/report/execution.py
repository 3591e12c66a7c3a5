"""How an execution ended, for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_ENDS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "timedOut": "timed out",
    "aborted": "aborted",
    "pending": "pending",
}


def render_execution(summary: Mapping[str, Any]) -> str:
    """The report: status, error and cause, Map Runs with their item counts, and the output last.

    >>> print(render_execution({"status": "SUCCEEDED", "output": {"a": 1}, "error": None, "cause": None, "map_runs": [],
    ...                         "transitions": 2, "seconds": 3600.25}))
    SUCCEEDED after 3600.25 s, 2 state transitions
    {
      "a": 1
    }
    """
    return "\n".join(_lines(summary))


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    transitions = summary["transitions"]
    plural = "" if transitions == 1 else "s"
    yield f"{summary['status']} after {summary['seconds']} s, {transitions} state transition{plural}"
    for run in summary["map_runs"]:
        yield _map_run(run)
    if summary["status"] == "SUCCEEDED":
        yield json.dumps(summary["output"], indent=2, ensure_ascii=False)
        return
    yield f"error: {summary['error'] or 'none'}"
    if summary["cause"]:
        yield f"cause: {summary['cause']}"


def _map_run(run: Mapping[str, Any]) -> str:
    counts = run["itemCounts"]
    ends = ", ".join(f"{counts[end]} {words}" for end, words in _ENDS.items() if counts.get(end))
    items = f"{counts['total']} item{'' if counts['total'] == 1 else 's'}"
    details = run.get("resultWriterDetails")
    where = f"; results: s3://{details['Bucket']}/{details['Key']}" if details else ""
    return f"Map Run {run['label']}: {run['status']}, {items}{': ' if ends else ''}{ends}{where}"
