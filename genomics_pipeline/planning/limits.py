"""The limits that a run meets: how much of each it uses, and which one it would reach first with more samples."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genomics_pipeline.model import quotas
from genomics_pipeline.model.quotas import Quota
from genomics_pipeline.planning.account import ON_DEMAND, SPOT, AccountLimits
from genomics_pipeline.planning.counting import Counts
from genomics_pipeline.planning.discrete_events import MOST_REFUSED, Trace
from genomics_pipeline.planning.requests import stage_requests
from genomics_pipeline.planning.workload import PlannedCohort, StageWork, Workload

REFUSES, DELAYS = "refuses", "delays"
MOST_SAMPLES = 10**9  # of the search for the first limit
_GIB, _TIB_GIB = 2**30, 1024
_OF_BUSIEST = (
    "the requests of the stage that sends most in a second: those of a job over its mean duration, times the most jobs "
    "at a time"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a limit.

    Attributes:
        name: What is limited.
        used: How much of it the run uses at most.
        limit: The limit.
        unit: The unit of both.
        effect: `REFUSES` for a limit beyond which the run or a job fails, `DELAYS` for one beyond which it waits.
        source: Where the limit is documented or declared.
        basis: What the use rests on; empty for what the execution and its simulation counted.
    """

    name: str
    used: float
    limit: float
    unit: str
    effect: str
    source: str
    basis: str = ""

    @property
    def headroom(self) -> float:
        """The share of the limit that is left; negative beyond it."""
        return 1 - self.used / self.limit

    @property
    def exceeded(self) -> bool:
        """Tell whether the limit does not suffice."""
        return self.used > self.limit


@dataclass(frozen=True, slots=True)
class FirstLimit:
    """The first limit that a larger cohort of the same samples would exceed.

    Attributes:
        name: The name of the limit.
        samples: The smallest number of samples that exceeds it.
    """

    name: str
    samples: int


def growing_usages(work: Workload, cohort: PlannedCohort) -> list[Usage]:
    """Return the uses of limits that grow with the number of samples, whatever the speed of the run."""
    usages = []
    for label, scope in work.scopes.items():
        samples = scope == "sample"
        items = len(cohort.sample_bytes) * cohort.multiplier if samples else len(cohort.interval_bases)
        items = math.ceil(items / work.map_runs[label])
        usages.append(_of(f"items of the Map Run {label}", items, quotas.MAP_RUN_ITEMS, REFUSES))
        if samples:
            size = items * cohort.sample_line_bytes
            usages.append(_of(f"manifest of the Map Run {label}", size, quotas.READER_OBJECT, REFUSES))
    for one in work.stages:
        usages += _task_usages(one)
    return usages


def longest_job_s(work: StageWork) -> float:
    """Return the duration of the largest job of a stage in seconds, at the 90 % quantile."""
    return work.most_items * max((group.estimate.seconds.p90 for group in work.groups), default=0.0)


def _task_usages(work: StageWork) -> Iterator[Usage]:
    """Yield the uses of what a step declares for a job: by the largest of its tasks, at the 90 % quantile."""
    resources, name = work.stage.step.resources, work.stage.name
    source = f"step.toml of {work.stage.step.name}"
    basis = work.groups[0].estimate.basis if work.groups else ""
    items = work.most_items
    estimates = [group.estimate for group in work.groups]
    features = [group.features for group in work.groups]
    memory = max((one.peak_memory_mib.p90 for one in estimates), default=0.0)
    scratch = max(
        (
            max(one.scratch_per_byte.get("fastq", 0.0), 0.0 if one.stream else 1.0)
            for one in work.stage.step.inputs.values()
            if one.type != "reference"
        ),
        default=1.0,
    )
    disk = max(
        (one.input_bytes * scratch + each.output_bytes.p90 for one, each in zip(features, estimates, strict=True)),
        default=0.0,
    )
    yield Usage(
        f"{name}: duration of a job", longest_job_s(work), resources.timeout_s * items, "s", REFUSES, source, basis
    )
    yield Usage(f"{name}: memory of a job", memory, resources.memory_ladder[-1], "MiB", REFUSES, source, basis)
    yield Usage(f"{name}: disk of a job", disk / _GIB, resources.disk_gib, "GiB", REFUSES, source, basis)


def first_limit(of_size: Callable[[int], Sequence[Usage]]) -> FirstLimit | None:
    """Return the limit that is exceeded first as the number of samples grows; None if none is.

    Args:
        of_size: Returns the uses of limits for a number of samples.
    """
    low, high = 0, MOST_SAMPLES
    if not any(one.exceeded and one.effect == REFUSES for one in of_size(high)):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if any(one.exceeded and one.effect == REFUSES for one in of_size(middle)):
            high = middle
        else:
            low = middle
    first = next(one for one in of_size(high) if one.exceeded and one.effect == REFUSES)
    return FirstLimit(first.name, high)


def larger(cohort: PlannedCohort, samples: int) -> PlannedCohort:
    """Return a cohort of a number of samples of the mean size."""
    if not cohort.sample_bytes:
        return replace(cohort, given=samples, given_bytes=cohort.given_bytes / max(1, cohort.given) * samples)
    mean = int(sum(cohort.sample_bytes) / len(cohort.sample_bytes))
    return replace(cohort, sample_bytes=[mean], multiplier=samples, given=0, given_bytes=0.0)


