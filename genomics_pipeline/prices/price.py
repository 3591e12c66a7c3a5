"""Prices of a Region, each with its date and source: US dollars, before tax, discounts and savings plans."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostType

GB = 1 << 30  # bytes of a GB, as AWS bills storage and transfer: S3 pricing page, "GB-months"
_DATE = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?")


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit.

    Attributes:
        value: US dollars for one unit.
        unit: ``hour``, ``GB-month``, ``request``, …
        date: The day, month or year in ISO 8601, or two days with ``/`` between them; empty where the source has none.
        source: Where it was read.
        verified: False for what a third party quotes, and for what is known from memory only.
    """

    value: float
    unit: str
    date: str
    source: str
    verified: bool

    def age_days(self, today: datetime.date) -> int | None:
        """Return its age in days, from the first day that its date may mean; None without a date.

        >>> Price(0.023, "GB-month", "2025-10", "a page", True).age_days(datetime.date(2025, 11, 2))
        32
        """
        if (match := _DATE.match(self.date)) is None:
            return None
        first = datetime.date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
        return (today - first).days


@dataclass(frozen=True, slots=True)
class Tier:
    """A price that holds from a number of units a month on.

    Attributes:
        start: The number of units below which another tier holds.
        price: The price of each unit above it.
    """

    start: float
    price: Price


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of an item of a service.

    Attributes:
        item: ``<service>/<item>``, such as ``S3/standard-storage``.
        tiers: At least one, by increasing start, the first from 0.
    """

    item: str
    tiers: tuple[Tier, ...]

    @property
    def price(self) -> Price:
        """The price of the first unit that is not free; of an item that is always free, 0."""
        return next((tier.price for tier in self.tiers if tier.price.value), self.tiers[0].price)

    @property
    def verified(self) -> bool:
        """True if the price of every tier is verified."""
        return all(tier.price.verified for tier in self.tiers)

    def total(self, quantity: float, already: float = 0, *, with_free_tier: bool = False) -> float:
        """Return the dollars for a quantity.

        Args:
            quantity: The number of units.
            already: The number of units that the account uses of it in the same month.
            with_free_tier: Whether the first units, which AWS gives away, are free; else they cost what the next do,
                since the account may have used them elsewhere.
        """
        ends = [*(tier.start for tier in self.tiers), float("inf")]
        total = 0.0
        for tier, (start, end) in zip(self.tiers, pairwise(ends), strict=True):
            units = max(0.0, min(already + quantity, end) - max(already, start))
            total += units * (tier.price.value if tier.price.value or with_free_tier else self.price.value)
        return total


@dataclass(frozen=True, slots=True)
class SpotPrice:
    """The Spot price of an instance type, which differs between zones and days.

    Attributes:
        median: The median over the zones, in dollars an hour.
        low_factor: The factor of the median that gives a low price.
        high_factor: The one that gives a high price; the source of the median says what both rest on.
        zones: The number of zones.
    """

    median: Price
    low_factor: float
    high_factor: float
    zones: int

    @property
    def low(self) -> float:
        """A low price in dollars an hour."""
        return self.median.value * self.low_factor

    @property
    def high(self) -> float:
        """A high price in dollars an hour."""
        return self.median.value * self.high_factor


@dataclass(frozen=True, slots=True)
class HostPrice:
    """The prices of an instance type: Linux, shared tenancy.

    Attributes:
        host: The instance type.
        on_demand: Its On-Demand price in dollars an hour.
        spot: Its Spot price; None where it was not read, which does not mean that there is none.
    """

    host: HostType
    on_demand: Price
    spot: SpotPrice | None


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a Region.

    Attributes:
        region: Its name, ``us-east-1``.
        hosts: The prices of instance types by name.
        rates: The prices of services by item.
        origin: The folders that the tables were read from, for people.
    """

    region: str
    hosts: Mapping[str, HostPrice]
    rates: Mapping[str, Rate]
    origin: str

    def host(self, instance_type: str) -> HostPrice:
        """Return the prices of an instance type.

        Raises:
            UnknownPrice: if it has none.
        """
        if (found := self.hosts.get(instance_type)) is None:
            raise self._unknown(f"the instance type {instance_type}", "instance types", len(self.hosts))
        return found

    def rate(self, item: str) -> Rate:
        """Return the price of an item of a service.

        Raises:
            UnknownPrice: if it has none.
        """
        if (found := self.rates.get(item)) is None:
            raise self._unknown(item, "items of services", len(self.rates))
        return found

    def _unknown(self, what: str, kind: str, known: int) -> UnknownPrice:
        command = f"genomics-pipeline prices --region {self.region}"
        return UnknownPrice(
            f"expected a price of {what} in {self.region}, found those of {known} other {kind}; `{command}` lists "
            f"them, `{command.replace(' --', ' update --')}` reads AWS's newest"
        )


class UnknownPrice(DataError):
    """A price that is in no table."""
