"""The outcome of `rerun`: the samples that were chosen, and what became of the rerun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.report.run_summary import RunSummary

NOTHING = "NOTHING"  # the status of a rerun that has nothing to run
CHECKED = "CHECKED"  # the status of a dry run


@dataclass(frozen=True, slots=True)
class AwsRerun:
    """The execution of a rerun on AWS.

    Attributes:
        uri: The run's URI.
        execution_arn: The ARN of the execution.
        started: Whether this call started it.
    """

    uri: str
    execution_arn: str
    started: bool = False


@dataclass(frozen=True, slots=True)
class RerunOutcome:
    """The outcome of a rerun.

    Attributes:
        run: The folder of the run, or its name on AWS.
        status: The status of the execution, `CHECKED` or `NOTHING`.
        chosen: The samples.
        message: Why there is nothing to run, where the status is `NOTHING`.
        aws: The execution, of a rerun on AWS that is not `NOTHING`.
        summary: The summary of the run, of a rerun in a folder that has ended.
    """

    run: str
    status: str
    chosen: ChosenSamples
    message: str | None = None
    aws: AwsRerun | None = None
    summary: RunSummary | None = None

    @property
    def failed(self) -> bool:
        """Return whether the execution ended without success."""
        return self.status in ("FAILED", "TIMED_OUT", "ABORTED")

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``rerun --json`` prints."""
        chosen = self.chosen.to_json()
        if self.summary is not None:
            return self.summary.to_json()
        if self.aws is not None:
            place = {"uri": self.aws.uri, "execution_arn": self.aws.execution_arn}
            return {"run": self.run, **place, **chosen, "status": self.status, "started": self.aws.started}
        message = {} if self.message is None else {"message": self.message}
        return {"run": self.run, "status": self.status, **message, **chosen}


def nothing_to_run(run: str, chosen: ChosenSamples) -> RerunOutcome:
    """Return the outcome where no sample is to be run again."""
    message = f"none of the {chosen.left_out} samples is as asked for" if chosen.left_out else "every sample succeeded"
    return RerunOutcome(run, NOTHING, chosen, message)
