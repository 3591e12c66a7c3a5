"""The expected work of a run, without failures and without luck, so that choices differ by themselves only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomics_pipeline.asl.generate import DEFAULT_NAMES
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.counting import MapLoad, RunLoad
from genomics_pipeline.planning.discrete_events import SimulatedStage, Trace
from genomics_pipeline.planning.planned_run import PlannedWork
from genomics_pipeline.planning.workload import StageWork, Workload

HOUR_S = 3600


def total_of(lines: Sequence[CostLine]) -> float:
    """Return the dollars of lines together."""
    return sum(line.dollars for line in lines)


def load_without_failures(run: PlannedWork, work: Workload) -> RunLoad:
    """Return the execution of a run of which no job fails."""
    maps = {label: MapLoad(work.scopes[label], sizes) for label, sizes in work.batches.items()}
    medians = {one.stage.name: _seconds(one) / max(1, one.tasks) for one in work.stages}
    longest = {one.stage.name: one.stage.step.resources.timeout_s - 1 for one in work.stages}
    return RunLoad(
        run.document,
        DEFAULT_NAMES,
        run.execution_input,
        maps,
        {},
        lambda stage: min(medians[stage], longest[stage]),
    )


def expected_trace(work: Workload, trace: Trace, on_demand: Mapping[str, float], on_demand_hosts: int) -> Trace:
    """Return the time that work takes without failures, as a trace.

    Args:
        work: The tasks.
        trace: The simulation of the run, whose duration and hosts it keeps.
        on_demand: The share of each stage's time on On-Demand hosts; the rest is on Spot hosts.
        on_demand_hosts: The number of On-Demand hosts.
    """
    stages = {}
    for one in work.stages:
        seconds, share = _seconds(one), on_demand[one.stage.name]
        running = [seconds * (1 - share), seconds * share]
        stages[one.stage.name] = SimulatedStage(running_s=running, attempts=one.tasks)
    return Trace(trace.seconds, stages, hosts=trace.hosts, on_demand_hosts=on_demand_hosts)


def _seconds(work: StageWork) -> float:
    """Return the expected time of all jobs of a stage together."""
    return sum(group.estimate.seconds.p50 * sum(group.items) for group in work.groups)
