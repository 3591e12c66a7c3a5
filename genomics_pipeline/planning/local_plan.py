"""The plan of a run on machines of one's own: its duration and core-hours, whatever AWS's prices and quotas are."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.tasks.shares import JobNeeds, LeastMemory
from genomics_pipeline.planning.cluster_figures import ClusterFigures
from genomics_pipeline.planning.counting import Counts
from genomics_pipeline.planning.draws import DrawnStage, FailureRates
from genomics_pipeline.planning.local_machine import JobOverhead, JobRoom, LocalTrace, simulate_jobs
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from genomics_pipeline.planning.plan import count_execution, draw_stages, simulated_durations
from genomics_pipeline.planning.planned_run import PlannedWork
from genomics_pipeline.planning.resource_model import STEP_DEVIATION, Quantiles, ResourceModel
from genomics_pipeline.planning.workload import StageWork, TaskGroup, Workload

_HOUR_S = 3600
NO_FAILURES = FailureRates(host_lost=0.0)


@dataclass(frozen=True, slots=True)
class PlannedMachine:
    """The machine of a planned run, or the nodes of a cluster.

    Attributes:
        room: Returns the cores and the memory for jobs, all of them free.
        least_mib: The memory that a job of a stage needs at least, by its cores.
        command_s: The time of the command before its first job and after its last one.
        overhead: The times around each job.
        words: The machine, for people.
        rules: By which its jobs start, for people.
    """

    room: Callable[[], JobRoom[Any]]
    least_mib: Mapping[str, LeastMemory]
    command_s: float
    overhead: JobOverhead
    words: str
    rules: str = "the rules of the local runner"


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
    """The plan of a run on machines of one's own.

    Attributes:
        pipeline: The pipeline's name.
        samples: The number of samples.
        intervals: The number of intervals.
        machine: The machine, for people.
        rules: The rules by which its jobs start, for people.
        counts: The counts of its execution.
        duration_s: The duration of the command in seconds.
        command_s: The part of it before the first job and after the last one.
        timeline: The stages.
        assumptions: What the figures rest on.
        cluster: The part that only a run on a cluster has; None on this machine.
    """

    pipeline: str
    samples: int
    intervals: int
    machine: str
    rules: str
    counts: Counts
    duration_s: Quantiles
    command_s: float
    timeline: Sequence[LocalStageLine]
    assumptions: Sequence[str]
    cluster: ClusterFigures | None = None

    @property
    def core_hours(self) -> float:
        """The core-hours of all jobs together."""
        return sum(one.core_hours for one in self.timeline)


def make_local_plan(
    run: PlannedWork,
    work: Workload,
    machine: PlannedMachine,
    of_cluster: Callable[[LocalTrace], ClusterFigures] | None = None,
) -> LocalPlan:
    """Return the plan of a run on machines of one's own.

    Jobs do not fail in it: no host is lost, and the local runner limits the memory of jobs by what they declare only in
    containers.

    Args:
        run: The run.
        work: Its tasks.
        machine: The machine.
        of_cluster: Returns what a cluster adds to the plan, from the simulated execution; None on this machine.
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
        machine.rules,
        count_execution(run, work, {name: _without_failures(one) for name, one in drawn.items()}),
        Quantiles(*(machine.command_s + each for each in spread)),
        machine.command_s,
        list(_timeline(work, trace, machine)),
        tuple(run.notes),
        None if of_cluster is None else of_cluster(trace),
    )


def _without_failures(drawn: DrawnStage) -> DrawnStage:
    return DrawnStage(drawn.seconds, {})


def _simulate(run: PlannedWork, work: Workload, drawn: Mapping[str, DrawnStage], machine: PlannedMachine) -> LocalTrace:
    phases = local_phases(run, work, {name: one.seconds.tolist() for name, one in drawn.items()}, machine.least_mib)
    return simulate_jobs(phases, machine.room(), machine.overhead)


def expected_phases(run: PlannedWork, work: Workload, least_mib: Mapping[str, LeastMemory]) -> list[LocalPhase]:
    """Return the phases of a run, whose jobs take the expected times.

    Args:
        run: The run.
        work: Its tasks.
        least_mib: The memory that a job of a stage needs at least, by its cores.
    """
    seconds = {}
    for one in work.stages:
        tasks = seconds[one.stage.name] = array("d", bytes(8 * one.tasks))
        for group in one.groups:
            for task, items in zip(group.tasks, group.items, strict=True):
                tasks[task] = items * group.estimate.seconds.p50
    return local_phases(run, work, seconds, least_mib)


def local_phases(
    run: PlannedWork,
    work: Workload,
    seconds: Mapping[str, Sequence[float]],
    least_mib: Mapping[str, LeastMemory],
) -> list[LocalPhase]:
    """Return the phases of a run.

    Args:
        run: The run.
        work: Its tasks.
        seconds: The duration of each job of a stage on the cores that its step declares.
        least_mib: The memory that a job of a stage needs at least, by its cores.
    """
    phases = []
    for label, stages in work.phases:
        is_map = stages[0].label is not None
        phases.append(
            LocalPhase(
                label,
                [_local_stage(one, seconds[one.stage.name], run.model, least_mib[one.stage.name]) for one in stages],
                len(work.batches[label]) if is_map else 1,
                run.execution_input.max_concurrency or (work.settings[label].max_concurrency if is_map else 1),
            )
        )
    return phases


def _local_stage(one: StageWork, seconds: Sequence[float], model: ResourceModel, least_mib: LeastMemory) -> LocalStage:
    """Return a stage whose jobs take their durations, converted to the cores that they get."""
    step = one.stage.step
    group_of: dict[int, TaskGroup] = {task: group for group in one.groups for task in group.tasks}
    known: dict[tuple[int, int], float] = {}

    def duration(child: int, vcpus: int) -> float:
        group = group_of[child]
        key = id(group), vcpus
        if key not in known:
            features = group.features.on(vcpus)
            known[key] = model.estimate(step.name, features).seconds.p50 / max(group.estimate.seconds.p50, 1e-9)
        return float(seconds[child]) * known[key]

    needs = JobNeeds(step.resources.vcpus, step.resources.memory_mib, least_mib)
    deviation = max((group.estimate.deviation for group in one.groups), default=STEP_DEVIATION)
    return LocalStage(one.stage.name, needs, duration, deviation)


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
