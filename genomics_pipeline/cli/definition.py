"""`genomics-pipeline definition`: the state machine document of a pipeline, and the image of any document."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_pipelines
from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.report.output import echo, encodable_json


@click.command(short_help="Print a pipeline's state machine document, or draw a document.")
@click.argument("pipeline", shell_complete=complete_pipelines)
@click.option("--svg", is_flag=True, help="Print an image of it, SVG, instead of the document.")
def definition(pipeline: str, svg: bool) -> None:
    """Print the Amazon States Language document of PIPELINE: a shipped pipeline's name, or a pipeline file.

    `run` executes this document on this machine, and Step Functions executes it on AWS. The output is the same, byte
    for byte, every time.

    --svg draws its stages and Maps. With it, PIPELINE may also be any state machine document, a .json file or URI,
    which is drawn with all of its states.

    \b
    Examples:
      genomics-pipeline definition germline
      genomics-pipeline definition ./my-pipeline.toml > definition.json
      genomics-pipeline definition germline --svg > germline.svg
      genomics-pipeline definition machine.asl.json --svg > machine.svg
    """
    from genomics_pipeline.asl.canonical import canonical_json
    from genomics_pipeline.asl.generate import generate
    from genomics_pipeline.runs.catalog import load_pipeline

    is_document = pipeline.endswith(".json")
    if is_document and not svg:
        raise UsageError(f"{pipeline}: expected a pipeline, found a document; --svg draws it, `advise` checks it")
    if not svg:
        echo(encodable_json(canonical_json(generate(load_pipeline(pipeline)[0]))), nl=False)
        return
    from genomics_pipeline.report.graph_svg import graph_svg

    if not is_document:
        document = generate(load_pipeline(pipeline)[0])
        echo(graph_svg(f"Pipeline {document_name(pipeline)}", document, failures=False), nl=False)
        return
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.json_file import read_json, shown_name

    document = read_json(pipeline, adapters().store)
    if not isinstance(document, dict) or not isinstance(document.get("States"), dict):
        raise DataError(f"{pipeline}: expected a state machine, an object with States")
    echo(graph_svg(f"State machine {document_name(shown_name(pipeline))}", document, failures=True), nl=False)


def document_name(file: str) -> str:
    """Return the name that a file stands for: without its folders and endings.

    >>> document_name("s3://bucket/flows/align.asl.json"), document_name("germline")
    ('align', 'germline')
    """
    name = file.rpartition("/")[2]
    for ending in (".json", ".toml", ".asl"):
        name = name.removesuffix(ending)
    return name
