"""The three tables of a Region: instance types, their Spot prices, and services."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.prices.price import Price, Rate, SpotPrice, Tier

HOSTS_FILE, SPOT_FILE, SERVICES_FILE = "instance_types.csv", "spot.csv", "services.csv"
BASIS = ("date", "source", "verified")  # the last columns of each table
HOSTS_COLUMNS = ("instance_type", "vcpus", "memory_mib", "instance_store_gb", "arch", "usd_per_hour", *BASIS)
SPOT_COLUMNS = ("instance_type", "usd_per_hour_median", "low_factor", "high_factor", "zones", *BASIS)
SERVICES_COLUMNS = ("item", "from", "per", "unit", "usd", *BASIS)

PriceRow = dict[str, str]
T = TypeVar("T")


def parse_hosts(text: str, file: str) -> dict[str, tuple[HostType, Price]]:
    """Return the instance types of a table with their On-Demand prices, by name.

    Args:
        text: The table in CSV.
        file: Its path, for messages.

    Raises:
        DataError: for wrong columns or values, with the line of each.
    """
    return {host.name: (host, price) for host, price in _parsed(text, file, HOSTS_COLUMNS, _host)}


def parse_spot(text: str, file: str) -> dict[str, SpotPrice]:
    """Return the Spot prices of a table by the name of the instance type; see `parse_hosts`."""
    return dict(_parsed(text, file, SPOT_COLUMNS, _spot))


def parse_services(text: str, file: str) -> dict[str, Rate]:
    """Return the prices of a table of services by item; see `parse_hosts`.

    Raises:
        DataError: also for an item whose tiers do not begin with 0 and increase.
    """
    tiers: dict[str, list[Tier]] = {}
    for item, tier in _parsed(text, file, SERVICES_COLUMNS, _tier):
        tiers.setdefault(item, []).append(tier)
    for item, some in tiers.items():
        starts = [tier.start for tier in some]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise DataError(Problem(f"{item}: expected tiers from 0 on, by increasing start, found {starts}", file))
    return {item: Rate(item, tuple(some)) for item, some in tiers.items()}


def _parsed(text: str, file: str, columns: tuple[str, ...], parse: Callable[[PriceRow], T]) -> Iterator[T]:
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != columns:
        raise DataError(Problem(f"expected the columns {','.join(columns)}, found others; delete the file", file, 1))
    for row in reader:
        try:
            yield parse(row)
        except (ValueError, TypeError, AttributeError) as error:
            problem = f"expected a price, found a row that is none ({error}); delete the file"
            raise DataError(Problem(problem, file, reader.line_num)) from None


def _host(row: PriceRow) -> tuple[HostType, Price]:
    host = HostType(
        row["instance_type"],
        int(row["vcpus"]),
        int(row["memory_mib"]),
        int(row["instance_store_gb"]),
        Architecture(row["arch"]),
    )
    return host, _price(row, row["usd_per_hour"], "hour")


def _spot(row: PriceRow) -> tuple[str, SpotPrice]:
    median = _price(row, row["usd_per_hour_median"], "hour")
    factors = _amount(row["low_factor"]), _amount(row["high_factor"])
    return row["instance_type"], SpotPrice(median, *factors, int(row["zones"]))


def _tier(row: PriceRow) -> tuple[str, Tier]:
    return row["item"], Tier(_amount(row["from"]), _price(row, row["usd"], row["unit"], int(row["per"])))


def _price(row: PriceRow, usd: str, unit: str, per: int = 1) -> Price:
    if row["verified"] not in ("yes", "no"):
        raise ValueError(f"verified is {row['verified']}")
    return Price(_amount(usd) / per, unit, row["date"], row["source"], row["verified"] == "yes")


def _amount(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text} is no amount")
    return value


def hosts_table(hosts: Iterable[tuple[HostType, Price]]) -> str:
    """Return the table of instance types with their On-Demand prices."""
    return _table(
        HOSTS_COLUMNS,
        (
            (host.name, host.vcpus, host.memory_mib, host.store_gb, host.architecture, price.value, *_basis(price))
            for host, price in hosts
        ),
    )


def spot_table(spot: Mapping[str, SpotPrice]) -> str:
    """Return the table of Spot prices by instance type."""
    return _table(
        SPOT_COLUMNS,
        (
            (name, one.median.value, one.low_factor, one.high_factor, one.zones, *_basis(one.median))
            for name, one in spot.items()
        ),
    )


def services_table(rates: Iterable[Rate]) -> str:
    """Return the table of services."""
    tiers = ((rate.item, tier) for rate in rates for tier in rate.tiers)
    return _table(
        SERVICES_COLUMNS,
        ((item, tier.start, 1, tier.price.unit, tier.price.value, *_basis(tier.price)) for item, tier in tiers),
    )


def _basis(price: Price) -> tuple[str, str, str]:
    return price.date, price.source, "yes" if price.verified else "no"


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
