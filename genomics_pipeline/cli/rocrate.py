"""`genomics-pipeline rocrate`: print the provenance of a run as an RO-Crate."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import run_argument, stack_option
from genomics_pipeline.report.output import echo

NO_LICENCE = "not stated"


@click.command(short_help="Print the provenance of a run as an RO-Crate.")
@run_argument
@stack_option
@click.option(
    "--license",
    "licence",
    default=NO_LICENCE,
    metavar="URI",
    help="The licence of the results, such as https://spdx.org/licenses/CC-BY-4.0; by default it is not stated.",
)
def rocrate(run: str, stack: str, licence: str) -> None:
    """Print the metadata of a Workflow Run RO-Crate (Provenance Run Crate 0.5) of RUN, a run folder, URI or name.

    It names each task with its times, step, version, parameters and files, and each output with size and sha256. As
    ro-crate-metadata.json in the folder of the run, it makes the folder an RO-Crate.

    \b
    Examples:
      genomics-pipeline rocrate my-run > my-run/ro-crate-metadata.json
      genomics-pipeline rocrate s3://bucket/runs/cohort-3f2a91c0d5e7 --license https://spdx.org/licenses/CC-BY-4.0
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.streams import output_failure
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.rocrate import run_crate

    for part in run_crate(find_readable_over_samples(run, stack, adapters()), licence):
        echo(part, nl=False)
        if output_failure():
            return
