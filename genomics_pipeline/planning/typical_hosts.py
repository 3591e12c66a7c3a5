"""The price of a job whose host is not known yet."""

from __future__ import annotations

from statistics import median

from genomics_pipeline.aws.instance_types import default_host_types
from genomics_pipeline.prices.price import Prices
from genomics_pipeline.prices.task_cost import host_share


def typical_cost(prices: Prices, vcpus: float, memory_mib: float, *, is_spot: bool) -> float:
    """Return the dollars of a job in an hour: the median over the default instance types that it fits on.

    Args:
        prices: The prices of the Region.
        vcpus: The vCPUs of the job.
        memory_mib: Its memory.
        is_spot: Whether its host is a Spot host; where no Spot price was read, the On-Demand price stands for it.
    """
    known = [prices.hosts[one.name] for one in default_host_types() if one.name in prices.hosts]
    fitting = [one for one in known if one.host.vcpus >= vcpus and one.host.memory_mib >= memory_mib] or known
    return median(
        (one.spot.median.value if is_spot and one.spot else one.on_demand.value)
        * host_share(one.host, vcpus, memory_mib)
        for one in fitting
    )
