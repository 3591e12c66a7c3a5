"""`genomics-pipeline profile`: the profiles of a project, of a user and of a site."""

from __future__ import annotations

import click

from genomics_pipeline.cli.completion import complete_profiles
from genomics_pipeline.report.output import echo_json, echo_line


@click.group(short_help="List profiles, or show the options of one.")
def profile() -> None:
    """List the profiles of this folder, of the user and of the site, or show the options of one: docs/profiles.md.

    \b
    Example:
      genomics-pipeline profile show hpc
    """


@profile.command("list", short_help="List the profiles.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per profile and line.")
def list_(as_json: bool) -> None:
    """List the profiles, of several with the same name the one that counts.

    \b
    Example:
      genomics-pipeline profile list
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.profiles import list_profiles

    ports = adapters()
    for name, file, summary in list_profiles(ports.environment, ports.home):
        if as_json:
            echo_json({"name": name, "file": str(file), "summary": summary}, indent=None)
        else:
            echo_line(f"{name}  {file}{': ' if summary else ''}{summary}")


@profile.command(short_help="Show the options of `run`, and where their values come from.")
@click.argument("name", required=False, metavar="[NAME|FILE]", shell_complete=complete_profiles)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str | None, as_json: bool) -> None:
    """Show the options that `run` has with a profile and with the environment, and where each comes from.

    \b
    Examples:
      genomics-pipeline profile show hpc
      genomics-pipeline profile show
    """
    from genomics_pipeline.cli.profile_options import settings
    from genomics_pipeline.cli.run import run

    words = [] if name is None else ["--profile", name]
    with run.make_context("run", ["SHEET", "--out", "RUN", *words]) as context:
        shown = list(settings(context))
    if as_json:
        echo_json({one.option: {"value": one.value, "source": one.source} for one in shown})
        return
    for setting in shown:
        echo_line(str(setting))
