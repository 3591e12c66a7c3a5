"""The saving of a stage with less memory: in GiB-hours, and in dollars where its hosts have a price.

A task costs the larger of its shares of the vCPUs and of the memory of its host, so that less memory saves no dollars
below the share of the vCPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from genomics_pipeline.prices.price import Prices, UnknownPrice
from genomics_pipeline.prices.task_cost import region_of, task_cost

_MIB_PER_GIB, _HOUR_S = 1024, 3600
SPARE = 1.2  # of the highest peak
STEP_MIB = 256


class AskedResources(NamedTuple):
    """The resources that tasks could use, and their kind of host.

    Attributes:
        instance_type: The type of the host in AWS; empty elsewhere.
        market: ``spot`` or ``on-demand``.
        zone: Its Availability Zone.
        vcpus: The cores that a task could use.
        memory_mib: The memory that a task could use.
    """

    instance_type: str
    market: str
    zone: str
    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class MemorySaving:
    """The saving of a stage.

    Attributes:
        enough_mib: Memory that would have been enough for each task, with a fifth to spare.
        asked_gib_hours: The memory that its tasks could use, over their durations.
        saved_gib_hours: So much less with `enough_mib`.
        dollars: The dollars of its tasks that are done; None where no host has a price.
        saved_dollars: So much less.
        dates: The dates of the prices.
    """

    enough_mib: int
    asked_gib_hours: float
    saved_gib_hours: float
    dollars: float | None
    saved_dollars: float
    dates: tuple[str, ...]


def memory_saving(
    seconds: Mapping[AskedResources, float], peak_mib: float, find_prices: Callable[[str], Prices]
) -> MemorySaving:
    """Return the saving of a stage.

    Args:
        seconds: The durations of its tasks by what they could use.
        peak_mib: The highest peak of their memory.
        find_prices: Returns the prices of a Region.

    Raises:
        DataError: for a Region without prices.
    """
    enough = -(-int(peak_mib * SPARE) // STEP_MIB) * STEP_MIB
    asked_mib_s = saved_mib_s = saved = 0.0
    dollars: float | None = None
    dates: set[str] = set()
    for asked, duration in seconds.items():
        less = min(enough, asked.memory_mib)
        asked_mib_s += duration * asked.memory_mib
        saved_mib_s += duration * (asked.memory_mib - less)
        if not asked.instance_type:
            continue
        host = {"instance_type": asked.instance_type, "market": asked.market, "zone": asked.zone}
        try:
            prices = find_prices(region_of(host) or "")
            one, other = (task_cost(host, duration, asked.vcpus, mib, prices) for mib in (asked.memory_mib, less))
        except UnknownPrice:
            continue
        dollars = (dollars or 0.0) + one.dollars
        saved += one.dollars - other.dollars
        dates.add(one.price.date)
    hours = _MIB_PER_GIB * _HOUR_S
    return MemorySaving(enough, asked_mib_s / hours, saved_mib_s / hours, dollars, saved, tuple(sorted(dates)))
