"""`plan --here`: how long a run takes on this machine, before it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.planning.human_genome import GRCH38
from genomics_pipeline.planning.local_plan import LocalPlan, PlannedMachine, make_local_plan
from genomics_pipeline.planning.planned_run import PlannedWork
from genomics_pipeline.planning.workload import Workload, workload
from genomics_pipeline.prices.load import SHIPPED_REGION
from genomics_pipeline.reference.size import estimated_size, reference_size
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.command_times import CommandTimes, command_times
from genomics_pipeline.runs.local.fit import least_by_cores, refuse_too_small
from genomics_pipeline.runs.plan_inputs import (
    PlanInputs,
    check_request,
    input_notes,
    read_inputs,
    sources,
)
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.reference_indexes import choose_indexes, local_obstacle, stage_steps
from genomics_pipeline.worker.machine import Capacity

UNMEASURED = CommandTimes(0.0, 0.0)


def estimate_here(request: PlanRequest, adapters: Adapters, note: Callable[[str], None]) -> LocalPlan:
    """Return the plan of a run on this machine.

    Args:
        request: The arguments.
        adapters: The store that reads files, the cache for references, and what jobs may use of this machine.
        note: Shows a line of progress.

    Raises:
        UsageError: for arguments that do not fit together.
        DataError: for files that cannot be used, with all problems, and for what cannot be planned.
        RunError: for a machine that is too small.
    """
    _refuse_options_of_aws(request)
    found, capacity = _read(request, adapters, note)
    times = command_times(found.history)
    machine = _machine(found, capacity, times or UNMEASURED)
    run = _planned_work(request, found)
    notes = (
        *sources(request, found),
        _command_note(times),
        *input_notes(request, found),
    )
    return make_local_plan(replace(run, notes=notes), _workload(run), machine)


def expected_work(request: PlanRequest, adapters: Adapters) -> Workload:
    """Return the tasks of a run on this machine with their expected durations, on the cores that their steps declare.

    Nothing is simulated, so that this is quick for any number of samples.

    Args:
        request: The arguments.
        adapters: See `estimate_here`.

    Raises:
        UsageError: see `estimate_here`.
        DataError: see `estimate_here`.
        RunError: see `estimate_here`.
    """
    found, _ = _read(request, adapters, lambda _: None)
    return _workload(_planned_work(request, found))


def _read(request: PlanRequest, adapters: Adapters, note: Callable[[str], None]) -> tuple[PlanInputs, Capacity]:
    checked = check_request(request)
    capacity = adapters.capacity()
    if request.reference is not None:
        obstacle = local_obstacle(request.reference, adapters.store, adapters, capacity, note)
        checked = replace(checked, planned=choose_indexes(checked.planned, obstacle, note))
    return read_inputs(request, checked, adapters, note), capacity


def _planned_work(request: PlanRequest, found: PlanInputs) -> PlannedWork:
    return PlannedWork(
        pipeline=found.planned.stages_that_run,
        document=generate(found.planned.pipeline),
        execution_input=found.execution_input(request),
        cohort=found.cohort,
        model=found.model,
    )


def _workload(run: PlannedWork) -> Workload:
    return workload(run.pipeline, run.document, run.cohort, run.model, run.execution_input.parts)


def _refuse_options_of_aws(request: PlanRequest) -> None:
    """Refuse options that say nothing of a run on this machine.

    Raises:
        UsageError: with all of them.
    """
    given = {
        "--max-vcpus": request.max_vcpus is not None,
        "--quota": bool(request.quotas),
        "--max-concurrency": request.max_concurrency is not None,
        "--map-runs": request.map_runs is not None,
        "--max-failures": request.most_failures is not None,
        "--inject": request.inject is not None,
        "--arriving-days": request.arriving_days is not None,
        "--rate": bool(request.rates),
        "--what-if": bool(request.what_if),
        "--architecture": request.architecture is not DEFAULT_ARCHITECTURE,
        "--region": request.region != SHIPPED_REGION,
    }
    if wrong := [option for option, is_given in given.items() if is_given]:
        raise UsageError([Problem(f"{option}: expected a run on AWS, found --here; leave one out") for option in wrong])


def _machine(found: PlanInputs, capacity: Capacity, times: CommandTimes) -> PlannedMachine:
    """Return this machine, after a check that every step fits on it."""
    planned, reference = found.planned, found.reference
    steps = stage_steps(planned.stages_that_run, planned.steps, planned.overrides)
    size_of = partial(estimated_size, GRCH38) if reference is None else partial(reference_size, reference)
    refuse_too_small(steps, size_of, capacity)
    return PlannedMachine(
        capacity.cores,
        capacity.memory_mib,
        capacity.jobs,
        {stage: least_by_cores(folder.spec, size_of) for stage, folder in steps.items()},
        times.outside_s,
        times.between_s,
        str(capacity),
    )


def _command_note(times: CommandTimes | None) -> str:
    if times is None:
        return (
            "the command itself, before its first job and after its last one: not known; a pilot on this machine tells"
        )
    return (
        f"the command itself: {times.outside_s:.1f} s before its first job and after its last one, and "
        f"{times.between_s:.2f} s between two jobs, as of those earlier runs on this machine that ran every task"
    )
