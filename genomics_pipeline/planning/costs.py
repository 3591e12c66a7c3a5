"""The dollars of a run by line, each from counts of the plan and a dated price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.planning.account import ON_DEMAND, SPOT, AccountLimits
from genomics_pipeline.planning.cost_names import COMPUTE, GETS, PUTS, STORAGE, TRANSITIONS, VOLUMES
from genomics_pipeline.planning.discrete_events import Trace
from genomics_pipeline.planning.requests import Requests
from genomics_pipeline.planning.typical_hosts import SharePrice, share_price
from genomics_pipeline.planning.workload import StageWork, Workload
from genomics_pipeline.prices.price import GB, Price, Prices

IDLE_S = 300  # in which Batch keeps a host without jobs: an assumption
LOG_BYTES = 50_000  # of an attempt in CloudWatch Logs: an assumption
_HOURS, _MONTH_HOURS = 3600, 730


@dataclass(frozen=True, slots=True)
class CostLine:
    """A line of the costs.

    Attributes:
        name: Its name.
        dollars: US dollars.
        low: With low Spot prices.
        high: With high Spot prices.
        price: A price that it rests on.
        formula: The arithmetic, for people.
    """

    name: str
    dollars: float
    low: float
    high: float
    price: Price
    formula: str


def cost_lines(
    work: Workload,
    trace: Trace,
    requests: Requests,
    transitions: int,
    account: AccountLimits,
    volume_gib: int,
    prices: Prices,
) -> list[CostLine]:
    """Return the lines of the costs of a run and of a month of its outputs.

    Args:
        work: The tasks of the run.
        trace: What happens in it.
        requests: Its requests.
        transitions: Its state transitions.
        account: The limits of the account.
        volume_gib: The size of the EBS volume of a host.
        prices: The prices of its Region.

    Raises:
        UnknownPrice: for a price that is in no table.
    """
    lines = [*_compute(work, trace, account, prices)]
    hours = _host_hours(work, trace, account)
    lines.append(simple_line(VOLUMES, hours * volume_gib / _MONTH_HOURS, "EBS/gp3-storage", prices))
    gigabytes = sum(one.output_bytes for one in work.stages) / GB
    lines.append(simple_line(STORAGE, gigabytes, "S3/standard-storage", prices))
    get = simple_line(GETS, requests.s3_get, "S3/standard-get", prices)
    put = simple_line(PUTS, requests.s3_put, "S3/standard-put", prices)
    lines += [get, put, simple_line(TRANSITIONS, transitions, "StepFunctions/standard-transition", prices)]
    attempts = sum(one.attempts for one in trace.stages.values())
    lines.append(simple_line("logs", attempts * LOG_BYTES / GB, "CloudWatch/logs-ingest-standard-class", prices))
    lines.append(simple_line("public addresses", hours, "VPC/public-ipv4-address-in-use", prices))
    read = sum(one.input_bytes for one in work.stages) / GB
    lines.append(simple_line("transfer", read, "DataTransfer/between-s3-and-compute-in-the-same-region", prices))
    return lines


def simple_line(name: str, quantity: float, item: str, prices: Prices) -> CostLine:
    """Return the line of a quantity of one item; what AWS gives away each month is counted as used up elsewhere."""
    rate = prices.rate(item)
    dollars, price = rate.total(quantity), rate.price
    formula = f"{quantity:,.6g} {price.unit}s at ${price.value:.9g} ({item})"
    return CostLine(name, dollars, dollars, dollars, price, formula)


def _compute(work: Workload, trace: Trace, account: AccountLimits, prices: Prices) -> Iterator[CostLine]:
    """Yield a line for the hosts of each stage, and one for the time in which they start and wait for jobs."""
    rates: list[tuple[float, float, float, float]] = []
    for one in work.stages:
        times = trace.stages.get(one.stage.name)
        if times is None:
            continue
        resources = one.stage.step.resources
        share = _stage_price(one, prices, account.architecture)
        spot, on_demand = (times.running_s[kind] / _HOURS for kind in (SPOT, ON_DEMAND))
        vcpus = resources.vcpus
        formula = (
            f"{spot:,.5g} job-hours on Spot hosts at ${share.spot:.4g}, {on_demand:,.5g} on On-Demand hosts at "
            f"${share.on_demand:.4g}: {vcpus} vCPUs and {_memory_words(one)} MiB, as their share of a "
            f"host, the median of {share.types} instance types"
        )
        fixed = on_demand * share.on_demand
        yield CostLine(
            COMPUTE.format(one.stage.name),
            spot * share.spot + fixed,
            spot * share.low + fixed,
            spot * share.high + fixed,
            share.price,
            formula,
        )
        rates.append((share.spot / vcpus, share.low / vcpus, share.high / vcpus, share.on_demand / vcpus))
    if rates:
        yield _without_jobs(trace, account, [max(each) for each in zip(*rates, strict=True)], share.price)


def _without_jobs(trace: Trace, account: AccountLimits, rates: Sequence[float], price: Price) -> CostLine:
    """Return the line of the time in which hosts start and wait for jobs.

    Args:
        trace: What happens.
        account: The limits of the account.
        rates: The price of a vCPU-hour: on Spot hosts the median, a low and a high one, and on On-Demand hosts.
        price: A price that they rest on.
    """
    idle_s, spot_hosts = account.host_start_s + IDLE_S, trace.hosts - trace.on_demand_hosts
    spot, on_demand = (hosts * account.host_vcpus * idle_s / _HOURS for hosts in (spot_hosts, trace.on_demand_hosts))
    median, low, high = (spot * rate + on_demand * rates[3] for rate in rates[:3])
    formula = (
        f"{spot_hosts:,} Spot hosts of {account.host_vcpus} vCPUs at ${rates[0]:.4g} a vCPU-hour, and "
        f"{trace.on_demand_hosts:,} On-Demand hosts at ${rates[3]:.4g}, each for {idle_s:.0f} s without jobs: "
        f"{account.host_start_s:.0f} s before its first, {IDLE_S} s after its last"
    )
    return CostLine(COMPUTE.format("hosts without jobs"), median, low, high, price, formula)


def _host_hours(work: Workload, trace: Trace, account: AccountLimits) -> float:
    """Return the hours of all hosts together, with jobs and without."""
    vcpu_s = sum(
        sum(times.running_s) * one.stage.step.resources.vcpus
        for one in work.stages
        if (times := trace.stages.get(one.stage.name))
    )
    return vcpu_s / account.host_vcpus / _HOURS + trace.hosts * (account.host_start_s + IDLE_S) / _HOURS


def _stage_price(work: StageWork, prices: Prices, architecture: Architecture) -> SharePrice:
    """Return the price of an hour of a stage's jobs: the mean over their memory, by the hours that they take."""
    vcpus, hours = work.stage.step.resources.vcpus, defaultdict[int, float](float)
    for group in work.groups:
        memory_mib = group.memory_ladder(work.stage.step)[0]
        hours[memory_mib] += max(group.estimate.seconds.p50, 1e-9) * sum(group.items)
    total = sum(hours.values())
    shares = [(share_price(prices, vcpus, memory_mib, architecture), one / total) for memory_mib, one in hours.items()]

    def mean(price: Callable[[SharePrice], float]) -> float:
        return sum(price(share) * weight for share, weight in shares)

    first, _ = shares[0]
    return SharePrice(
        mean(lambda one: one.on_demand),
        mean(lambda one: one.spot),
        mean(lambda one: one.low),
        mean(lambda one: one.high),
        first.types,
        first.price,
    )


def _memory_words(work: StageWork) -> str:
    memory = sorted({group.memory_ladder(work.stage.step)[0] for group in work.groups})
    return f"{memory[0]}" if len(memory) == 1 else f"{memory[0]} to {memory[-1]}"
