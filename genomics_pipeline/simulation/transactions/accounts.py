"""Accounts, merchants and cities of a simulated card network, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from random import Random

CITIES = 120
ONLINE = -1  # in the place of a city


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of merchants.

    Attributes:
        name: Its name.
        share: Its share of all purchases.
        median: The median amount of a purchase.
        spread: The standard deviation of the logarithm of an amount.
        online: The share of its purchases that are made online.
    """

    name: str
    share: float
    median: float
    spread: float
    online: float


CATEGORIES = (
    Category("groceries", 0.30, 32.0, 0.6, 0.08),
    Category("restaurants", 0.20, 24.0, 0.6, 0.10),
    Category("fuel", 0.12, 45.0, 0.3, 0.0),
    Category("transport", 0.10, 9.0, 0.7, 0.4),
    Category("fashion", 0.09, 60.0, 0.7, 0.5),
    Category("games", 0.06, 5.0, 0.8, 1.0),
    Category("electronics", 0.05, 140.0, 0.9, 0.5),
    Category("cash", 0.04, 80.0, 0.5, 0.0),
    Category("travel", 0.03, 220.0, 0.9, 0.8),
    Category("jewellery", 0.01, 180.0, 1.0, 0.2),
)
RESOLD = ("electronics", "jewellery", "travel")  # what fraud buys


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant.

    Attributes:
        name: Its identifier.
        category: Its kind.
        city: The number of its city; `ONLINE` for none.
    """

    name: str
    category: Category
    city: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its habits.

    Attributes:
        name: Its identifier.
        home: The number of its city.
        wealth: The factor of its amounts.
        per_day: Its purchases a day.
        favourites: Merchants that it returns to.
        devices: The devices that it pays with online.
        limit: The most that it can spend.
    """

    name: str
    home: int
    wealth: float
    per_day: float
    favourites: tuple[Merchant, ...]
    devices: tuple[str, ...]
    limit: float


@dataclass(frozen=True, slots=True)
class CardNetwork:
    """Accounts with their merchants.

    Attributes:
        seed: The seed that made it.
        cities: The latitude and longitude of each city.
        merchants: Merchants by category and city, with `ONLINE`.
        accounts: The accounts.
    """

    seed: int
    cities: Sequence[tuple[float, float]]
    merchants: Mapping[tuple[str, int], Sequence[Merchant]]
    accounts: Sequence[Account]

    def some_merchant(self, category: Category, city: int, rng: Random) -> Merchant:
        """Return a merchant of a category.

        Args:
            category: The category.
            city: The number of a city, or `ONLINE`.
            rng: The source of randomness.
        """
        return rng.choice(self.merchants[category.name, city])


def draw_network(accounts: int, seed: int) -> CardNetwork:
    """Return a network; a larger one of the same seed has the same first accounts.

    Args:
        accounts: The number of accounts.
        seed: The seed.
    """
    rng = Random(f"network {seed}")
    cities = [(round(rng.uniform(25, 60), 3), round(rng.uniform(-120, 40), 3)) for _ in range(CITIES)]
    merchants: dict[tuple[str, int], list[Merchant]] = {}
    for category in CATEGORIES:
        for city in range(ONLINE, CITIES):
            first = len(merchants) * 8
            count = 40 if city == ONLINE else 8
            names = [f"M{first + number:05d}{'N' if city == ONLINE else ''}" for number in range(count)]
            merchants[category.name, city] = [Merchant(name, category, city) for name in names]
    network = CardNetwork(seed, cities, merchants, ())
    return CardNetwork(seed, cities, merchants, [_account(number, network) for number in range(accounts)])


def _account(number: int, network: CardNetwork) -> Account:
    rng = Random(f"account {network.seed} {number}")
    home = rng.randrange(CITIES)
    weights = [category.share * rng.gammavariate(1.5, 1.0) for category in CATEGORIES]
    chosen = rng.choices(CATEGORIES, weights, k=14)
    places = [(one, ONLINE if rng.random() < one.online else home) for one in chosen]
    favourites = tuple(network.some_merchant(category, city, rng) for category, city in places)
    wealth = exp(rng.gauss(0, 0.5))
    devices = tuple(f"D{rng.getrandbits(40):010x}" for _ in range(rng.choice((1, 1, 2))))
    limit = round(2_000 * wealth * exp(rng.gauss(0, 0.3)), -2) or 100.0
    return Account(f"A{number:07d}", home, wealth, rng.gammavariate(2.0, 1.5), favourites, devices, limit)
