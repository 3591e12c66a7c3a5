"""Spot prices of a Region as EC2 reports them."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model import budgets
from genomics_pipeline.prices.price import Price, SpotPrice

DAYS = 7
_TYPES_AT_ONCE = 100
_TENTHS = 10


def spot_prices(types: Sequence[str], clients: Clients, now: datetime.datetime) -> dict[str, SpotPrice]:
    """Return the Spot prices of instance types: the median of the zones' newest, and the spread of a week.

    The low and the high factor are the 10th and the 90th percentile of all prices of the week in all zones, over that
    median.

    Args:
        types: The instance types.
        clients: The AWS clients of the Region.
        now: The time.

    Raises:
        RunError: if a call fails.
    """
    records: dict[str, list[dict[str, Any]]] = {}
    paginator = clients.ec2.get_paginator("describe_spot_price_history")
    for start in range(0, len(types), _TYPES_AT_ONCE):
        with aws_call("read the Spot prices of the Region"):
            pages = paginator.paginate(
                InstanceTypes=list(types[start : start + _TYPES_AT_ONCE]),
                ProductDescriptions=["Linux/UNIX"],
                StartTime=now - datetime.timedelta(days=DAYS),
                EndTime=now,
            )
            history = (one for page in pages for one in page["SpotPriceHistory"])
            for one in islice(history, budgets.SPOT_PRICES.value):
                records.setdefault(one["InstanceType"], []).append(one)
    return {name: _distribution(records[name], now) for name in types if name in records}


def _distribution(records: Iterable[dict[str, Any]], now: datetime.datetime) -> SpotPrice:
    ordered = sorted(records, key=lambda one: one["Timestamp"])
    newest = {one["AvailabilityZone"]: float(one["SpotPrice"]) for one in ordered}
    median = statistics.median(newest.values())
    values = [float(one["SpotPrice"]) for one in ordered]
    tenths = statistics.quantiles(values, n=_TENTHS, method="inclusive") if len(values) > 1 else values
    source = f"ec2 describe-spot-price-history; factors: 10th and 90th percentile of {DAYS} days"
    price = Price(median, "hour", now.date().isoformat(), source, True)
    low, high = min(tenths[0], median), max(tenths[-1], median)
    return SpotPrice(price, round(low / median, 4), round(high / median, 4), len(newest))
