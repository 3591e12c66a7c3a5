"""`genomics-pipeline pipeline`: describe pipelines."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_pipelines
from genomics_pipeline.report.output import echo, echo_json


@click.group(short_help="Describe a pipeline, or all pipelines and steps.")
def pipeline() -> None:
    """Describe pipelines: their stages, inputs, outputs, parameters and resources.

    \b
    Examples:
      genomics-pipeline pipeline show germline
      genomics-pipeline pipeline document ./my-pipeline.toml > my-pipeline.md
    """


@pipeline.command()
@click.argument("name", shell_complete=complete_pipelines)
@click.option("--json", "as_json", is_flag=True, help="Print the pipeline as one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show the stages of NAME, a shipped pipeline or a pipeline file, with all parameters and their defaults.

    \b
    Examples:
      genomics-pipeline pipeline show germline
      genomics-pipeline pipeline show ./my-pipeline.toml --json
    """
    from genomics_pipeline.report.step_help import pipeline_json, write_pipeline
    from genomics_pipeline.runs.catalog import load_pipeline

    loaded, _ = load_pipeline(name)
    if as_json:
        echo_json(pipeline_json(loaded))
        return
    formatter = click.get_current_context().make_formatter()
    write_pipeline(formatter, loaded)
    echo(formatter.getvalue(), nl=False)


@pipeline.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_pipelines)
def document(names: tuple[str, ...]) -> None:
    """Print a page in Markdown about pipelines and their steps; by default, about all that are shipped.

    \b
    Examples:
      genomics-pipeline pipeline document > docs/parameters.md
      genomics-pipeline pipeline document ./my-pipeline.toml > my-pipeline.md
    """
    from genomics_pipeline.report.parameters_page import parameters_page
    from genomics_pipeline.runs.catalog import load_pipeline
    from genomics_pipeline.runs.list_pipelines import shipped_pipelines, shipped_steps

    if names:
        page = parameters_page([load_pipeline(name)[0] for name in names], ())
    else:
        page = parameters_page(shipped_pipelines(), shipped_steps())
    echo(page, nl=False)
