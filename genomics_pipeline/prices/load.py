"""The prices of a Region: the user's own tables, which `prices update` writes, before those of the package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.prices.price import HostPrice, Prices
from genomics_pipeline.prices.tables import (
    HOSTS_FILE,
    SERVICES_FILE,
    SPOT_FILE,
    parse_hosts,
    parse_services,
    parse_spot,
)
from genomics_pipeline.stores.bounded_file import read_bounded_text

SHIPPED_REGION = "us-east-1"
FOLDER = "genomics-pipeline/prices"  # below the user's folder for data
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}")

T = TypeVar("T")


def user_folder(environment: Mapping[str, str], home: Path | None) -> Path | None:
    """Return the folder of the user's own tables; None for a user without a folder for data.

    It is below XDG_DATA_HOME (XDG Base Directory Specification), else below the home.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    >>> user_folder({}, Path("/home/ann"))
    PosixPath('/home/ann/.local/share/genomics-pipeline/prices')
    """
    if (named := environment.get("XDG_DATA_HOME", "")).startswith("/"):
        return Path(named) / FOLDER
    return None if home is None else home / ".local/share" / FOLDER


def check_region(region: str) -> str:
    """Return the name of a Region.

    Raises:
        UsageError: if it is none.
    """
    if not _REGION.fullmatch(region):
        raise UsageError(f"--region: expected a Region such as {SHIPPED_REGION}, found {region!r}")
    return region


def load_prices(region: str = SHIPPED_REGION, folder: Path | None = None) -> Prices:
    """Return the prices of a Region.

    Args:
        region: The Region.
        folder: The folder of the user's own tables; None for those of the package alone.

    Raises:
        DataError: if there are none, or a table of the user's cannot be read.
        UsageError: if it is no Region.
    """
    source = _Tables(_package(), folder, check_region(region))
    hosts = source.table(HOSTS_FILE, parse_hosts)
    services = source.table(SERVICES_FILE, parse_services)
    if hosts is None or services is None:
        known = ", ".join(known_regions(folder))
        advice = f"`genomics-pipeline prices update --region {region}` reads AWS's"
        raise DataError(f"expected prices of the Region {region}, found those of {known}; {advice}")
    spot = source.table(SPOT_FILE, parse_spot) or {}
    priced = {name: HostPrice(host, price, spot.get(name)) for name, (host, price) in hosts.items()}
    return Prices(region, priced, services, source.origin())


@cache
def shipped_prices() -> Prices:
    """Return the prices that the package holds, of us-east-1."""
    return load_prices()


def known_regions(folder: Path | None = None) -> list[str]:
    """Return the names of the Regions that there are tables of, sorted."""
    own = [one.name for one in folder.iterdir()] if folder is not None and folder.is_dir() else []
    shipped = [one.name for one in _package().iterdir()]
    return sorted({name for name in (*own, *shipped) if _REGION.fullmatch(name)})


def _package() -> Traversable:
    return resources.files("genomics_pipeline.prices")


@dataclass(frozen=True, slots=True)
class _Tables:
    """The places of a Region's tables."""

    package: Traversable
    folder: Path | None
    region: str

    def table(self, name: str, parse: Callable[[str, str], T]) -> T | None:
        """Return a table, the user's own if there is one; None if there is none."""
        own = self._own(name)
        if own is not None and own.exists():
            try:
                return parse(read_bounded_text(own, budgets.PRICES_SIZE), str(own))
            except OSError as error:
                raise DataError(f"{own}: expected a table of prices that can be read: {error.strerror}") from None
        shipped = self.package / self.region / name
        return parse(shipped.read_text("utf-8"), name) if shipped.is_file() else None

    def origin(self) -> str:
        """Return where the tables come from."""
        own = self._own("")
        return str(own) if own is not None and own.exists() else "the package"

    def _own(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / self.region / name
