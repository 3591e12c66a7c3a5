"""Run again what failed: another execution of a run, in its place, over the samples that failed or never began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.parameters import Value, parse_assignments
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.rerun import merge_parameters, parse_memory, remaining_tolerance
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import parse_tolerance
from genomics_pipeline.runs.reruns.choice import Choice, SampleFilter

NOTHING = "NOTHING"  # the status of a rerun that has nothing to run
CHECKED = "CHECKED"  # of a dry run


@dataclass(frozen=True, slots=True)
class RerunRequest:
    """What a user asks to be run again.

    Attributes:
        wanted: Which samples.
        memory: ``[STAGE=]MIB``.
        parameters: ``STAGE.NAME=VALUE``.
        tolerate: How many of the run's samples may fail, as `parse_tolerance` has it; None: as the run has it.
        dry_run: Tell what would run, write nothing.
    """

    wanted: SampleFilter = field(default_factory=SampleFilter)
    memory: Sequence[str] = ()
    parameters: Sequence[str] = ()
    tolerate: str | None = None
    dry_run: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing in particular."""
        return self.wanted.all and not (self.memory or self.parameters or self.tolerate)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a rerun changes.

    Attributes:
        memory_mib: By stage.
        parameters: By stage.
        tolerated: Both limits; None where they stay.
    """

    memory_mib: Mapping[str, int]
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float] | None


def changes(request: RerunRequest, pipeline: Pipeline) -> Changes:
    """What the options of a request mean.

    Raises:
        UsageError: for a stage or parameter that the pipeline does not have, or a value that does not fit.
    """
    return Changes(
        parse_memory(request.memory, pipeline),
        parse_assignments(request.parameters, pipeline, str(Path.cwd())),
        parse_tolerance(request.tolerate) if request.tolerate else None,
    )


def execution_input(
    own: Mapping[str, Any], manifest: str, samples: int, left_out: int, changed: Changes, choice: Choice
) -> ExecutionInput:
    """The run's own input with what a rerun changes.

    Args:
        own: The run's ``input.json``.
        manifest: Key of the samples' file that the rerun reads.
        samples: How many the run has.
        left_out: How many failed that the rerun leaves out.
        changed: What its options change.
        choice: What is chosen of the run.
    """
    return ExecutionInput(
        place=RunPlace(**own["run"]),
        reference=own["reference"],
        parameters=merge_parameters(own["parameters"], changed.parameters),
        tolerated=remaining_tolerance(changed.tolerated or own["tolerated"], samples, left_out),
        manifest=manifest,
        memory_mib=changed.memory_mib,
        earlier={} if choice.is_whole else choice.earlier,
    )


def refuse_wanted(wanted: SampleFilter, choice: Choice) -> None:
    """Refuse what cannot be chosen in a run.

    Raises:
        UsageError: for a sample that it does not have, or where it has to run all samples again.
    """
    choice.refuse_unknown(wanted.samples)
    if choice.is_whole and not wanted.all:
        raise UsageError(
            "--class and --sample: expected a pipeline with one map over samples; a later one reads what was made of "
            "all samples, so that all are looked at again"
        )


def nothing(run: str, choice: Mapping[str, Any], succeeded: bool) -> dict[str, Any]:
    """The answer where no sample is to be run again.

    Args:
        run: The run.
        choice: See `rerun_choice.told`.
        succeeded: Whether all that failed was looked at.
    """
    message = "every sample succeeded" if succeeded else f"none of the {choice['left_out']} samples is as asked for"
    return {"run": run, "status": NOTHING, "message": message, **choice}
