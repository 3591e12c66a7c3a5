"""`genomics-pipeline cost`: the costs of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import core_hour_price_option, run_argument, stack_option
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.planning.run_cost import ItemCost
    from genomics_pipeline.prices.core_hours import CoreHourPrices


@click.command(short_help="Show what a run has cost.")
@run_argument
@stack_option
@core_hour_price_option
@click.option(
    "--items", "with_items", is_flag=True, help="Print the costs of each item first: sample, interval, cohort."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, with --items one for each item before it.")
def cost(run: str, stack: str, core_hour_prices: CoreHourPrices, with_items: bool, as_json: bool) -> None:
    """Show what RUN has cost, by stage and by line: a run folder, URI or name.

    A task costs its share of its host, by the prices of `genomics-pipeline prices`; a task on this machine or on a
    Slurm cluster counts in core-hours. What is not counted is said: docs/costs.md.

    \b
    Examples:
      genomics-pipeline cost cohort-3f2a91c0d5e7
      genomics-pipeline cost my-run --core-hour-price 0.02
      genomics-pipeline cost my-run --core-hour-price 0.02 --core-hour-price long=0.04
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.report.cost_table import cost_json, cost_text, item_json, item_text
    from genomics_pipeline.runs.cost import run_cost
    from genomics_pipeline.runs.find_run import find_readable

    def show(one: ItemCost) -> None:
        if with_items and as_json:
            echo_json(item_json(one), indent=None)
        elif with_items:
            echo_line(item_text(one))

    ports = adapters()
    folder = user_folder(ports.environment, ports.home)
    found = run_cost(find_readable(run, stack, ports), folder, core_hour_prices, show)
    if as_json:
        echo_json(cost_json(found), indent=None if with_items else 2)
        return
    for line in cost_text(found):
        echo_line(line)
