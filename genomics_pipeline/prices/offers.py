"""AWS's public offer files in CSV: five lines about the file, a header, and a row for each price.

Source: "Reading the service price list file", AWS Billing user guide. Usage types are those of AWS's usage reports; all
Regions but us-east-1 have a prefix before them (``EUC1-Requests-Tier1``), of some services us-east-1 too.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.prices.price import Price, Rate, Tier

DATA = "offer_items.csv"
HOST_OFFER = "AmazonEC2"
_ABOUT_LINES = 5
_PREFIX = re.compile(r"(?:[A-Z]{2,4}[0-9]?|[a-z]{2}(?:-[a-z]+)+-[0-9])-")
_STORE = re.compile(r"(?:(?P<disks>\d+) x )?(?P<gb>\d[\d,]*) ?(?:GB )?(?:NVMe|SSD)")
_MEMORY = re.compile(r"(?P<gib>[\d,.]+) GiB")
_LINUX = {
    "TermType": "OnDemand",
    "Product Family": "Compute Instance",
    "Tenancy": "Shared",
    "Operating System": "Linux",
    "Pre Installed S/W": "NA",
    "CapacityStatus": "Used",
    "Unit": "Hrs",
    "Currency": "USD",
}
_NEEDED = ("SKU", "TermType", "StartingRange", "PricePerUnit", "Currency", "usageType")
_HOST_COLUMNS = (*_LINUX, "Instance Type", "vCPU", "Memory", "Storage", "Physical Processor")


@dataclass(frozen=True, slots=True)
class OfferItem:
    """An item of a service in an offer file.

    Attributes:
        item: The item, ``S3/standard-storage``.
        offer: The code of the offer, ``AmazonS3``.
        usage_type: Its usage type without the prefix of the Region.
        per: The number of units that the offer's price is of.
        unit: The unit.
    """

    item: str
    offer: str
    usage_type: str
    per: int
    unit: str


@dataclass(slots=True)
class OfferPrices:
    """The prices that are used of an offer file.

    Attributes:
        hosts: The instance types and their On-Demand prices, by name.
        rates: The prices of services by item.
        ambiguous: The items of which the file has several different prices, which are not used.
    """

    hosts: dict[str, tuple[HostType, Price]] = field(default_factory=dict)
    rates: dict[str, Rate] = field(default_factory=dict)
    ambiguous: list[str] = field(default_factory=list)


@cache
def offer_items() -> tuple[OfferItem, ...]:
    """Return the items that are read from offer files."""
    text = (resources.files("genomics_pipeline.prices") / DATA).read_text("utf-8")
    return tuple(
        OfferItem(row["item"], row["offer"], row["usage_type"], int(row["per"]), row["unit"])
        for row in csv.DictReader(text.splitlines())
    )


def parse_offer(lines: Iterable[str], offer: str, url: str) -> OfferPrices:
    """Return the prices of an offer file.

    Args:
        lines: Its lines.
        offer: The code of the offer that is expected.
        url: Where it was read, for the sources of its prices and for messages.

    Raises:
        DataError: if it is not such a file.
    """
    reader = csv.reader(lines)
    try:
        about = dict(row[:2] for _, row in zip(range(_ABOUT_LINES), reader, strict=False) if len(row) > 1)
        if about.get("OfferCode") != offer or not re.match(r"\d{4}-\d\d-\d\d", about.get("Publication Date", "")):
            raise DataError(Problem(f"expected an offer file of {offer} with its publication date, found another", url))
        header = next(reader, [])
        needed = (*_NEEDED, *(_HOST_COLUMNS if offer == HOST_OFFER else ()))
        if missing := [name for name in needed if name not in header]:
            raise DataError(Problem(f"expected the columns {', '.join(missing)}, found none", url, reader.line_num))
        rows = (dict(zip(header, row, strict=False)) for row in reader)
        return _prices(rows, offer, about["Publication Date"][:10], url)
    except (csv.Error, ValueError, KeyError) as error:
        problem = f"expected an offer file, found a row that is none: {error}"
        raise DataError(Problem(problem, url, reader.line_num)) from None


def _prices(rows: Iterator[dict[str, str]], offer: str, date: str, url: str) -> OfferPrices:
    wanted = {one.usage_type: one for one in offer_items() if one.offer == offer}
    found = OfferPrices()
    ladders: dict[str, dict[str, dict[float, float]]] = {}  # dollars by start, by SKU, by item
    for row in rows:
        if row["TermType"] != "OnDemand" or row["Currency"] != "USD":
            continue
        usage = row["usageType"]
        one = wanted.get(usage) or wanted.get(_PREFIX.sub("", usage, count=1))
        if one is not None:
            ladder = ladders.setdefault(one.item, {}).setdefault(row["SKU"], {})
            ladder[float(row["StartingRange"]) * one.per] = float(row["PricePerUnit"]) / one.per
        elif offer == HOST_OFFER and (host := _host(row)) and float(row["PricePerUnit"]):
            found.hosts[host.name] = (host, Price(float(row["PricePerUnit"]), "hour", date, url, True))
    for one in wanted.values():
        _take(found, one, list(ladders.get(one.item, {}).values()), date, url)
    return found


def _take(found: OfferPrices, one: OfferItem, ladders: list[dict[float, float]], date: str, url: str) -> None:
    """Add the price of an item, if the file has one and no other."""
    if any(ladder != ladders[0] for ladder in ladders):
        found.ambiguous.append(one.item)
    elif ladders and 0 in ladders[0]:
        tiers = sorted(ladders[0].items())
        found.rates[one.item] = Rate(
            one.item, tuple(Tier(start, Price(value, one.unit, date, url, True)) for start, value in tiers)
        )


def _host(row: dict[str, str]) -> HostType | None:
    """Return the instance type of a row; None if it is of something else, such as Windows or a reservation."""
    if any(row.get(name) != value for name, value in _LINUX.items()):
        return None
    if not (memory := _MEMORY.fullmatch(row["Memory"])):
        return None
    store = _STORE.search(row["Storage"])
    store_gb = int(store["disks"] or 1) * int(store["gb"].replace(",", "")) if store else 0
    architecture = Architecture.ARM64 if "Graviton" in row["Physical Processor"] else Architecture.X86_64
    memory_mib = round(float(memory["gib"].replace(",", "")) * 1024)
    return HostType(row["Instance Type"], int(row["vCPU"]), memory_mib, store_gb, architecture)
