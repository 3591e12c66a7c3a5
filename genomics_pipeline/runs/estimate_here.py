"""`plan --here`: how long a run takes on this machine, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.engine.tasks.admission import Admission
from genomics_pipeline.engine.tasks.shares import LeastMemory
from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.planning.human_genome import GRCH38
from genomics_pipeline.planning.local_machine import JobOverhead
from genomics_pipeline.planning.local_phases import LocalPhase
from genomics_pipeline.planning.local_plan import LocalPlan, PlannedMachine, expected_phases, make_local_plan
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
    refuse_options_of_aws(request, "--here")
    found, capacity = read_inputs_of(request, adapters, note)
    times = command_times(found.history)
    run = planned_work(request, found, _command_note(times))
    return make_local_plan(run, workload_of(run), _machine(found, capacity, times or UNMEASURED))


def expected_here(request: PlanRequest, adapters: Adapters, samples: Collection[str] = ()) -> list[LocalPhase]:
    """Return the phases of a run on this machine, whose jobs take the expected times.

    Nothing is simulated, so that this is quick for any number of samples.

    Args:
        request: The arguments.
        adapters: See `estimate_here`.
        samples: The samples of the sheet that run; none for all.

    Raises:
        UsageError: see `estimate_here`.
        DataError: see `estimate_here`.
        RunError: see `estimate_here`.
    """
    found, capacity = read_inputs_of(request, adapters, lambda _: None, samples)
    run = planned_work(request, found)
    return expected_phases(run, workload_of(run), least_memory_of(found, capacity))


def read_inputs_of(
    request: PlanRequest,
    adapters: Adapters,
    note: Callable[[str], None],
    samples: Collection[str] = (),
    *,
    on_this_machine: bool = True,
) -> tuple[PlanInputs, Capacity]:
    """Return the inputs of a plan for machines of one's own, and what jobs may use of them; see `estimate_here`.

    Args:
        request: The arguments.
        adapters: See `estimate_here`.
        note: Shows a line of progress.
        samples: The samples of the sheet to plan for; all where none is named.
        on_this_machine: See `read_inputs`.
    """
    checked = check_request(request)
    if samples:
        chosen = [one for one in checked.planned.samples if one.sample in samples]
        checked = replace(checked, planned=replace(checked.planned, samples=chosen))
    capacity = adapters.capacity()
    if request.reference is not None:
        obstacle = local_obstacle(request.reference, adapters.store, adapters, capacity, note)
        checked = replace(checked, planned=choose_indexes(checked.planned, obstacle, note))
    found = read_inputs(request, checked, adapters, note, on_this_machine=on_this_machine, on_aws=False)
    return found, capacity


def planned_work(request: PlanRequest, found: PlanInputs, *notes: str) -> PlannedWork:
    """Return the run to plan.

    Args:
        request: The arguments.
        found: The inputs.
        notes: What is assumed of the machines, for people.
    """
    return PlannedWork(
        pipeline=found.planned.stages_that_run,
        document=generate(found.planned.pipeline),
        execution_input=found.execution_input(request),
        cohort=found.cohort,
        model=found.model,
        notes=(*sources(request, found), *notes, *input_notes(request, found)),
    )


def workload_of(run: PlannedWork) -> Workload:
    """Return the tasks of a run."""
    return workload(run.pipeline, run.document, run.cohort, run.model, run.execution_input.parts)


def refuse_options_of_aws(request: PlanRequest, option: str, *also: str) -> None:
    """Refuse options that say nothing of a run on machines of one's own.

    Args:
        request: The arguments.
        option: The option that asks for such a plan.
        also: Options that say something there.

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
    if wrong := [name for name, is_given in given.items() if is_given and name not in also]:
        raise UsageError([Problem(f"{name}: expected a run on AWS, found {option}; leave one out") for name in wrong])


def least_memory_of(found: PlanInputs, capacity: Capacity | None = None) -> dict[str, LeastMemory]:
    """Return the memory that a job of each stage needs at least, by its cores.

    Args:
        found: The inputs.
        capacity: A machine that must have it; None for none.

    Raises:
        RunError: for a machine that is too small for one.
    """
    planned, reference = found.planned, found.reference
    steps = stage_steps(planned.stages_that_run, planned.steps, planned.overrides)
    size_of = partial(estimated_size, GRCH38) if reference is None else partial(reference_size, reference)
    if capacity is not None:
        refuse_too_small(steps, size_of, capacity)
    return {stage: least_by_cores(folder.spec, size_of) for stage, folder in steps.items()}


def _machine(found: PlanInputs, capacity: Capacity, times: CommandTimes) -> PlannedMachine:
    return PlannedMachine(
        partial(Admission, capacity.cores, capacity.memory_mib, capacity.jobs),
        least_memory_of(found, capacity),
        times.outside_s,
        JobOverhead(end=times.between_s),
        f"this machine: {capacity}",
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
