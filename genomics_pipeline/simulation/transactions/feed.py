"""Files of transactions: each holds some time of the network, in the order of time, with the truth about fraud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from genomics_pipeline.simulation.transactions.accounts import CardNetwork
from genomics_pipeline.simulation.transactions.fraud import episode
from genomics_pipeline.simulation.transactions.spending import TRIP, Purchase, purchases

DAY_S = 86_400
EPOCH = 1_790_000_000.0
EPISODE = 1 / 400  # of the records: begins fraud


@dataclass(frozen=True, slots=True)
class FeedFile:
    """A file of transactions.

    Attributes:
        number: Its number, from 0.
        records: The transactions.
        truth: The fraudulent ones: ``id``, ``account``, ``pattern``.
    """

    number: int
    records: list[dict[str, Any]]
    truth: list[dict[str, str]]


def feed(network: CardNetwork, files: int, records: int) -> Iterator[FeedFile]:
    """Yield files of transactions, the same ones for the same network, whatever the number of files.

    Args:
        network: The network.
        files: The number of files.
        records: The records of each.
    """
    cumulated = list(accumulate(account.per_day for account in network.accounts))
    for number in range(files):
        rng = Random(f"file {network.seed} {number} {records}")
        found = sorted(_purchases(network, cumulated, number, records, rng), key=lambda one: one.seconds)
        rows = [one.to_record(number * records + place, network, EPOCH) for place, one in enumerate(found)]
        truth = [
            {"id": row["id"], "account": row["account"], "pattern": one.pattern}
            for row, one in zip(rows, found, strict=True)
            if one.pattern
        ]
        yield FeedFile(number, rows, truth)


def _purchases(network: CardNetwork, cumulated: list[float], number: int, count: int, rng: Random) -> list[Purchase]:
    """Return exactly `count` purchases of a window."""
    window_s = count * DAY_S / cumulated[-1]  # in which the accounts make as many purchases
    begin = number * window_s
    found: list[Purchase] = []
    victims = set()
    for _ in range(sum(rng.random() < EPISODE for _ in range(count))):
        victim = rng.choice(network.accounts)
        more = episode(victim, begin + rng.uniform(0, window_s / 2), network, rng)
        if victim.name not in victims and len(found) + len(more) <= count:
            victims.add(victim.name)
            found += more
    while len(found) < count:
        account = rng.choices(network.accounts, cum_weights=cumulated)[0]
        away = Random(f"away {network.seed} {account.name} {number}").random() < TRIP and account.name not in victims
        found += purchases(account, begin + rng.uniform(0, window_s), network, rng, away)[: count - len(found)]
    return found