def concurrency_usages(work: Workload, trace: Trace, most: int | None) -> Iterator[Usage]:
    """Yield the use of the greatest number of children that each Map is allowed at a time.

    Args:
        work: The tasks of the run.
        trace: Its simulation.
        most: The greatest number of children of a Map Run that the run was given; None for the pipeline's.
    """
    for label, settings in work.settings.items():
        limit = (most or settings.max_concurrency) * work.map_runs[label]
        used = trace.children.get(label, 0)
        source = "--max-concurrency" if most else "the pipeline's file"
        yield Usage(f"max_concurrency of {label}", used, limit, "children", DELAYS, source)


def measured_usages(
    work: Workload,
    counts: Counts,
    trace: Trace,
    account: AccountLimits,
    payload_bytes: int,
    volume_gib: int,
) -> Iterator[Usage]:
    """Yield the uses of limits by the execution and its simulation.

    Args:
        work: The tasks of the run.
        counts: The counts of the execution.
        trace: What happens in it.
        account: The limits of the account.
        payload_bytes: The size of the largest input of a child.
        volume_gib: The size of the EBS volume of a host.
    """
    map_runs = max(work.map_runs.values(), default=0)
    yield _of("input of a child", payload_bytes, quotas.PAYLOAD, REFUSES)
    yield _of("history of an execution", counts.longest_history, quotas.HISTORY, REFUSES)
    yield _of("duration of the execution", trace.seconds, quotas.STANDARD_SECONDS, REFUSES)
    yield _of("open executions", trace.most_children + 1, quotas.OPEN_EXECUTIONS, REFUSES)
    yield _of("open Map Runs", map_runs if counts.children else 0, quotas.OPEN_MAP_RUNS, DELAYS)
    children = math.ceil(trace.most_children / max(1, map_runs))
    yield _of("children of a Map Run at a time", children, quotas.MAP_RUN_CONCURRENCY, DELAYS)
    starts = min(math.ceil(peak(trace.starts) / max(1, map_runs)), account.child_starts)
    yield _of("child starts of a Map Run", starts, quotas.CHILD_STARTS, DELAYS, account.child_starts)
    yield _of("StartMapRun", min(map_runs, map_runs * len(counts.children)), quotas.START_MAP_RUN, DELAYS)
    yield _of("SubmitJob", peak(trace.submits), quotas.SUBMIT_JOB_RATE, DELAYS, account.submit_rate)
    source = "Retry of the definition's Tasks"
    yield Usage("refusals of one SubmitJob", trace.most_refused, MOST_REFUSED, "calls", REFUSES, source)
    moved = 2 * peak(trace.starts) + peak(trace.ends)
    yield _of("state transitions", moved, quotas.STATE_TRANSITIONS, DELAYS)
    for kind, market in ((SPOT, "Spot"), (ON_DEMAND, "On-Demand")):
        most = trace.most_vcpus[kind]
        if account.vcpus[kind]:
            yield Usage(f"{market} vCPUs", most, account.vcpus[kind], "vCPUs", DELAYS, "MaxVcpus of the stack, --quota")
    yield _of("hosts of the cluster", trace.hosts, quotas.CLUSTER_HOSTS, REFUSES)
    yield _of("gp3 volumes", trace.hosts * volume_gib / _TIB_GIB, quotas.GP3_TIB, REFUSES)
    rates = [_request_rates(one, trace) for one in work.stages]
    gets, puts = (max((rate[number] for rate in rates), default=0.0) for number in range(2))
    yield _of("S3 GET of a prefix", gets, quotas.S3_GET_RATE, DELAYS, basis=_OF_BUSIEST)
    yield _of("S3 PUT of a prefix", puts, quotas.S3_PUT_RATE, DELAYS, basis=_OF_BUSIEST)


def _request_rates(one: StageWork, trace: Trace) -> tuple[float, float]:
    """Return the GET and PUT requests in a second of the most jobs of a stage at a time, spread over their duration."""
    times = trace.stages.get(one.stage.name)
    if times is None or not sum(times.running_s):
        return 0.0, 0.0
    read, written = stage_requests(one)
    jobs = max(1, one.tasks)
    at_a_time = times.most * times.attempts / sum(times.running_s)  # jobs that begin in a second
    return read / jobs * at_a_time, written / jobs * at_a_time


def peak(times: Sequence[float]) -> int:
    """Return the most events in a second; memory is for the events, however long the run takes.

    >>> peak([0.1, 0.9, 1.5, 1e15])
    2
    """
    return int(np.unique(np.floor(np.asarray(times)), return_counts=True)[1].max()) if len(times) else 0


def line_bytes(members: Mapping[str, object]) -> int:
    """Return the size of an item's line in a file of items."""
    return len(json.dumps(members, separators=(",", ":")).encode()) + 1


def _of(name: str, used: float, quota: Quota, effect: str, own: float | None = None, basis: str = "") -> Usage:
    """Return the use of a quota.

    Args:
        name: See `Usage`.
        used: See `Usage`.
        quota: The quota.
        effect: See `Usage`.
        own: Its value in the account; None for the documented one.
        basis: See `Usage`.
    """
    limit = quota.value if own is None else own
    return Usage(name, used, limit, quota.unit, effect, quota.source if limit == quota.value else "--quota", basis)
