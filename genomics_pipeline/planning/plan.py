"""The plan of a run: what its definition will do, need and cost, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from genomics_pipeline.asl.generate import DEFAULT_NAMES
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.tolerance import tolerated_samples
from genomics_pipeline.planning.costs import CostLine, cost_lines
from genomics_pipeline.planning.counting import Counts, MapLoad, RunLoad, count
from genomics_pipeline.planning.discrete_events import Phase, StageLoad, Trace, simulate
from genomics_pipeline.planning.draws import DrawnStage, FailureRates, draw
from genomics_pipeline.planning.limits import (
    FirstLimit,
    Usage,
    concurrency_usages,
    first_limit,
    growing_usages,
    larger,
    measured_usages,
)
from genomics_pipeline.planning.planned_run import PlannedRun, PlannedWork
from genomics_pipeline.planning.requests import Requests, requests
from genomics_pipeline.planning.resource_model import Quantiles
from genomics_pipeline.planning.savings import PricedChange, savings
from genomics_pipeline.planning.scripts import ChildScript
from genomics_pipeline.planning.what_if import Comparison, compare
from genomics_pipeline.planning.workload import Workload, workload
from genomics_pipeline.planning.year_of_storage import year_of_storage

EVENTS_OF_THROTTLING = 3  # TaskScheduled, TaskStarted, TaskSubmitFailed
SIMULATED = (
    5_000  # samples of which p10 and p90 in p50, and the hosts of other accounts, are simulated; of more, theirs
)
SEEDS = 3  # simulations for each quantile
TIMEOUT_SHARE = 0.99  # of a timeout, which longer jobs are counted with: the limit is shown as exceeded


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage on the timeline of the median run.

    Attributes:
        stage: The stage.
        first_s: The start of its first job, in seconds since the start of the execution.
        last_s: The end of its last job, likewise.
        jobs: The submitted jobs.
        attempts: Their attempts.
        job_s: The mean duration of an attempt.
        waited_s: The mean time that an attempt waited for hosts.
        input_bytes: The size of all inputs.
        output_bytes: The size of all outputs.
        basis: What its estimates rest on.
    """

    stage: str
    first_s: float
    last_s: float
    jobs: int
    attempts: int
    job_s: float
    waited_s: float
    input_bytes: float
    output_bytes: float
    basis: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run.

    Attributes:
        pipeline: The pipeline's name.
        region: The Region of the prices.
        samples: The number of samples.
        intervals: The number of intervals.
        counts: The counts of its execution, with throttled submissions.
        throttled: The submissions that SubmitJob refuses and the definition repeats.
        requests: The requests.
        usages: The uses of limits.
        first: The limit that a larger cohort would exceed first; None for none.
        duration_s: The duration in seconds.
        timeline: The stages.
        costs: The lines of the costs.
        storage_year: The line of a year of its outputs, which is not one of `costs`.
        assumptions: What the figures rest on.
        comparison: What other choices and the naive definition would cost.
        savings: The changes that would save most.
        stopped: Whether the simulated run failed because more items failed than are tolerated.
        tolerated: The samples that may fail before no new ones start.
        sample_s: Of samples that arrive over time, the time from arrival to end; None for one run of all.
    """

    pipeline: str
    region: str
    samples: int
    intervals: int
    counts: Counts
    throttled: int
    requests: Requests
    usages: Sequence[Usage]
    first: FirstLimit | None
    duration_s: Quantiles
    timeline: Sequence[StageLine]
    costs: Sequence[CostLine]
    storage_year: CostLine
    assumptions: Sequence[str]
    comparison: Comparison
    savings: Sequence[PricedChange] = ()
    stopped: bool = False
    tolerated: int = 0
    sample_s: Quantiles | None = None

    @property
    def jobs(self) -> int:
        """The number of submitted jobs."""
        return sum(self.counts.jobs.values())


def make_plan(run: PlannedRun, work: Workload, what_if: Sequence[str] = ()) -> Plan:
    """Return the plan of a run.

    Args:
        run: The run.
        work: Its tasks.
        what_if: The names of `what_if.SWITCHES` to price.

    Raises:
        UnknownPrice: for a price that is in no table.
    """
    drawn = draw_stages(work, run.rates, 0.5, 0)
    phases = _phases(work, drawn, run.execution_input, run.arrival_s)
    trace, first = simulate(phases, run.account, 0), list(map(_first_children, phases))
    del phases  # of a million samples, 60 MB
    counts = _with_throttling(count_execution(run, work, drawn), trace.throttled)
    asked = requests(work, counts, trace.throttled, trace.hosts, run.cohort.genome_bases)
    duration = _duration(run, work, trace)
    payload = run.cohort.sample_line_bytes * max((max(one) for one in work.batches.values() if one), default=1)
    usages = [
        *growing_usages(work, run.cohort),
        *(() if run.arrival_s else concurrency_usages(work, trace, run.execution_input.max_concurrency)),
        *measured_usages(work, counts, trace, run.account, payload + _input_bytes(run), run.volume_gib),
    ]
    return Plan(
        run.pipeline.name,
        run.prices.region,
        run.cohort.samples,
        work.intervals,
        counts,
        trace.throttled,
        asked,
        usages,
        _first(run) if run.cohort.samples else None,
        duration,
        _timeline(work, trace, counts),
        cost_lines(work, trace, asked, counts.transitions, run.account, run.volume_gib, run.prices),
        year_of_storage(work, run.prices),
        tuple(run.notes),
        compare(run, work, trace, counts, what_if),
        savings(run, work, trace, counts, lambda account: simulate(first, account, 0)),
        trace.stopped,
        tolerated_samples(run.execution_input.tolerated, run.cohort.samples),
        Quantiles(*np.quantile(trace.child_s, (0.1, 0.5, 0.9)).tolist()) if run.arrival_s else None,
    )


def _first_children(phase: Phase) -> Phase:
    """Return a phase of the first `SIMULATED` children."""
    scripts = {number: script for number, script in phase.scripts.items() if number < SIMULATED}
    stages = [replace(one, seconds=one.seconds[:SIMULATED]) for one in phase.stages]
    children, sizes = min(phase.children, SIMULATED), phase.sizes[:SIMULATED]
    return replace(phase, children=children, sizes=sizes, scripts=scripts, stages=stages, tolerated=math.inf)


def draw_stages(work: Workload, rates: FailureRates, quantile: float, seed: int) -> dict[str, DrawnStage]:
    """Return the drawn fate of the tasks of each stage; see `draws.draw`."""
    rng = np.random.default_rng(seed)
    return {one.stage.name: draw(one, rates, quantile, rng) for one in work.stages}


def simulated_durations(
    work: Workload,
    rates: FailureRates,
    seconds: Callable[[Mapping[str, DrawnStage], int], float],
    first_s: float | None = None,
) -> tuple[float, float, float]:
    """Return the quantiles p10, p50 and p90 of a duration, each the median of a few simulations.

    Args:
        work: The tasks.
        rates: How often they fail.
        seconds: Simulates drawn tasks, and returns their duration.
        first_s: The duration by the first seed of p50, where it was simulated before.
    """

    def at(quantile: float) -> float:
        known = [first_s] if quantile == 0.5 and first_s is not None else []
        seeds = range(len(known), SEEDS)
        return median([*known, *(seconds(draw_stages(work, rates, quantile, seed), seed) for seed in seeds)])

    return at(0.1), at(0.5), at(0.9)


def _phases(
    work: Workload, drawn: Mapping[str, DrawnStage], execution_input: ExecutionInput, arrival_s: float
) -> list[Phase]:
    """Return the phases of an execution: its Maps, and its cohort stages, in order.

    Args:
        work: Its tasks.
        drawn: Their durations and failures.
        execution_input: Its input.
        arrival_s: See `PlannedRun`.
    """
    phases = []
    for label, stages in work.phases:
        is_map = stages[0].label is not None
        loads = [
            StageLoad(
                one.stage.name,
                one.stage.step.resources.vcpus,
                len(one.stage.step.resources.memory_ladder),
                drawn[one.stage.name].seconds.tolist(),
                drawn[one.stage.name].refused,
            )
            for one in stages
        ]
        parts = work.map_runs[label] if is_map else 1
        most = (execution_input.max_concurrency or (work.settings[label].max_concurrency if is_map else 1)) * parts
        sizes = work.batches[label] if is_map else [1]
        scripts = _scripts([one.stage.name for one in stages], drawn)
        phase = Phase(label, loads, len(sizes), most, scripts, parts)
        if is_map:
            phase = replace(phase, sizes=sizes, tolerated=_tolerated(work, label, execution_input))
        if arrival_s:
            phase = replace(phase, max_concurrency=len(sizes), tolerated=math.inf, arrival_s=arrival_s)
        phases.append(phase)
    return phases


def _tolerated(work: Workload, label: str, execution_input: ExecutionInput) -> float:
    """Return the failed items that a Map tolerates, by the smaller of its two limits."""
    is_sample = work.scopes[label] == "sample"
    limits = execution_input.tolerated if is_sample else work.settings[label].tolerance()
    return min(limits["count"], sum(work.batches[label]) * limits["percentage"] / 100)


def _scripts(stages: Sequence[str], drawn: Mapping[str, DrawnStage]) -> dict[int, ChildScript]:
    """Return the scripts of children by index."""
    scripts: dict[int, dict[str, Any]] = {}
    for stage in stages:
        for index, script in drawn[stage].scripts.items():
            scripts.setdefault(index, {})[stage] = script
    return dict(sorted(scripts.items()))


def count_execution(run: PlannedWork, work: Workload, drawn: Mapping[str, DrawnStage]) -> Counts:
    """Return the counts of the execution, by executing its document."""
    maps = {}
    for label, sizes in work.batches.items():
        stages = [one.stage.name for one in work.stages if one.label == label]
        maps[label] = MapLoad(work.scopes[label], sizes, _scripts(stages, drawn))
    cohort = [one.stage.name for one in work.stages if one.label is None]
    scripts = _scripts(cohort, drawn).get(0, {})
    limits = {one.stage.name: one.stage.step.resources.timeout_s for one in work.stages}

    def seconds(stage: str) -> float:
        return min(float(np.median(drawn[stage].seconds)), limits[stage] * TIMEOUT_SHARE)

    steps = {one.stage.name: one.stage.step for one in work.stages}
    return count(RunLoad(run.document, DEFAULT_NAMES, run.execution_input, maps, scripts, seconds, steps))


def _with_throttling(counts: Counts, throttled: int) -> Counts:
    """Return counts with the retries of throttled submissions, each of which is a transition."""
    events = counts.events + throttled * EVENTS_OF_THROTTLING
    return replace(counts, transitions=counts.transitions + throttled, events=events)


def _duration(run: PlannedRun, work: Workload, trace: Trace) -> Quantiles:
    """Return the quantiles of the duration, the median of which is that of the simulated run.

    Tasks differ from each other, and all tasks of a step together from the model: the quantiles are those of the second
    kind, each the median of a few simulations.
    """
    cohort = run.cohort
    if cohort.samples > SIMULATED:
        cohort = replace(cohort, sample_bytes=cohort.sample_bytes[:SIMULATED])
        work = workload(run.pipeline, run.document, cohort, run.model, run.execution_input.parts)

    def seconds(drawn: Mapping[str, DrawnStage], seed: int) -> float:
        return simulate(_phases(work, drawn, run.execution_input, run.arrival_s), run.account, seed).seconds

    low, middle, high = simulated_durations(work, run.rates, seconds)
    if run.arrival_s:  # the last sample ends that much sooner or later
        return Quantiles(trace.seconds + low - middle, trace.seconds, trace.seconds + high - middle)
    return Quantiles(trace.seconds * low / middle, trace.seconds, trace.seconds * high / middle)


def _first(run: PlannedRun) -> FirstLimit | None:
    """Return the limit that a larger cohort of the same samples would exceed first."""

    def usages(samples: int) -> list[Usage]:
        cohort = larger(run.cohort, samples)
        one = workload(run.pipeline, run.document, cohort, run.model, run.execution_input.parts)
        return growing_usages(one, cohort)

    return first_limit(usages)


def _timeline(work: Workload, trace: Trace, counts: Counts) -> list[StageLine]:
    lines = []
    for one in work.stages:
        name = one.stage.name
        if (times := trace.stages.get(name)) is None:
            continue
        attempts = max(1, times.attempts)
        first = 0.0 if math.isinf(times.first) else times.first
        basis = one.groups[0].estimate.basis
        jobs, all_attempts = counts.jobs.get(name, 0), counts.attempts.get(name, 0)
        job_s, waited_s = sum(times.running_s) / attempts, times.waited_s / attempts
        sizes = one.input_bytes, one.output_bytes
        lines.append(StageLine(name, first, times.last, jobs, all_attempts, job_s, waited_s, *sizes, basis))
    return lines


def _input_bytes(run: PlannedRun) -> int:
    return len(str(run.execution_input.to_json()).encode())
