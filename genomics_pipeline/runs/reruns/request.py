"""The request for a rerun: another execution of a run, over the samples that failed or never started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.rerun import StageMemory, memory_by_stage
from genomics_pipeline.runs.reruns.choice import SampleFilter


@dataclass(frozen=True, slots=True)
class RerunRequest:
    """The arguments of a rerun.

    Attributes:
        wanted: The samples to run.
        memory: The first memory of stages' jobs.
        parameters: ``STAGE.NAME=VALUE`` overrides.
        tolerated: How many of the run's samples may fail, ``percentage`` and ``count``; None: as the run has it.
        dry_run: Choose and check; write and start nothing.
    """

    wanted: SampleFilter = field(default_factory=SampleFilter)
    memory: Sequence[StageMemory] = ()
    parameters: Sequence[str] = ()
    tolerated: Mapping[str, float] | None = None
    dry_run: bool = False

    @property
    def is_plain(self) -> bool:
        """Return whether the rerun takes all samples, and changes nothing of the run."""
        return self.wanted.all and not (self.memory or self.parameters or self.tolerated)


@dataclass(frozen=True, slots=True)
class RerunChanges:
    """The difference between the inputs of a run and of its rerun.

    Attributes:
        memory_mib: The first memory of jobs by stage.
        parameters: Overrides by stage.
        tolerated: ``percentage`` and ``count``; None where they stay.
    """

    memory_mib: Mapping[str, int]
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float] | None


def changes(request: RerunRequest, pipeline: Pipeline) -> RerunChanges:
    """Return the changes that a request means for a pipeline.

    Raises:
        UsageError: for a stage or parameter that the pipeline does not have, or a value that does not fit.
    """
    return RerunChanges(
        memory_by_stage(request.memory, pipeline),
        parse_assignments(request.parameters, pipeline, str(Path.cwd())),
        request.tolerated,
    )
