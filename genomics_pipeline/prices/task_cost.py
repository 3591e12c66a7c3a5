"""The dollars of a task: the price of its host for its duration, times its share of that host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.prices.price import Price, Prices

SPOT = "spot"  # the metadata instance-life-cycle of EC2: spot, on-demand, …
_HOUR_S = 3600
_REGION = re.compile(r"[a-z]+(?:-[a-z]+)+-[0-9]+")


@dataclass(frozen=True, slots=True)
class TaskCost:
    """The cost of a task's share of its host.

    Attributes:
        dollars: US dollars.
        low: With a low Spot price; the same on other hosts.
        high: With a high Spot price.
        share: The part of the host that the task takes: of its vCPUs or its memory, the larger.
        price: The price of the host.
    """

    dollars: float
    low: float
    high: float
    share: float
    price: Price


def host_share(host: HostType, vcpus: float, memory_mib: float) -> float:
    """Return the part of a host that a job takes: of its vCPUs or its memory, the larger; at most 1.

    Args:
        host: The host's type.
        vcpus: The vCPUs of the job.
        memory_mib: The memory of the job.

    >>> from genomics_pipeline.model.architecture import Architecture
    >>> host = HostType("m6id.2xlarge", 8, 32768, 474, Architecture.X86_64)
    >>> host_share(host, 2, 4096), host_share(host, 2, 16384), host_share(host, 9, 0)
    (0.25, 0.5, 1.0)
    """
    return min(1.0, max(vcpus / host.vcpus, memory_mib / host.memory_mib))


def task_cost(facts: Mapping[str, str], seconds: float, vcpus: float, memory_mib: float, prices: Prices) -> TaskCost:
    """Return the cost of a task.

    Where the Spot price of a type was not read, the On-Demand price stands for it, which is higher.

    Args:
        facts: ``instance_type`` and ``market`` of its host.
        seconds: Its duration.
        vcpus: Its vCPUs.
        memory_mib: Its memory.
        prices: The prices of the host's Region.

    Raises:
        UnknownPrice: if the instance type has none.
    """
    priced = prices.host(facts["instance_type"])
    share = host_share(priced.host, vcpus, memory_mib)
    hours = seconds / _HOUR_S * share
    spot = priced.spot if facts.get("market") == SPOT else None
    if spot is None:
        dollars = hours * priced.on_demand.value
        return TaskCost(dollars, dollars, dollars, share, priced.on_demand)
    return TaskCost(hours * spot.median.value, hours * spot.low, hours * spot.high, share, spot.median)


def region_of(facts: Mapping[str, str]) -> str | None:
    """Return the Region of a host; None where its zone is not known.

    >>> region_of({"zone": "eu-central-1b"}), region_of({})
    ('eu-central-1', None)
    """
    match = _REGION.match(facts.get("zone", ""))
    return match[0] if match else None
