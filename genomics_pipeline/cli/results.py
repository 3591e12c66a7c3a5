"""`genomics-pipeline results`: what a run made, and where it is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from genomics_pipeline.cli.options import stack_option


@click.command(short_help="Where a run's files are; copies of them.")
@click.argument("run")
@stack_option
@click.option("--sample", "samples", multiple=True, metavar="NAME", help="Only of this sample (may be repeated).")
@click.option("--failed", is_flag=True, help="Only the samples that failed, with the reason.")
@click.option("--download", "target", type=click.Path(path_type=Path), help="Copy the files there, verified.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line: a sample, or the cohort.")
def results(run: str, stack: str, samples: tuple[str, ...], failed: bool, target: Path | None, as_json: bool) -> None:
    """List the files of each sample and of the cohort in RUN: a run's folder, URI or name.

    \b
    Examples:
      genomics-pipeline results my-run
      genomics-pipeline results cohort-3f2a91c0d5e7 --sample NA12878 --download here/
    """
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.results import Results, copies, result_row

    found = Results(find_run(run, stack))
    items = found.items(samples, failed)
    for result, copied in copies(items, found.files, target) if target else ((one, None) for one in items):
        row = result_row(result, found.files)
        if as_json:
            click.echo(json.dumps(row if copied is None else {**row, "copied": copied}, ensure_ascii=False))
            continue
        click.echo(f"{result.item}  {result.state}" + (f"  {copied} files copied" if copied is not None else ""))
        for name, file in row["files"].items():
            click.echo(f"  {name}  {file['path']}  {file['size_bytes']:,} bytes")
        if result.failure:
            failure = result.failure.failure
            stage = f" ({failure.stage})" if failure.stage else ""
            click.echo(f"  {failure.failure_class.replace('_', ' ')}{stage}: {failure.message}")
            if failure.stage:
                click.echo(f"  log: {row['failure']['log']}")
