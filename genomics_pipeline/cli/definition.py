"""`genomics-pipeline definition`: the state machine document of a pipeline."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_pipelines
from genomics_pipeline.report.output import echo, encodable_json


@click.command(short_help="Print a pipeline's state machine document.")
@click.argument("pipeline", shell_complete=complete_pipelines)
def definition(pipeline: str) -> None:
    """Print the Amazon States Language document of PIPELINE: a shipped pipeline's name, or a pipeline file.

    `run` executes this document on this machine, and Step Functions executes it on AWS. The output is the same, byte
    for byte, every time.

    \b
    Examples:
      genomics-pipeline definition germline
      genomics-pipeline definition ./my-pipeline.toml > definition.json
    """
    from genomics_pipeline.asl.canonical import canonical_json
    from genomics_pipeline.asl.generate import generate
    from genomics_pipeline.runs.catalog import load_pipeline

    echo(encodable_json(canonical_json(generate(load_pipeline(pipeline)[0]))), nl=False)
