"""`genomics-pipeline prices`: the prices of a Region, with their dates and sources."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.prices.price import Price, Prices, SpotPrice

LINE = "{:<58} {:>14} {:<20} {:<22} {:>9}  {}"

region_option = click.option(
    "--region",
    default="us-east-1",
    show_default=True,
    envvar="AWS_REGION",
    show_envvar=True,
    help="The AWS Region.",
)


@click.group(invoke_without_command=True, short_help="List the prices of a Region, or read AWS's newest.")
@region_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per price and line.")
@click.pass_context
def prices(context: click.Context, region: str, as_json: bool) -> None:
    """List the prices of a Region that plans and costs are computed with, each with its date and source.

    They are in US dollars, of Linux and shared tenancy, before tax, discounts and savings plans. A Spot price is the
    median over the Region's zones. The package holds those of us-east-1.

    \b
    Example:
      genomics-pipeline prices
    """
    if (command := context.invoked_subcommand) is not None:
        if context.get_parameter_source("region") is ParameterSource.COMMANDLINE or as_json:
            raise UsageError(f"expected options of `prices {command}` behind it, found some before it")
        return
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import load_prices, user_folder

    ports = adapters()
    found = load_prices(region, user_folder(ports.environment, ports.home))
    today = datetime.datetime.now(datetime.UTC).date()
    if not as_json:
        echo_line(_summary(found))
        echo_line(LINE.format("item", "dollars", "per", "date", "age", "source"))
    for item, start, price in _prices(found):
        if as_json:
            members = {
                "region": region,
                "item": item,
                "from": start,
                **asdict(price),
                "age_days": price.age_days(today),
            }
            echo_json(members, indent=None)
        else:
            echo_line(_line(item, start, price, today))


def _summary(found: Prices) -> str:
    spot = sum(host.spot is not None for host in found.hosts.values())
    counts = (
        f"{len(found.hosts)} instance types, {spot} of them with a Spot price, {len(found.rates)} items of services"
    )
    return f"{found.region}: {counts}, from {found.origin}"


def _prices(found: Prices) -> Iterator[tuple[str, float, Price]]:
    """Yield each price with its item and the units from which it holds."""
    for name, host in found.hosts.items():
        yield f"EC2/{name}", 0, host.on_demand
        if host.spot is not None:
            yield f"EC2/{name}/spot", 0, host.spot.median
    for rate in found.rates.values():
        for tier in rate.tiers:
            yield rate.item, tier.start, tier.price


def _line(item: str, start: float, price: Price, today: datetime.date) -> str:
    named = f"{item} from {start:,.0f}" if start else item
    age = price.age_days(today)
    values: tuple[Any, ...] = (f"{price.value:.10f}".rstrip("0").rstrip("."), price.unit, price.date or "no date")
    mark = "" if price.verified else "not verified: "
    return LINE.format(named, *values, "" if age is None else f"{age:,} days", mark + price.source)


@prices.command(short_help="Read AWS's newest prices.")
@region_option
@click.option("--spot", is_flag=True, help="Read Spot prices too, of the last week: needs AWS credentials.")
@click.option(
    "--offers",
    default="https://pricing.us-east-1.amazonaws.com",
    show_default=True,
    envvar="GENOMICS_PIPELINE_OFFERS",
    show_envvar=True,
    metavar="URL",
    help="AWS's public offer files, or a copy of them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def update(region: str, spot: bool, offers: str, as_json: bool) -> None:
    """Read AWS's newest prices of a Region, which needs no account, and keep them for this user.

    They are kept in XDG_DATA_HOME, else in ~/.local/share, and precede those of the package. The file of EC2 has some
    hundred megabytes. Items that AWS's files do not have keep the price that they had. After a failure nothing has
    changed.

    \b
    Examples:
      genomics-pipeline prices update --region eu-west-1
      genomics-pipeline prices update --spot
    """
    from genomics_pipeline.aws.spot_prices import spot_prices
    from genomics_pipeline.cli.adapters import adapters, aws_clients
    from genomics_pipeline.prices.load import shipped_prices, user_folder
    from genomics_pipeline.runs.update_prices import update_prices

    def read_spot(types: list[str]) -> dict[str, SpotPrice]:
        usual = [name for name in types if name in shipped_prices().hosts]
        return spot_prices(usual, aws_clients(region), datetime.datetime.now(datetime.UTC))

    ports = adapters()
    folder = user_folder(ports.environment, ports.home)
    if folder is None:
        raise UsageError("expected a folder for data, found no home; set XDG_DATA_HOME to a folder of yours")
    done = update_prices(region, folder, offers, read_spot if spot else None, lambda line: echo_line(line, err=True))
    if as_json:
        echo_json({**asdict(done), "folder": str(done.folder)})
        return
    echo_line(
        f"{done.folder}: {done.hosts} instance types, {len(done.items)} items of services, {done.spot} Spot prices"
    )
    if done.kept:
        echo_line(f"older prices are kept of {len(done.kept)} items: {', '.join(done.kept)}")
