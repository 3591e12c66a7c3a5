"""The newest prices of a Region: read from AWS's public offer files, kept as the user's own tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.web_uri import is_web, web_misfit
from genomics_pipeline.prices.load import check_region, load_prices
from genomics_pipeline.prices.offers import HOST_OFFER, OfferPrices, offer_items, parse_offer
from genomics_pipeline.prices.price import Rate, SpotPrice
from genomics_pipeline.prices.tables import (
    HOSTS_FILE,
    SERVICES_FILE,
    SPOT_FILE,
    hosts_table,
    services_table,
    spot_table,
)
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.publish import publish_bytes
from genomics_pipeline.stores.web import web_pieces

OFFERS = "https://pricing.us-east-1.amazonaws.com"


@dataclass(frozen=True, slots=True)
class PriceUpdate:
    """The outcome of an update.

    Attributes:
        folder: The folder of the Region's tables.
        hosts: The number of instance types.
        spot: The number of new Spot prices.
        items: The items of services that were read.
        kept: The items that keep an older price, since the files have none or several.
    """

    folder: Path
    hosts: int
    spot: int
    items: list[str]
    kept: list[str]


def update_prices(
    region: str,
    folder: Path,
    address: str = OFFERS,
    read_spot: Callable[[list[str]], dict[str, SpotPrice]] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> PriceUpdate:
    """Read the prices of a Region, and write them once all are read: after a failure the old ones are still there.

    Args:
        region: The Region.
        folder: The folder of the user's own tables.
        address: The address of the offer files.
        read_spot: Returns the Spot prices of instance types; None to leave them as they are.
        say: Called with a line for each file that was read.

    Raises:
        UsageError: for an address or a Region that is none.
        DataError: if a file cannot be read.
    """
    check_region(region)
    if not is_web(address):
        raise UsageError(f"--offers: expected a web address such as {OFFERS}, found {without_secrets(address)}")
    if misfit := web_misfit(address):
        raise UsageError(f"--offers: {misfit}")
    found = OfferPrices()
    for offer in dict.fromkeys([HOST_OFFER, *(one.offer for one in offer_items())]):
        _read_offer(found, offer, region, address, say)
    known = _known_rates(region, folder)
    spot = read_spot(list(found.hosts)) if read_spot is not None else {}
    target = folder / region
    publish_bytes(target / HOSTS_FILE, hosts_table(found.hosts.values()).encode())
    publish_bytes(target / SERVICES_FILE, services_table({**known, **found.rates}.values()).encode())
    if spot:
        publish_bytes(target / SPOT_FILE, spot_table(spot).encode())
    return PriceUpdate(
        target, len(found.hosts), len(spot), list(found.rates), [one for one in known if one not in found.rates]
    )


def _read_offer(found: OfferPrices, offer: str, region: str, address: str, say: Callable[[str], object]) -> None:
    """Add the prices of an offer; a Region without the service has no such file."""
    url = f"{address.rstrip('/')}/offers/v1.0/aws/{offer}/current/{region}/index.csv"
    try:
        prices = parse_offer(_lines(web_pieces(url, budgets.OFFER_TIME.value), url), offer, url)
    except MissingObject:
        if offer == HOST_OFFER:
            raise DataError(f"expected AWS's prices of the Region {region} at {url}, found no such file") from None
        say(f"{offer}: no file of {region}")
        return
    if offer == HOST_OFFER and not prices.hosts:
        raise DataError(f"{url}: expected On-Demand prices of Linux instances, found none")
    found.hosts |= prices.hosts
    found.rates |= prices.rates
    found.ambiguous += prices.ambiguous
    several = f"; several prices, so none is used, of {', '.join(prices.ambiguous)}" if prices.ambiguous else ""
    say(f"{offer}: {len(prices.hosts) + len(prices.rates)} prices{several}")


def _known_rates(region: str, folder: Path) -> dict[str, Rate]:
    """Return the prices of services that there were before; none of a new Region."""
    try:
        return dict(load_prices(region, folder).rates)
    except DataError:
        return {}


def _lines(pieces: Iterable[bytes], url: str) -> Iterator[str]:
    """Yield the lines of a file within its budgets.

    Raises:
        DataError: for a longer file or line, or one that is not UTF-8.
    """
    rest, received = b"", 0
    for piece in pieces:
        received += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        if received > budgets.OFFER_SIZE.value:
            raise DataError(f"{url}: expected at most {budgets.OFFER_SIZE}, found more")
        if len(rest) > budgets.OFFER_LINE.value:
            raise DataError(f"{url}: expected lines of at most {budgets.OFFER_LINE}, found a longer one")
        yield from (_text(line, url) for line in lines)
    if rest:
        yield _text(rest, url)


def _text(line: bytes, url: str) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError:
        raise DataError(f"{url}: expected UTF-8, found other bytes") from None
