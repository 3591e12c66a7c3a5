"""The limits of a Slurm cluster that a run meets, and the dollars of its core-hours."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.shares import LeastMemory
from genomics_pipeline.planning.cluster import NodeSize, job_share
from genomics_pipeline.planning.limits import DELAYS, REFUSES, Usage, longest_job_s
from genomics_pipeline.planning.local_machine import LocalTrace
from genomics_pipeline.planning.workload import StageWork, Workload
from genomics_pipeline.slurm.cluster_limits import ClusterLimit

_MINUTE_S, _HOUR_S = 60, 3600
CALLS = ClusterLimit("calls_a_minute", 60, "the run makes no more: --quota calls_a_minute=")  # or what the site allows


@dataclass(frozen=True, slots=True)
class PlannedCluster:
    """A partition of a Slurm cluster, and how a run uses it.

    Attributes:
        nodes: Its nodes.
        most: The most that a job may have.
        limits: The limits of the user's jobs by name: `slurm.cluster_limits.LIMITS`.
        least_mib: The memory that a job of a stage needs at least, by its cores.
        gather_s: The time between two submissions: jobs that are ready meanwhile are one array.
        poll_s: The least time between two questions about the jobs.
        price: US dollars for a core-hour; None if it is not known.
        most_submitted: The most jobs that the run has in Slurm at a time.
        minutes: The time of each job, in place of the timeout of its step; 0 for none.
    """

    nodes: Sequence[NodeSize]
    most: NodeSize
    limits: Mapping[str, ClusterLimit]
    least_mib: Mapping[str, LeastMemory]
    gather_s: float
    poll_s: float
    price: float | None
    most_submitted: float = math.inf
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """The part of a plan that only a run on a cluster has.

    Attributes:
        usages: The uses of limits.
        arrays: The arrays that are submitted.
        dollars: US dollars by stage; None without a price of core-hours.
    """

    usages: Sequence[Usage]
    arrays: int
    dollars: Mapping[str, float] | None


def cluster_figures(work: Workload, trace: LocalTrace, cluster: PlannedCluster) -> ClusterFigures:
    """Return the uses of limits and the dollars of a simulated execution.

    Args:
        work: Its tasks.
        trace: Its times.
        cluster: The cluster.
    """
    groups = Counter((int(time / cluster.gather_s), stage) for time, stage in trace.submits)
    most = cluster.limits["max_array_size"].value if "max_array_size" in cluster.limits else sys.maxsize
    arrays = Counter[float]()  # by the minute
    for (number, _), jobs in groups.items():
        arrays[number * cluster.gather_s // _MINUTE_S] += math.ceil(jobs / most)
    calls = max(arrays.values(), default=0) + _MINUTE_S / cluster.poll_s
    price = cluster.price
    return ClusterFigures(
        [
            *(usage for one in work.stages for usage in _job_usages(one, cluster)),
            *_usages_at_once(trace, max(groups.values(), default=0), cluster),
            _of("calls of Slurm's commands a minute", calls, cluster.limits.get(CALLS.name, CALLS), "calls", DELAYS),
        ],
        sum(arrays.values()),
        None if price is None else {name: one.core_s / _HOUR_S * price for name, one in trace.stages.items()},
    )


def _job_usages(work: StageWork, cluster: PlannedCluster) -> Iterator[Usage]:
    """Yield the uses of a node and of the time limit by a job of a stage, whose time the site may make shorter."""
    name, resources, node = work.stage.name, work.stage.step.resources, cluster.most
    share = job_share(resources.vcpus, resources.memory_mib, cluster.least_mib[name], node)
    source = "the largest node"
    yield Usage(f"{name}: cores of a job", resources.vcpus, node.cores, "cores", DELAYS, source)
    peak = max((group.estimate.peak_memory_mib.p90 for group in work.groups), default=0.0)
    basis = work.groups[0].estimate.basis if work.groups else ""
    most = min(node.memory_mib, max(resources.memory_ladder[-1], share.memory_mib))
    yield Usage(f"{name}: memory of a job", peak, most, "MiB", REFUSES, source, basis)
    slower = math.ceil(resources.vcpus / share.vcpus) / _MINUTE_S
    timeout = math.ceil(resources.timeout_s * work.most_items * slower)
    own = ClusterLimit("", timeout, f"step.toml of {work.stage.step.name}")
    if cluster.minutes:
        own = ClusterLimit("", cluster.minutes, "--slurm-minutes")
    limit = min(own, cluster.limits.get("max_time_min", own), key=lambda one: one.value)
    yield _of(f"{name}: duration of a job", longest_job_s(work) * slower, limit, "min", REFUSES)


def _usages_at_once(trace: LocalTrace, ready: int, cluster: PlannedCluster) -> Iterator[Usage]:
    """Yield what all jobs use at a time.

    Args:
        trace: The times of the execution.
        ready: The most jobs of a stage that are submitted together.
        cluster: The cluster.
    """
    total = sum(one.cores for one in cluster.nodes)
    yield Usage("cores of the partition", trace.most_cores, total, "cores", DELAYS, "its nodes")
    for name, words, used, unit in (
        ("max_cores", "cores at a time", trace.most_cores, "cores"),
        ("max_jobs", "jobs that run at a time", trace.most_jobs, "jobs"),
        ("max_array_size", "jobs of an array", ready, "jobs"),
        ("max_submit_jobs", "jobs in Slurm at a time", min(trace.most_queued, cluster.most_submitted), "jobs"),
    ):
        if limit := cluster.limits.get(name):
            yield _of(words, used, limit, unit, DELAYS)


def _of(name: str, used: float, limit: ClusterLimit, unit: str, effect: str) -> Usage:
    return Usage(name, used, limit.value, unit, effect, limit.source)
