"""The changes to a run that would save most, each priced by planning the run with it.

Prices are of the expected work, on the hosts that the simulated run had: so much of each stage on On-Demand hosts as
there. A change is shown only if it saves, and no limit is exceeded by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.aws.template.storage import LARGE_BYTES
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.planning.account import ON_DEMAND, SPOT, AccountLimits
from genomics_pipeline.planning.cost_names import STORAGE
from genomics_pipeline.planning.costs import CostLine, cost_lines, simple_line
from genomics_pipeline.planning.counting import Counts, count
from genomics_pipeline.planning.discrete_events import Trace
from genomics_pipeline.planning.expected_costs import expected_trace, load_without_failures, total_of
from genomics_pipeline.planning.limits import REFUSES, growing_usages
from genomics_pipeline.planning.planned_run import PlannedRun
from genomics_pipeline.planning.requests import requests
from genomics_pipeline.planning.resource_model import expected_first_attempts
from genomics_pipeline.planning.workload import StageWork, Workload, workload
from genomics_pipeline.prices.price import GB, UnknownPrice

SHOWN = 3
LEAST_DOLLARS = 0.01
MONTH_DAYS = 30
LEAST_DAYS = 7  # that intermediate outputs are kept, so that a run can be continued
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class PricedChange:
    """A change to a run, and the dollars that it saves.

    Attributes:
        name: Its name.
        dollars: The dollars that it saves.
        change: The switch, option or parameter to change, for people.
        why: Why it saves, and what is given up for it.
        by_line: The dollars that it saves by line of the costs; negative for lines that cost more.
    """

    name: str
    dollars: float
    change: str
    why: str
    by_line: Mapping[str, float]


def best(found: Sequence[PricedChange]) -> tuple[PricedChange, ...]:
    """Return the changes that save most, largest first; none that saves less than a cent."""
    real = [one for one in found if one.dollars >= LEAST_DOLLARS]
    return tuple(sorted(real, key=lambda one: -one.dollars)[:SHOWN])


def saving(name: str, now: Sequence[CostLine], changed: Sequence[CostLine], change: str, why: str) -> PricedChange:
    """Return what a change saves.

    Args:
        name: Its name.
        now: The lines of the costs as planned.
        changed: Those with the change.
        change: See `PricedChange`.
        why: See `PricedChange`.
    """
    before, after = ({one.name: one.dollars for one in lines} for lines in (now, changed))
    by_line = {line: before.get(line, 0.0) - after.get(line, 0.0) for line in {**before, **after}}
    by_line = {line: dollars for line, dollars in by_line.items() if abs(dollars) >= LEAST_DOLLARS / 2}
    return PricedChange(name, total_of(now) - total_of(changed), change, why, by_line)


def savings(
    run: PlannedRun, work: Workload, trace: Trace, counts: Counts, simulate: Callable[[AccountLimits], Trace]
) -> tuple[PricedChange, ...]:
    """Return the changes to a run that would save most.

    Args:
        run: The run.
        work: Its tasks.
        trace: Its simulation.
        counts: Its counts.
        simulate: Simulates it, or its first children, in another account.
    """
    planned = _Priced(run, work, trace, counts, cache(lambda: count(load_without_failures(run, work))))
    makers = (_ample_spot, _arm64, _storage_class, _intermediate_days, _cram, _learned_memory, _wider_intervals)
    found = [one for make in makers if (one := make(planned, simulate)) is not None]
    return best([*found, *_fewer_stages(planned)])


@dataclass(frozen=True, slots=True)
class _Priced:
    """A run and what it costs: its expected work, on the hosts of its simulation.

    Attributes:
        run: The run.
        work: Its tasks.
        trace: Its simulation.
        counts: Its counts.
        expected_counts: Counts it without failures.
    """

    run: PlannedRun
    work: Workload
    trace: Trace
    counts: Counts
    expected_counts: Callable[[], Counts]

    @property
    def lines(self) -> list[CostLine]:
        """The lines of the costs."""
        run, stages = self.run, self.trace.stages
        shares = {name: one.running_s[ON_DEMAND] / max(1e-9, sum(one.running_s)) for name, one in stages.items()}
        on_demand = {one.stage.name: shares.get(one.stage.name, 0.0) for one in self.work.stages}
        trace = expected_trace(self.work, self.trace, on_demand, self.trace.on_demand_hosts)
        asked = requests(self.work, self.counts, self.trace.throttled, trace.hosts, run.cohort.genome_bases)
        transitions = self.counts.transitions
        return cost_lines(self.work, trace, asked, transitions, run.account, run.volume_gib, run.prices)

    def like(self, run: PlannedRun) -> _Priced:
        """Return another run on the same hosts, with the failures of this one, of which other items are counted."""
        work = workload(run.pipeline, run.document, run.cohort, run.model, run.execution_input.parts)
        if work.batches == self.work.batches and len(work.stages) == len(self.work.stages):
            return replace(self, run=run, work=work)
        own, other = self.expected_counts(), count(load_without_failures(run, work))
        was, tried = self.counts.jobs, self.counts.attempts  # without stages that a run that failed did not reach
        jobs = {name: number + was.get(name, 0) - own.jobs.get(name, 0) for name, number in other.jobs.items()}
        attempts = {name: number + tried.get(name, 0) - was.get(name, 0) for name, number in jobs.items()}
        transitions = self.counts.transitions - own.transitions + other.transitions
        counts = replace(other, transitions=transitions, jobs=jobs, attempts=attempts)
        return replace(self, run=run, work=work, counts=counts)

    @property
    def exceeded(self) -> set[str]:
        """The names of the limits that fail the run."""
        usages = growing_usages(self.work, self.run.cohort)
        return {one.name for one in usages if one.exceeded and one.effect == REFUSES}


def _ample_spot(planned: _Priced, simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what more Spot vCPUs save, where jobs are on On-Demand hosts because Spot hosts are full."""
    account, used = planned.run.account, planned.trace.most_vcpus
    if not used[ON_DEMAND] or used[SPOT] < account.vcpus[SPOT]:
        return None
    needed = math.ceil(sum(used) / account.host_vcpus) * account.host_vcpus
    again = simulate(replace(account, vcpus=(needed, account.vcpus[ON_DEMAND])))
    change = f"deploy --parameter MaxVcpus={needed}, and a quota of as many vCPUs of Spot hosts"
    why = f"Spot hosts have {account.vcpus[SPOT]:,} vCPUs, and jobs beyond them are on On-Demand hosts"
    hosts = round(planned.trace.hosts * again.on_demand_hosts / max(1, again.hosts))
    changed = replace(planned, trace=replace(planned.trace, stages=again.stages, on_demand_hosts=hosts))
    return saving("ample_spot", planned.lines, changed.lines, change, why)


