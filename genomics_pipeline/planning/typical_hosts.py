"""The price of a job whose host is not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from genomics_pipeline.aws.instance_types import default_host_types
from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.prices.price import HostPrice, Price, Prices
from genomics_pipeline.prices.task_cost import host_share


@dataclass(frozen=True, slots=True)
class SharePrice:
    """The price of an hour of a job's share of a host: medians over the default instance types that it fits on.

    Attributes:
        on_demand: US dollars on On-Demand hosts.
        spot: On Spot hosts, over the types whose Spot price is known; where none is, the On-Demand price.
        low: The same, with low Spot prices.
        high: With high ones.
        types: The number of instance types of the Spot price.
        price: The oldest price among them.
    """

    on_demand: float
    spot: float
    low: float
    high: float
    types: int
    price: Price


def share_price(
    prices: Prices, vcpus: float, memory_mib: float, architecture: Architecture = DEFAULT_ARCHITECTURE
) -> SharePrice:
    """Return the price of a job's share of a host: of vCPUs or memory, the larger.

    The types are those of an architecture that a stack uses by default. A job that fits on none of them has the median
    over all.

    Args:
        prices: The prices of the Region.
        vcpus: The vCPUs of the job.
        memory_mib: Its memory.
        architecture: The processors of the hosts.

    Raises:
        UnknownPrice: if none of these types has a price in the Region.
    """
    types = [one for one in default_host_types() if one.architecture is architecture]
    known = [prices.hosts[one.name] for one in types if one.name in prices.hosts]
    known = known or [prices.host(types[0].name)]
    fitting = [one for one in known if one.host.vcpus >= vcpus and one.host.memory_mib >= memory_mib] or known
    spot = [one for one in fitting if one.spot] or fitting

    def shares(some: Sequence[HostPrice], values: Sequence[float]) -> float:
        return median(value * host_share(one.host, vcpus, memory_mib) for one, value in zip(some, values, strict=True))

    return SharePrice(
        shares(fitting, [one.on_demand.value for one in fitting]),
        shares(spot, [one.spot.median.value if one.spot else one.on_demand.value for one in spot]),
        shares(spot, [one.spot.low if one.spot else one.on_demand.value for one in spot]),
        shares(spot, [one.spot.high if one.spot else one.on_demand.value for one in spot]),
        len(spot),
        min((one.spot.median if one.spot else one.on_demand for one in spot), key=lambda price: price.date),
    )


def typical_cost(prices: Prices, vcpus: float, memory_mib: float, *, is_spot: bool) -> float:
    """Return the dollars of a job in an hour; see `share_price`.

    Args:
        prices: The prices of the Region.
        vcpus: The vCPUs of the job.
        memory_mib: Its memory.
        is_spot: Whether its host is a Spot host.
    """
    price = share_price(prices, vcpus, memory_mib)
    return price.spot if is_spot else price.on_demand
