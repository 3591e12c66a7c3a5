"""The plan of a run on this machine: its duration and core-hours, which no prices or quotas decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.admission import LeastMemory
from genomics_pipeline.planning.counting import Counts
from genomics_pipeline.planning.draws import DrawnStage, FailureRates
from genomics_pipeline.planning.local_machine import LocalPhase, LocalStage, LocalTrace, simulate_here
from genomics_pipeline.planning.plan import count_execution, draw_stages, simulated_durations
from genomics_pipeline.planning.planned_run import PlannedWork
from genomics_pipeline.planning.resource_model import Quantiles, ResourceModel
from genomics_pipeline.planning.workload import StageWork, TaskGroup, Workload

_HOUR_S = 3600
NO_FAILURES = FailureRates(host_lost=0.0)


@dataclass(frozen=True, slots=True)
class PlannedMachine:
    """The machine of a planned run.

    Attributes:
        cores: The cores for jobs.
        memory_mib: The memory for jobs.
        jobs: The most jobs at a time; None for as many as fit.
        least_mib: The memory that a job of a stage needs at least, by its cores.
        command_s: The time of the command before its first job and after its last one.
        between_s: The time from the end of a job to the start of the next one on its cores.
        words: The machine, for people.
    """

    cores: int
    memory_mib: int
    jobs: int | None
    least_mib: Mapping[str, LeastMemory]
    command_s: float
    between_s: float
    words: str


@dataclass(frozen=True, slots=True)
class LocalStageLine:
    """A stage on the timeline of the median run.

    Attributes:
        stage: The stage.
        first_s: The start of its first job, in seconds since the start of the command.
        last_s: The end of its last job, likewise.
        jobs: The number of jobs.
        job_s: The mean duration of one.
        waited_s: The mean time that one waits for cores.
        core_hours: The durations of all jobs times their cores.
        input_bytes: The size of all inputs.
        output_bytes: The size of all outputs.
        basis: What its estimates rest on.
    """

    stage: str
    first_s: float
    last_s: float
    jobs: int
    job_s: float
    waited_s: float
    core_hours: float
    input_bytes: float
    output_bytes: float
    basis: str


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """The plan of a run on this machine.

    Attributes:
        pipeline: The pipeline's name.
        samples: The number of samples.
        intervals: The number of intervals.
        machine: The machine, for people.
        counts: The counts of its execution.
        duration_s: The duration of the command in seconds.
        command_s: The part of it before the first job and after the last one.
        timeline: The stages.
        assumptions: What the figures rest on.
    """

    pipeline: str
    samples: int
    intervals: int
    machine: str
    counts: Counts
    duration_s: Quantiles
    command_s: float
    timeline: Sequence[LocalStageLine]
    assumptions: Sequence[str]

    @property
    def core_hours(self) -> float:
        """The core-hours of all jobs together."""
        return sum(one.core_hours for one in self.timeline)


def make_local_plan(run: PlannedWork, work: Workload, machine: PlannedMachine) -> LocalPlan:
    """Return the plan of a run on a machine.

    Jobs do not fail in it: no host is lost, and the local runner limits the memory of jobs by what they declare only in
    containers.

    Args:
        run: The run.
        work: Its tasks.
        machine: The machine.
    """
    drawn = draw_stages(work, NO_FAILURES, 0.5, 0)
    trace = _simulate(run, work, drawn, machine)

    def seconds(drawn: Mapping[str, DrawnStage], _: int) -> float:
        return _simulate(run, work, drawn, machine).seconds

    low, middle, high = simulated_durations(work, NO_FAILURES, seconds, trace.seconds)
    spread = (trace.seconds * each / middle if middle else 0.0 for each in (low, middle, high))
    return LocalPlan(
        run.pipeline.name,
        run.cohort.samples,
        work.intervals,
        machine.words,
        count_execution(run, work, {name: _without_failures(one) for name, one in drawn.items()}),
        Quantiles(*(machine.command_s + each for each in spread)),
        machine.command_s,
        list(_timeline(work, trace, machine)),
        tuple(run.notes),
    )


def _without_failures(drawn: DrawnStage) -> DrawnStage:
    return DrawnStage(drawn.seconds, {})


def _simulate(run: PlannedWork, work: Workload, drawn: Mapping[str, DrawnStage], machine: PlannedMachine) -> LocalTrace:
    phases = []
    for label, stages in work.phases:
        is_map = stages[0].label is not None
        phases.append(
            LocalPhase(
                [_local_stage(one, drawn[one.stage.name], run.model, machine) for one in stages],
                len(work.batches[label]) if is_map else 1,
                run.execution_input.max_concurrency or (work.settings[label].max_concurrency if is_map else 1),
            )
        )
    return simulate_here(phases, machine.cores, machine.memory_mib, machine.jobs, machine.between_s)


def _local_stage(one: StageWork, drawn: DrawnStage, model: ResourceModel, machine: PlannedMachine) -> LocalStage:
    """Return a stage whose jobs take their drawn durations, converted to the cores that they get."""
    step = one.stage.step
    group_of: dict[int, TaskGroup] = {task: group for group in one.groups for task in group.tasks}
    known: dict[tuple[int, int], float] = {}

    def seconds(child: int, vcpus: int) -> float:
        group = group_of[child]
        key = id(group), vcpus
        if key not in known:
            features = group.features.on(vcpus)
            known[key] = model.estimate(step.name, features).seconds.p50 / max(group.estimate.seconds.p50, 1e-9)
        return float(drawn.seconds[child]) * known[key]

    resources = step.resources
    return LocalStage(one.stage.name, resources.vcpus, resources.memory_mib, machine.least_mib[one.stage.name], seconds)


def _timeline(work: Workload, trace: LocalTrace, machine: PlannedMachine) -> Sequence[LocalStageLine]:
    lines = []
    for one in work.stages:
        times = trace.stages.get(one.stage.name)
        if times is None:
            continue
        lines.append(
            LocalStageLine(
                one.stage.name,
                machine.command_s + times.first,
                machine.command_s + times.last,
                times.jobs,
                times.running_s / times.jobs,
                times.waited_s / times.jobs,
                times.core_s / _HOUR_S,
                one.input_bytes,
                one.output_bytes,
                one.groups[0].estimate.basis,
            )
        )
    return lines