def _arm64(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what hosts of arm64 save at the same speed, where its images can do what the run asks for."""
    run = planned.run
    if not run.alternatives.arm64:
        return None
    account = replace(run.account, architecture=Architecture.ARM64)
    try:
        now, changed = planned.lines, replace(planned, run=replace(run, account=account)).lines
    except UnknownPrice:  # of a Region without such hosts
        return None
    compute = [sum(one.dollars for one in lines if one.name.startswith("compute")) for lines in (now, changed)]
    slower = compute[0] / max(compute[1], 1e-9)
    change = "deploy --parameter Architecture=arm64"
    why = f"at the same speed, which was not measured: it saves while jobs take less than {slower:.2f} times as long"
    return saving("arm64", now, changed, change, why)


def _storage_class(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange:
    """Return what a cheaper storage class saves from the second day of the month on."""
    prices, now = planned.run.prices, planned.lines
    large_bytes, objects = 0.0, 0
    for one in planned.work.stages:
        share, number = _large_outputs(one)
        large_bytes += 0.0 if one.stage.intermediate else one.output_bytes * share
        objects += 0 if one.stage.intermediate else number
    moved = large_bytes / GB * (MONTH_DAYS - 1) / MONTH_DAYS
    stored = sum(one.output_bytes for one in planned.work.stages) / GB
    changed = [one for one in now if one.name != STORAGE]
    changed.append(simple_line(STORAGE, stored - moved, "S3/standard-storage", prices))
    changed.append(simple_line("storage, Instant Retrieval", moved, "S3/glacier-instant-retrieval-storage", prices))
    transition = "S3/lifecycle-transition-into-glacier-instant-retrieval"
    changed.append(simple_line("transitions of objects", objects, transition, prices))
    read = prices.rate("S3/glacier-instant-retrieval-retrieval").price.value
    change = "deploy --parameter ResultsStorageClass=GLACIER_IR --parameter ResultsDays=1"
    why = f"for results that are kept 90 days at least and seldom read, which costs ${read:g} a GB"
    return saving("glacier_ir", now, changed, change, why)


def _large_outputs(work: StageWork) -> tuple[float, int]:
    """Return the share of large files in the outputs of a stage, and their number, as far as they are known by name."""
    large, whole, objects = 0.0, 0.0, 0
    for group in work.groups:
        sizes = group.estimate.outputs or {"": group.estimate.output_bytes.p50}
        some = [size for size in sizes.values() if size > LARGE_BYTES]
        items = sum(group.items)
        large, objects = large + sum(some) * items, objects + len(some) * items
        whole += max(group.estimate.output_bytes.p50, sum(sizes.values())) * items
    return large / max(whole, 1e-9), objects


def _intermediate_days(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what it saves to keep outputs that only later stages need for no longer than a run may take."""
    usual = int(PARAMETERS["IntermediateDays"]["Default"])
    days = max(LEAST_DAYS, math.ceil(2 * planned.trace.seconds / DAY_S))
    size = sum(one.output_bytes for one in planned.work.stages if one.stage.intermediate) / GB
    if days >= usual or not size:
        return None
    now, prices = planned.lines, planned.run.prices
    stored = sum(one.output_bytes for one in planned.work.stages) / GB - size * (usual - days) / MONTH_DAYS
    changed = [one for one in now if one.name != STORAGE]
    changed.append(simple_line(STORAGE, stored, "S3/standard-storage", prices))
    names = ", ".join(one.stage.name for one in planned.work.stages if one.stage.intermediate)
    why = f"outputs of {names} are for later stages only; a rerun after these days makes them again"
    return saving("intermediate_days", now, changed, f"deploy --parameter IntermediateDays={days}", why)


def _cram(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what CRAM saves where alignments are BAM."""
    run = planned.run
    if not run.alternatives.cram:
        return None
    changed = planned.like(replace(run, cohort=replace(run.cohort, alignment_factor=1.0)))
    why = f"BAM files are {run.cohort.alignment_factor:g} times as large (formats of calibration.toml)"
    return saving("cram", planned.lines, changed.lines, f"--param {run.alternatives.cram}=cram", why)


def _learned_memory(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what first attempts with the memory that 99 of 100 jobs need save, of steps without records."""
    changed = planned.like(replace(planned.run, model=expected_first_attempts(planned.run.model)))
    why = "first attempts have the memory that 99 of 100 jobs need, by the rates of the steps; a pilot measures it"
    change = "submit --history PILOT, a run of some samples: see `run --subsample`"
    return saving("learned_memory", planned.lines, changed.lines, change, why)


def _wider_intervals(planned: _Priced, _simulate: Callable[[AccountLimits], Trace]) -> PricedChange | None:
    """Return what intervals of twice the size save, where jobs over them stay within their limits."""
    run, wider = planned.run, planned.run.alternatives.wider_intervals
    if not planned.work.intervals or not 0 < len(wider) < len(run.cohort.interval_bases):
        return None
    changed = planned.like(replace(run, cohort=replace(run.cohort, interval_bases=wider)))
    if changed.exceeded - planned.exceeded:
        return None
    size = run.pipeline.maps["interval"].interval_size_bp * 2
    why = f"{len(wider):,} intervals in place of {planned.work.intervals:,}: fewer requests; their jobs take longer"
    change = f"interval_size_bp = {size:_} below [maps.interval] of a pipeline file of your own"
    return saving("wider_intervals", planned.lines, changed.lines, change, why)


def _fewer_stages(planned: _Priced) -> Iterator[PricedChange]:
    """Yield what pipelines of fewer stages save."""
    own = [one.name for one in planned.run.pipeline.stages]
    for other in planned.run.alternatives.smaller:
        pipeline = other.pipeline
        left = {one.name for one in pipeline.stages}
        run = replace(planned.run, pipeline=pipeline, document=other.document, execution_input=other.execution_input)
        why = f"if nothing of {', '.join(name for name in own if name not in left)} is needed"
        change = f"--pipeline {pipeline.name}"
        yield saving(pipeline.name, planned.lines, planned.like(run).lines, change, why)
