"""Redrive: continuing an execution that failed, timed out or was aborted from the state that did not succeed.

Source: developer guide, "Restarting state machine executions with redrive" and "Redriving Map Runs"; recorded on AWS:
radkawar/stackd testdata/aws/stepfunctions/redrive_execution.json and redrive_map.json. A redrive appends a line
``{"redrive": count, "time": seconds}`` to the journal. Whatever succeeded before that line is kept; the rest is done
again:

- The current state of the execution is continued under its old entry event, with its retry counts reset.
- A Map Run continues, after a line of the same kind in its own journal file: children that did not succeed run again,
  Standard ones from their last state with an effect, Express ones from their first state; pending children start.
- A Map state that failed although its Map Run had succeeded, or because an expression could not be evaluated, starts
  another Map Run over all items.
- A Fail state is entered again and fails again.
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
        time: ``RedriveTime`` of the last one, in seconds since the epoch; None if there was none.
    """

    count: int = 0
    time: float | None = None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Redrives:
        """Return the redrives that a line of the journal records."""
        return cls(record["redrive"], record["time"])

    def record(self) -> dict[str, Any]:
        """Return the line of the journal."""
        return {"redrive": self.count, "time": self.time}

    def next(self, now: float) -> Redrives:
        """Return the redrives after another one at `now`, in seconds since the epoch."""
        return Redrives(self.count + 1, now)

    def context(self) -> dict[str, Any]:
        """Return the members of the context object; ``RedriveTime`` only after a redrive."""
        return {
            "RedriveCount": self.count,
            **({} if self.time is None else {"RedriveTime": format_timestamp(self.time)}),
        }

    def description(self) -> dict[str, Any]:
        """Return the members of DescribeMapRun; ``redriveDate`` only after a redrive."""
        return {
            "redriveCount": self.count,
            **({} if self.time is None else {"redriveDate": format_timestamp(self.time)}),
        }


NOT_REDRIVEN = Redrives()
NOT_REDRIVABLE = "Execution is {} and cannot be redriven"  # RUNNING, SUCCEEDED: recorded, and botocore's model


def needs_new_map_run(failure: StatesError) -> bool:
    """Return whether a redrive starts another Map Run instead of continuing the one that failed with this error.

    >>> needs_new_map_run(StatesError("States.DataLimitExceeded"))
    True
    >>> needs_new_map_run(StatesError("States.ResultWriterFailed"))
    False
    """
    return failure.error == DATA_LIMIT_EXCEEDED or failure.evaluation_failed
