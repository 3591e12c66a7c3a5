"""The request for a rerun, and the changes that it makes to the input of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.rerun import StageMemory, memory_by_stage
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.catalog import with_real_parents


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """A filter of the samples that failed or never started.

    Attributes:
        classes: Failure classes, or ``pending``; all where none is named.
        samples: Names of samples; all where none is named.
    """

    classes: Sequence[str] = ()
    samples: Sequence[str] = ()

    @property
    def all(self) -> bool:
        """Return whether no sample is filtered out."""
        return not (self.classes or self.samples)


@dataclass(frozen=True, slots=True)
class RerunRequest:
    """The arguments of a rerun.

    Attributes:
        selection: The filter of the samples to run.
        memory: The initial memory of the jobs of stages.
        parameters: Overrides, ``STAGE.NAME=VALUE``.
        accepted: The greatest ``percentage`` and ``count`` of samples that the user accepts to miss; None for those
            that the user accepted for the run.
        dry_run: Whether to choose and check only, without writing or starting anything.
        after: The number of the execution in the folder before this rerun, of which a later one is this rerun, begun by
            a head that has ended; None for a rerun without such a head.
        slurm: The options of jobs on a cluster that differ from those of the run, by the attributes of `SlurmOptions`.
    """

    selection: SampleFilter = field(default_factory=SampleFilter)
    memory: Sequence[StageMemory] = ()
    parameters: Sequence[str] = ()
    accepted: Mapping[str, float] | None = None
    dry_run: bool = False
    after: int | None = None
    slurm: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Return whether the rerun takes all samples, and changes nothing of the run."""
        return self.selection.all and not (self.memory or self.parameters or self.accepted)


@dataclass(frozen=True, slots=True)
class RerunChanges:
    """The difference between the inputs of a run and of its rerun.

    Attributes:
        memory_mib: The initial memory of jobs in MiB, by stage.
        parameters: Overrides by stage and name.
        accepted: The greatest ``percentage`` and ``count`` of samples that may be missing; None for no change.
    """

    memory_mib: Mapping[str, int]
    parameters: Mapping[str, Mapping[str, Value]]
    accepted: Mapping[str, float] | None


def with_changes(options: SlurmOptions | None, changes: Mapping[str, Any]) -> SlurmOptions | None:
    """Return the options of jobs on a cluster of a run with the changes of a rerun; None for no cluster.

    Args:
        options: Those of the run; None for a run on this machine.
        changes: See `RerunRequest`.

    Raises:
        UsageError: for changes of a run on this machine, or wrong ones.
    """
    if options is None and changes:
        raise UsageError("--slurm-…: expected a run whose jobs are on a cluster, `run --slurm`; this one is not")
    if options is None or not changes:
        return options
    changed = replace(options, **changes)
    changed.refuse_wrong()
    return changed


def changes(request: RerunRequest, pipeline: Pipeline) -> RerunChanges:
    """Return the changes that a request makes to the input of a run.

    Raises:
        UsageError: for a stage or parameter that the pipeline does not have, a value that does not fit, or a parameter
            that decides which stages run.
    """
    parameters = with_real_parents(parse_assignments(request.parameters, pipeline, str(Path.cwd())), pipeline)
    _refuse_other_stages(parameters, pipeline)
    return RerunChanges(memory_by_stage(request.memory, pipeline), parameters, request.accepted)


def _refuse_other_stages(parameters: Mapping[str, Mapping[str, Value]], pipeline: Pipeline) -> None:
    """Refuse parameters that decide which stages run: a rerun continues a run, whose stages are fixed.

    Raises:
        UsageError: for such parameters.
    """
    deciding = [
        f"{one.name}.{name}" for one in pipeline.stages for name in one.when if name in parameters.get(one.name, ())
    ]
    if deciding:
        raise UsageError(
            f"--param {deciding[0]}: expected a parameter that does not decide which stages run; start the run again "
            "with it instead of a rerun: in the same folder, finished steps are reused"
        )
