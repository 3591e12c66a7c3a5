"""The profiles of accounts: statistics of a simulated history, which are an object that functions read."""

from __future__ import annotations

from collections import Counter
from math import log
from random import Random
from statistics import fmean, pstdev
from typing import Any

from genomics_pipeline.simulation.transactions.accounts import Account, CardNetwork
from genomics_pipeline.simulation.transactions.spending import purchases

DAYS = 30


def profile(account: Account, network: CardNetwork) -> dict[str, Any]:
    """Return the profile of an account, from its purchases of some days before the simulation.

    ``log_mean`` and ``log_sd`` are of the logarithms of amounts; ``categories`` has the share of each.
    """
    rng = Random(f"history {network.seed} {account.name}")
    count = max(5, round(account.per_day * DAYS))
    history = [purchases(account, 0.0, network, rng, False)[0] for _ in range(count)]
    logs = [log(one.amount) for one in history]
    categories = Counter(one.merchant.category.name for one in history)
    used = Counter(one.device for one in history if one.device)
    return {
        "log_mean": round(fmean(logs), 3),
        "log_sd": round(max(0.3, pstdev(logs)), 3),
        "per_day": round(count / DAYS, 3),
        "categories": {name: round(seen / count, 4) for name, seen in sorted(categories.items())},
        "devices": sorted({*account.devices, *(device for device, seen in used.items() if seen > 1)}),
        "lat": network.cities[account.home][0],
        "lon": network.cities[account.home][1],
        "limit": account.limit,
    }
