"""Purchases of honest accounts: their habits, and what is unusual without being fraud."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from random import Random
from typing import Any

from genomics_pipeline.simulation.transactions.accounts import (
    CATEGORIES,
    CITIES,
    ONLINE,
    Account,
    CardNetwork,
    Category,
    Merchant,
)

TRIP = 0.02  # of the windows of an account, when it is away
NEW_MERCHANT = 0.15  # of purchases
NEW_DEVICE = 0.02  # of purchases online
LARGE = 0.004  # of purchases: once-in-a-year ones
GAME_SESSION = 0.004  # of purchases: followed by more small ones in the same game
DECLINED = 0.01


@dataclass(frozen=True, slots=True)
class Purchase:
    """A transaction before it has an identifier.

    Attributes:
        seconds: The time, in seconds since the beginning of the simulation.
        account: The account.
        merchant: The merchant.
        amount: The amount.
        device: The device of a purchase online; None at a terminal.
        declined: Whether it was declined.
        pattern: The pattern of fraud; empty for an honest purchase.
    """

    seconds: float
    account: Account
    merchant: Merchant
    amount: float
    device: str | None
    declined: bool = False
    pattern: str = ""

    def to_record(self, number: int, network: CardNetwork, epoch: float) -> dict[str, Any]:
        """Return the transaction as it is delivered.

        Args:
            number: Its number.
            network: The network, which knows where the merchant is.
            epoch: The beginning of the simulation, in seconds since 1970.
        """
        city = self.merchant.city
        place = {} if city == ONLINE else {"lat": network.cities[city][0], "lon": network.cities[city][1]}
        return {
            "id": f"T{number:010d}",
            "time": round(epoch + self.seconds, 3),
            "account": self.account.name,
            "merchant": self.merchant.name,
            "category": self.merchant.category.name,
            "amount": self.amount,
            "channel": "online" if self.device else "terminal",
            **({"device": self.device} if self.device else {}),
            **place,
            "declined": self.declined,
        }


def amount_of(account: Account, category: Category, rng: Random, factor: float = 1.0) -> float:
    """Return the amount of a purchase.

    Args:
        account: The account.
        category: The kind of the merchant.
        rng: The source of randomness.
        factor: Multiplies it.
    """
    return round(max(0.5, category.median * account.wealth * factor * exp(rng.gauss(0, category.spread))), 2)


def some_device(rng: Random) -> str:
    """Return a device that no account has."""
    return f"D{rng.getrandbits(40):010x}"


def purchases(account: Account, seconds: float, network: CardNetwork, rng: Random, away: bool) -> list[Purchase]:
    """Return an honest purchase, seldom with more that follow it.

    Args:
        account: The account.
        seconds: The time.
        network: The network.
        rng: The source of randomness.
        away: Whether the account is on a trip.
    """
    merchant = rng.choice(account.favourites)
    if away or rng.random() < NEW_MERCHANT:
        category = rng.choices(CATEGORIES, [one.share for one in CATEGORIES])[0]
        here = Random(f"trip {network.seed} {account.name}").randrange(CITIES) if away else account.home
        merchant = network.some_merchant(category, ONLINE if rng.random() < category.online else here, rng)
    device = None
    if merchant.city == ONLINE:
        device = some_device(rng) if rng.random() < NEW_DEVICE else rng.choice(account.devices)
    factor = rng.uniform(3, 8) if rng.random() < LARGE else 1.0
    amount = amount_of(account, merchant.category, rng, factor)
    first = Purchase(seconds, account, merchant, amount, device, rng.random() < DECLINED)
    if rng.random() >= GAME_SESSION:
        return [first]
    game = network.some_merchant(next(one for one in CATEGORIES if one.name == "games"), ONLINE, rng)
    times = [seconds + rng.uniform(5, 400) for _ in range(rng.randint(2, 6))]
    return [first, *(Purchase(at, account, game, rng.choice((0.99, 1.99, 4.99)), account.devices[0]) for at in times)]
