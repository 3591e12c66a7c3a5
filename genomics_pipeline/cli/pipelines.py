"""`genomics-pipeline pipelines`: list the pipelines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from genomics_pipeline.cli.options import LocalPath
from genomics_pipeline.report.output import echo_json, echo_line


@click.command(short_help="List the pipelines: shipped ones, and files of your own.")
@click.argument("folders", nargs=-1, type=LocalPath("folder"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def pipelines(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the shipped pipelines, and those whose files are in FOLDERS; by default, in the current folder.

    The first column is the value of --pipeline. A file that cannot be used is listed with its first problem.

    \b
    Examples:
      genomics-pipeline pipelines
      genomics-pipeline pipelines ~/pipelines --json
    """
    from genomics_pipeline.runs.list_pipelines import list_pipelines

    for row in list_pipelines(folders or (Path(),)):
        if as_json:
            echo_json(asdict(row), indent=None)
        elif row.error:
            echo_line(f"{row.pipeline}  cannot be used: {row.error}")
        else:
            echo_line(f"{row.pipeline}  {row.summary} ({', '.join(row.stages)})")
