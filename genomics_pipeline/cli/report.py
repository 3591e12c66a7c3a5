"""`genomics-pipeline report`: write the report of a run as one HTML file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from genomics_pipeline.cli.options import LocalPath, refuse_missing_folder, run_argument, stack_option
from genomics_pipeline.report.output import echo_line


@click.command(short_help="Write the report of a run as one HTML file.")
@run_argument
@stack_option
@click.option(
    "--out",
    type=LocalPath("file"),
    metavar="FILE",
    help="The file; by default report.html beside the reports of the run.",
)
@click.option("--verify", "verified", is_flag=True, help="Compare every file with its record first, and say so.")
def report(run: str, stack: str, out: Path | None, verified: bool) -> None:
    """Write the report of RUN, a run folder, URI or name: one HTML file that needs nothing else, also offline.

    It has the verdict, the samples that stand out, the failures with their logs, the distributions of all metrics,
    time, resources and cost, and where the results are from. `run` writes it at its end. With --verify, the exit code
    is 1 if a file is not as its record says.

    \b
    Examples:
      genomics-pipeline report my-run
      genomics-pipeline report s3://bucket/runs/cohort-3f2a91c0d5e7 --out cohort.html --verify
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.reporting.read import ReportRequest
    from genomics_pipeline.runs.reporting.write import write_report
    from genomics_pipeline.runs.sign_off import sign_off

    if out is not None:
        refuse_missing_folder("--out", out)
    ports = adapters()
    subject = find_readable_over_samples(run, stack, ports)
    signed = sign_off(subject, quick=False)[1] if verified else None
    request = ReportRequest(user_folder(ports.environment, ports.home), signed)
    echo_line(write_report(subject, request, out))
    sys.exit(1 if signed and not signed.verified else 0)
