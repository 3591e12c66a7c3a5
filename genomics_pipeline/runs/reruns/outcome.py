"""The outcome of `rerun`: the samples that were chosen, and what became of the rerun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genomics_pipeline.runs.local.summary import RunSummary

NOTHING = "NOTHING"  # the status of a rerun that has nothing to run
CHECKED = "CHECKED"  # the status of a dry run


@dataclass(frozen=True, slots=True)
class ChosenSamples:
    """The samples that a rerun runs.

    Attributes:
        execution: The name of its execution.
        samples: How many samples it runs.
        by_class: How many of them failed with which class, or never started.
        first: The names of the first ones.
        left_out: How many samples failed or never started, and are not run.
        carried: A sample that succeeded and is run for an execution has to have one: see `choice.Choice.carry`.
    """

    execution: str
    samples: int
    by_class: Mapping[str, int]
    first: tuple[str, ...]
    left_out: int
    carried: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run.json`` of a rerun and ``rerun --json`` hold."""
        members = {**asdict(self), "first": list(self.first)}
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> ChosenSamples:
        """Return the samples that `to_json` wrote."""
        return cls(**{**members, "first": tuple(members["first"])})


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
