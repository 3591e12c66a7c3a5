"""Item and execution counts of a Map Run, in the shape of DescribeMapRun."""

from __future__ import annotations

from collections.abc import Mapping

_STATUSES = {"succeeded": "SUCCEEDED", "failed": "FAILED", "timedOut": "TIMED_OUT", "aborted": "ABORTED"}


def counts(ended: Mapping[str, int], running: int, total: int, *, written: bool, redriven: int = 0) -> dict[str, int]:
    """Counts of a Map Run.

    Args:
        ended: How many ended with each status.
        running: How many are running.
        total: How many there are.
        written: Whether result files hold them.
        redriven: How many are to be redriven, and wait for it.

    >>> found = counts({"SUCCEEDED": 2, "FAILED": 1}, 0, 5, written=True)
    >>> found["pending"], found["resultsWritten"]
    (2, 5)
    """
    found = {name: ended.get(status, 0) for name, status in _STATUSES.items()}
    return {
        "pending": total - running - redriven - sum(found.values()),
        "running": running,
        **found,
        "total": total,
        "resultsWritten": total if written else 0,
        "failuresNotRedrivable": 0,
        "pendingRedrive": redriven,
    }
