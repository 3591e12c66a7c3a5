"""The outcome of a rerun: the chosen samples and the state of its execution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.report.record_summary import RecordSummary
from genomics_pipeline.report.run_summary import RunSummary

NOTHING = "NOTHING"  # the status of a rerun without samples to run


@dataclass(frozen=True, slots=True)
class AwsRerun:
    """The execution of a rerun on AWS.

    Attributes:
        uri: The URI of the run.
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
        message: The reason why there is nothing to run; None unless the status is `NOTHING`.
        aws: The execution on AWS; None in a folder, and where the status is `NOTHING`.
        summary: The summary of the run after a rerun in a folder; None otherwise.
        accepted: Whether the user accepts the samples that are missing although there is nothing to run.
        records: The summary of a run over records after a rerun in a folder; None otherwise.
        kind: The kind of what is chosen: sample or record.
    """

    run: str
    status: str
    chosen: ChosenSamples
    message: str | None = None
    aws: AwsRerun | None = None
    summary: RunSummary | None = None
    accepted: bool = True
    records: RecordSummary | None = None
    kind: str = "sample"

    @property
    def failed(self) -> bool:
        """Return whether the execution ended without success, or without samples that the user needs."""
        if self.records is not None:
            return not self.records.is_accepted
        if self.summary is not None:
            return not self.summary.is_accepted
        return self.status in ("FAILED", "TIMED_OUT", "ABORTED") or not self.accepted

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``rerun --json`` prints."""
        chosen = self.chosen.to_json()
        if self.records is not None:
            return self.records.to_json()
        if self.summary is not None:
            return self.summary.to_json()
        if self.aws is not None:
            place = {"uri": self.aws.uri, "execution_arn": self.aws.execution_arn}
            return {"run": self.run, **place, **chosen, "status": self.status, "started": self.aws.started}
        message = {} if self.message is None else {"message": self.message}
        return {"run": self.run, "status": self.status, **message, **chosen}


def nothing_to_run(run: str, chosen: ChosenSamples, accepted: bool, kind: str = "sample") -> RerunOutcome:
    """Return the outcome of a rerun without samples, or records, to run.

    Args:
        run: The folder of the run, or its name on AWS.
        chosen: The samples, of which there are none.
        accepted: Whether the user accepts the samples that are missing.
        kind: The kind of what is chosen.
    """
    message = f"every {kind} succeeded"
    if chosen.left_out:
        message = f"not selected: {quantity(chosen.left_out, kind)} that failed or never started"
    return RerunOutcome(run, NOTHING, chosen, message, accepted=accepted, kind=kind)
