"""`genomics-pipeline cost`: the costs of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import run_argument, stack_option
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.planning.run_cost import ItemCost


@click.command(short_help="Show what a run has cost.")
@run_argument
@stack_option
@click.option(
    "--price-per-core-hour",
    "per_core_hour",
    type=click.FloatRange(min=0),
    metavar="DOLLARS",
    help="The price of a core-hour of machines that are no hosts of AWS, such as this one.",
)
@click.option(
    "--items", "with_items", is_flag=True, help="Print the costs of each item first: sample, interval, cohort."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, with --items one for each item before it.")
def cost(run: str, stack: str, per_core_hour: float | None, with_items: bool, as_json: bool) -> None:
    """Show what RUN has cost, by stage and by line: a run folder, URI or name.

    A task costs its share of its host, by the prices of `genomics-pipeline prices`; a task on this machine counts in
    core-hours. What is not counted is said: docs/costs.md.

    \b
    Examples:
      genomics-pipeline cost cohort-3f2a91c0d5e7
      genomics-pipeline cost my-run --price-per-core-hour 0.02
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.report.cost_table import cost_json, cost_text, item_json, item_text
    from genomics_pipeline.runs.cost import run_cost
    from genomics_pipeline.runs.find_run import find_run

    def show(one: ItemCost) -> None:
        if with_items and as_json:
            echo_json(item_json(one), indent=None)
        elif with_items:
            echo_line(item_text(one))

    ports = adapters()
    folder = user_folder(ports.environment, ports.home)
    found = run_cost(find_run(run, stack, ports), folder, per_core_hour, show)
    if as_json:
        echo_json(cost_json(found), indent=None if with_items else 2)
        return
    for line in cost_text(found):
        echo_line(line)
