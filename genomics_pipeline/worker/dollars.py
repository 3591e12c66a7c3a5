"""The estimated dollars of a task, by the type and the market of its host and the prices in the image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.prices.load import load_prices
from genomics_pipeline.prices.price import Prices
from genomics_pipeline.prices.task_cost import region_of, task_cost


def task_dollars(host: Mapping[str, str], seconds: float, vcpus: float, memory_mib: float) -> float | None:
    """Return the US dollars of a task's share of its host, as `cost RUN` counts them.

    Args:
        host: The facts of the host; see `worker.host_facts`.
        seconds: The duration of the task.
        vcpus: Its vCPUs.
        memory_mib: Its memory.

    Returns:
        None outside of AWS, and where the image has no price of the Region or of the instance type.

    >>> host = {"instance_type": "m6id.2xlarge", "zone": "us-east-1a", "market": "on-demand"}
    >>> task_dollars(host, 3600, 2, 4096) == task_dollars(host, 1800, 4, 4096) > 0
    True
    >>> task_dollars({}, 3600, 2, 4096), task_dollars({**host, "instance_type": "none.large"}, 3600, 2, 4096)
    (None, None)
    """
    prices = _prices(region_of(host) or "")
    if prices is None or "instance_type" not in host:
        return None
    try:
        return round(task_cost(host, seconds, vcpus, memory_mib, prices).dollars, 9)
    except PipelineError:  # no price of the type
        return None


@cache
def _prices(region: str) -> Prices | None:
    """Return the prices of a Region; None if the image has none."""
    try:
        return load_prices(region)
    except PipelineError:
        return None
