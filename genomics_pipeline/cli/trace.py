"""`genomics-pipeline trace`: print the tasks of a run for other tools."""

from __future__ import annotations

import click

from genomics_pipeline.cli.options import run_argument, stack_option
from genomics_pipeline.report.output import echo


@click.command(short_help="Print the tasks of a run for other tools.")
@run_argument
@stack_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["tsv", "timeline", "openmetrics"]),
    default="tsv",
    show_default=True,
    help="A table with Nextflow's columns; events for Perfetto and chrome://tracing; or OpenMetrics, to be scraped.",
)
def trace(run: str, stack: str, kind: str) -> None:
    """Print each task of RUN, a run folder, URI or name: its times, its memory and how it ended.

    A run on this machine has the first two in results/pipeline_info, too, as trace.tsv and timeline.json.
    docs/outputs.md describes the columns and their units.

    \b
    Examples:
      genomics-pipeline trace my-run
      genomics-pipeline trace s3://bucket/runs/cohort-3f2a91c0d5e7 --format timeline > timeline.json
      genomics-pipeline trace my-run --format openmetrics > my-run.prom
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.streams import output_failure
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.task_trace import run_traces

    found = find_readable_over_samples(run, stack, adapters())
    traces = run_traces(found)
    if kind == "tsv":
        from genomics_pipeline.report.trace_table import trace_lines

        lines = trace_lines(traces)
    elif kind == "timeline":
        from genomics_pipeline.report.timeline import timeline_text

        lines = timeline_text(traces)
    else:
        from genomics_pipeline.report.open_metrics import open_metrics_lines

        lines = open_metrics_lines(found.state(), traces)
    for line in lines:
        echo(line, nl=False)
        if output_failure():
            return
