"""The indexes of the reference that the stages of a run need, and the choice of parameters that name one.

Each run has one value of such a parameter, for all samples: it is chosen before the first job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.parameters import ParameterSpec, Value
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.step import index_parameters, with_indexes
from genomics_pipeline.reference.alternate_contigs import alt_file
from genomics_pipeline.reference.copies import find_index
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.reference.size import reference_size
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.step_folder import StepFolder

Overrides = Mapping[str, Mapping[str, Value]]
Obstacle = Callable[[Stage, IndexKind], str | None]


def stage_steps(pipeline: Pipeline, steps: Mapping[str, StepFolder], overrides: Overrides) -> dict[str, StepFolder]:
    """Return the step of each stage, by the stage's name, with the indexes that its parameters name.

    Args:
        pipeline: The pipeline.
        steps: The folders of its steps by name.
        overrides: The overridden parameters by stage and name.
    """
    return {
        stage.name: replace(steps[stage.step.name], spec=with_indexes(stage.step, _given(pipeline, stage, overrides)))
        for stage in pipeline.stages
    }


def choose_indexes(planned: RunInputs, obstacle: Obstacle, note: Callable[[str], None]) -> RunInputs:
    """Return a plan whose parameters name indexes that can be used.

    A parameter that neither the pipeline nor the user gives is its default, or else the first of its choices that has
    no obstacle; that is said, and becomes part of the run's parameters.

    Args:
        planned: The plan.
        obstacle: Returns why a stage cannot use a kind of index; None if it can.
        note: Shows a line of progress.

    Raises:
        DataError: if what the pipeline or the user chose cannot be used.
    """
    chosen = {stage: dict(values) for stage, values in planned.overrides.items()}
    for stage in planned.pipeline.stages:
        given = _given(planned.pipeline, stage, planned.overrides)
        for spec in index_parameters(stage.step):
            value = given.get(spec.name) or spec.default
            reason = obstacle(stage, INDEX_KINDS[str(value)])
            if reason is None:
                continue
            name = f"{stage.name}.{spec.name}"
            other = _usable(stage, spec, obstacle)
            if given.get(spec.name) is not None:
                advice = "" if other is None else f"; leave it out, or --param {name}={other}"
                raise DataError(Problem(f"{name}={value} cannot be used: {reason}{advice}"))
            if other is not None:  # else the preparation of the reference refuses it
                note(f"{name}={other} instead of {value}: {reason}")
                chosen.setdefault(stage.name, {})[spec.name] = other
    return replace(planned, overrides=chosen)


def _usable(stage: Stage, spec: ParameterSpec, obstacle: Obstacle) -> Value:
    return next((value for value in spec.choices or () if obstacle(stage, INDEX_KINDS[str(value)]) is None), None)


def _given(pipeline: Pipeline, stage: Stage, overrides: Overrides) -> dict[str, Value]:
    return {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}


def local_obstacle(
    reference: str, store: Store, adapters: Adapters, capacity: Capacity | None, note: Callable[[str], None]
) -> Obstacle:
    """Return the obstacles to the indexes of a reference that are built on this machine, where they are missing.

    Args:
        reference: The path or URI of the FASTA file.
        store: The store that reads it.
        adapters: The cache.
        capacity: What this machine has for jobs; None where the jobs run elsewhere.
        note: Shows a line of progress.
    """
    info = stat_given(reference, store)
    fasta = prepare(reference, [], store, adapters.cache, note)
    memory = (capacity or adapters.capacity()).memory_mib

    def obstacle(stage: Stage, kind: IndexKind) -> str | None:
        if kind.library is not None and find_spec(kind.library) is None:
            return f"the package {kind.library} is not installed, which has no wheel for every platform"
        if message := alternate_contigs_obstacle(kind, Path(alt_file(str(fasta))).is_file()):
            return message
        present = all(file.is_file() for file in kind.files(fasta)) or bool(find_index(info, kind, store))
        needed = kind.rate.memory_mib(fasta.stat().st_size)
        if not present and needed > memory:
            advice = f"build them where there is more ({kind.advice(reference)}), and place them beside the file"
            return f"to build its index takes about {needed:,} MiB of memory, found {memory:,} MiB; {advice}"
        declared = stage.step.local_memory
        if capacity is not None and declared is not None:
            least = declared.least_mib(1, reference_size(fasta, [kind.name]))
            if least > memory:
                return f"a job with its index needs {least:,} MiB of memory, found {memory:,} MiB"
        return None

    return obstacle


def alternate_contigs_obstacle(kind: IndexKind, has_alt: bool) -> str | None:
    """Return why a kind of index cannot be used with a file of alternate contigs; None if it can.

    Args:
        kind: The kind of index.
        has_alt: There is such a file.
    """
    if has_alt and not kind.alternate_contigs:
        return "it does not take account of the alternate contigs that the .alt file beside the reference names"
    return None
