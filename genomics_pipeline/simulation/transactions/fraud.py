"""Patterns of card fraud, each as an episode of one account within minutes; some are hardly visible."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from genomics_pipeline.simulation.transactions.accounts import (
    CATEGORIES,
    CITIES,
    ONLINE,
    RESOLD,
    Account,
    CardNetwork,
)
from genomics_pipeline.simulation.transactions.spending import Purchase, amount_of, some_device

FAINT = 0.15  # of the episodes: fewer and smaller transactions
_RESOLD = [one for one in CATEGORIES if one.name in RESOLD]
Episode = Callable[[Account, float, CardNetwork, Random, bool], list[Purchase]]


def card_testing(account: Account, start: float, network: CardNetwork, rng: Random, faint: bool) -> list[Purchase]:
    """Return small charges at many merchants within minutes, by which stolen cards are tried.

    Args:
        account: The account.
        start: The time of the first transaction.
        network: The network.
        rng: The source of randomness.
        faint: Whether there are few.
    """
    device, found = some_device(rng), []
    for number in range(rng.randint(3, 4) if faint else rng.randint(6, 15)):
        merchant = network.some_merchant(rng.choice(CATEGORIES), ONLINE, rng)
        amount = round(rng.uniform(0.5, 4), 2)
        at = start + number * rng.uniform(3, 12)
        found.append(Purchase(at, account, merchant, amount, device, rng.random() < 0.3, "card_testing"))
    return found


def account_takeover(account: Account, start: float, network: CardNetwork, rng: Random, faint: bool) -> list[Purchase]:
    """Return purchases online from a device of somebody else, of goods that are easily sold.

    Args:
        account: The account.
        start: The time of the first transaction.
        network: The network.
        rng: The source of randomness.
        faint: Whether there is one of a usual amount.
    """
    device, found = some_device(rng), []
    for number in range(1 if faint else rng.randint(2, 5)):
        category = rng.choice(_RESOLD)
        amount = amount_of(account, category, rng, 1.0 if faint else rng.uniform(1.5, 5))
        merchant = network.some_merchant(category, ONLINE, rng)
        at = start + number * rng.uniform(20, 120)
        found.append(Purchase(at, account, merchant, amount, device, rng.random() < 0.1, "account_takeover"))
    return found


def impossible_travel(account: Account, start: float, network: CardNetwork, rng: Random, faint: bool) -> list[Purchase]:
    """Return purchases with a copied card in another city, minutes after the owner paid at home.

    Args:
        account: The account.
        start: The time of the first transaction.
        network: The network.
        rng: The source of randomness.
        faint: Whether the owner paid nowhere.
    """
    far = rng.choice([city for city in range(CITIES) if city != account.home])
    found = []
    if not faint:
        groceries = CATEGORIES[0]
        own = network.some_merchant(groceries, account.home, rng)
        found.append(Purchase(start, account, own, amount_of(account, groceries, rng), None))
    for number in range(rng.randint(1, 3)):
        category = rng.choice(CATEGORIES[:1] + CATEGORIES[6:8])
        amount = amount_of(account, category, rng, rng.uniform(1, 2))
        at = start + 60 + number * rng.uniform(30, 200)
        merchant = network.some_merchant(category, far, rng)
        found.append(Purchase(at, account, merchant, amount, None, False, "impossible_travel"))
    return found


def bust_out(account: Account, start: float, network: CardNetwork, rng: Random, faint: bool) -> list[Purchase]:
    """Return purchases by which an account's owner spends its limit at once, and vanishes.

    Args:
        account: The account.
        start: The time of the first transaction.
        network: The network.
        rng: The source of randomness.
        faint: Whether it is a part of the limit only.
    """
    count = rng.randint(4, 9)
    total = account.limit * (rng.uniform(0.15, 0.3) if faint else rng.uniform(0.6, 1.0))
    shares = [rng.uniform(0.5, 1.5) for _ in range(count)]
    found = []
    for number, share in enumerate(shares):
        merchant = network.some_merchant(rng.choice(_RESOLD), account.home, rng)
        amount = round(total * share / sum(shares), 2)
        at = start + number * rng.uniform(30, 90)
        found.append(Purchase(at, account, merchant, amount, None, False, "bust_out"))
    return found


PATTERNS: tuple[Episode, ...] = (card_testing, account_takeover, impossible_travel, bust_out)


def episode(account: Account, start: float, network: CardNetwork, rng: Random) -> list[Purchase]:
    """Return the transactions of an episode of any pattern.

    Args:
        account: The account.
        start: The time of the first transaction.
        network: The network.
        rng: The source of randomness.
    """
    return rng.choice(PATTERNS)(account, start, network, rng, rng.random() < FAINT)
