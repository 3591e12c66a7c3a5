"""Redrive: an execution that failed, timed out or was aborted goes on from the state that did not succeed.

Source: developer guide, "Restarting state machine executions with redrive" and "Redriving Map Runs"; recorded on AWS:
radkawar/stackd testdata/aws/stepfunctions/redrive_execution.json and redrive_map.json. The journal gets a line
``{"redrive": count, "time": seconds}``; all that ended well before it stays, and the rest is to be done again:

- The execution's own state is entered where it stood, by its old event, with no attempt counted.
- A Map Run goes on, its journal with a line of the same kind: the children that did not succeed run again, Standard
  ones from their own last state with effects, Express ones from their first state; the pending ones start.
- A Map state that failed although its Map Run had succeeded, or because an expression could not be evaluated, begins
  another Map Run over all items.
- A Fail state is entered again, and fails again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.errors import DATA_LIMIT_EXCEEDED, StatesError
from genomics_pipeline.language.timestamps import format_timestamp


@dataclass(frozen=True, slots=True)
class Redrives:
    """The redrives of an execution or a Map Run.

    Attributes:
        count: ``RedriveCount``.
        time: ``RedriveTime`` of the last one, in seconds since the epoch.
    """

    count: int = 0
    time: float | None = None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Redrives:
        """Return the redrives of a journal's line."""
        return cls(record["redrive"], record["time"])

    def record(self) -> dict[str, Any]:
        """Return the journal's line."""
        return {"redrive": self.count, "time": self.time}

    def next(self, now: float) -> Redrives:
        """Return the redrives after one more, at a time in seconds since the epoch."""
        return Redrives(self.count + 1, now)

    def context(self) -> dict[str, Any]:
        """Return the members of the context object; without a redrive there is no time of one."""
        return {
            "RedriveCount": self.count,
            **({} if self.time is None else {"RedriveTime": format_timestamp(self.time)}),
        }

    def answer(self) -> dict[str, Any]:
        """Return the members of DescribeMapRun and the like."""
        return {
            "redriveCount": self.count,
            **({} if self.time is None else {"redriveDate": format_timestamp(self.time)}),
        }


NOT_REDRIVEN = Redrives()
NOT_REDRIVABLE = "Execution is {} and cannot be redriven"  # RUNNING, SUCCEEDED: recorded, and botocore's model


def needs_new_map_run(failure: StatesError) -> bool:
    """Return whether a redrive begins another Map Run after a Map Run that failed so.

    >>> needs_new_map_run(StatesError("States.DataLimitExceeded"))
    True
    >>> needs_new_map_run(StatesError("States.ResultWriterFailed"))
    False
    """
    return failure.error == DATA_LIMIT_EXCEEDED or failure.evaluation_failed
