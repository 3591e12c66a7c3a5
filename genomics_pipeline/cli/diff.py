"""`genomics-pipeline diff`: compare two runs."""

from __future__ import annotations

import sys

import click

from genomics_pipeline.cli.completion import complete_runs
from genomics_pipeline.cli.options import stack_option
from genomics_pipeline.report.output import echo_json, echo_line


@click.command(short_help="Compare two runs.")
@click.argument("first", metavar="RUN_A", shell_complete=complete_runs)
@click.argument("second", metavar="RUN_B", shell_complete=complete_runs)
@stack_option
@click.option(
    "--examples",
    default=5,
    show_default=True,
    type=click.IntRange(min=0),
    help="Name at most this number of variants that differ.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as one JSON object.")
def diff(first: str, second: str, stack: str, examples: int, as_json: bool) -> None:
    """Compare RUN_A with RUN_B, each a run folder, URI or name; exit with 0 if they are equal, and 1 if they differ.

    Compared are pipeline, reference, images and tools; samples; parameters, versions and inputs of each stage; outputs
    by their digests; metrics; and the variants of each sample in the joint VCF, or in the samples' own where there is
    none.

    \b
    Examples:
      genomics-pipeline diff my-run my-run-again
      genomics-pipeline diff my-run s3://bucket/runs/cohort-3f2a91c0d5e7 --json
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.run_differences import difference_lines
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.run_differences import run_differences

    adapted = adapters()
    one, two = (find_readable_over_samples(run, stack, adapted) for run in (first, second))
    found = run_differences(one, two, examples)
    if as_json:
        echo_json(found.to_json())
    else:
        for line in difference_lines(found):
            echo_line(line)
    sys.exit(0 if found.is_equal else 1)
