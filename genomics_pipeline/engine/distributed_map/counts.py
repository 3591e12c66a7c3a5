"""Item and execution counts of a Map Run, in the shape of DescribeMapRun."""

from __future__ import annotations

from collections.abc import Mapping

_STATUSES = {"succeeded": "SUCCEEDED", "failed": "FAILED", "timedOut": "TIMED_OUT", "aborted": "ABORTED"}


def counts(ended: Mapping[str, int], running: int, total: int, *, written: bool, redriven: int = 0) -> dict[str, int]:
    """Return the item counts or the execution counts of a Map Run.

    Args:
        ended: The number that ended, by status.
        running: The number that is running.
        total: The total number.
        written: Whether result files were written.
        redriven: The number that waits for a redrive.

    >>> items = counts({"SUCCEEDED": 2, "FAILED": 1}, 0, 5, written=True)
    >>> items["pending"], items["resultsWritten"]
    (2, 5)
    """
    by_status = {name: ended.get(status, 0) for name, status in _STATUSES.items()}
    return {
        "pending": total - running - redriven - sum(by_status.values()),
        "running": running,
        **by_status,
        "total": total,
        "resultsWritten": total if written else 0,
        "failuresNotRedrivable": 0,
        "pendingRedrive": redriven,
    }
