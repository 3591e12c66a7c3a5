"""`genomics-pipeline why`: explain why the stages of a sample ran."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_samples, complete_stages
from genomics_pipeline.cli.options import run_argument, stack_option
from genomics_pipeline.report.output import echo, echo_json


@click.command(short_help="Explain why each stage of a sample ran, failed, or would run again.")
@run_argument
@click.argument("item", metavar="SAMPLE", shell_complete=complete_samples)
@click.argument("stage", required=False, shell_complete=complete_stages)
@stack_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, for each stage.")
def why(run: str, item: str, stage: str | None, stack: str, as_json: bool) -> None:
    """Explain why each stage of SAMPLE (or an interval, or 'cohort') ran in RUN: a run folder, URI or name.

    For a stage that is done: the inputs, parameters, versions and files that made it run, and the record that they were
    compared with. For one that failed: the class, the reason, the log, and what to do. For each: what it would do if
    the run were continued now, with this installation and the files that there are.

    \b
    Examples:
      genomics-pipeline why my-run NA12878
      genomics-pipeline why cohort-3f2a91c0d5e7 cohort gather --json
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.stage_history import render_history
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.why import stage_histories

    adapted = adapters()
    histories = stage_histories(find_readable_over_samples(run, stack, adapted), item, stage, adapted)
    if as_json:
        for one in histories:
            echo_json(one.to_json(), indent=None)
    else:
        echo("\n\n".join(map(render_history, histories)))
