"""`genomics-pipeline replay`: run a task of a run again on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.completion import complete_samples, complete_stages
from genomics_pipeline.cli.options import machine_options, run_argument, stack_option
from genomics_pipeline.report.output import echo, echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.report.replay_outcome import ReplayOutcome
    from genomics_pipeline.runs.adapters import Adapters
    from genomics_pipeline.worker.machine import Limits


@click.command(short_help="Run a task of a run again on this machine, to find out why it failed.")
@run_argument
@click.argument("item", metavar="SAMPLE", shell_complete=complete_samples)
@click.option("--stage", shell_complete=complete_stages, help="The stage; by default the one that failed.")
@click.option("--subsample", metavar="FRACTION", help="Take this fraction of the sample's reads only, such as 0.01.")
@click.option("--region", metavar="CHR:START-END", help="Limit the task to this region.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new folder for the replay; by default one in `replays` beside the run, or in the current folder.",
)
@click.option(
    "--from",
    "source",
    type=click.Choice(["s3"]),
    help="Read the run of this name in the stack's bucket, even where a folder of its name is here.",
)
@click.option(
    "--containers",
    is_flag=True,
    help="Run it in the image that the run used, with docker or podman, or as the run with Apptainer.",
)
@click.option("--shell", is_flag=True, help="Open a shell in the temporary files of the task, once it has ended.")
@stack_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
@machine_options()
def replay(
    run: str,
    item: str,
    stage: str | None,
    subsample: str | None,
    region: str | None,
    out: Path | None,
    source: str | None,
    containers: bool,
    shell: bool,
    stack: str,
    as_json: bool,
    limits: Limits,
) -> None:
    """Run the task of SAMPLE (or an interval, a region of it, 'cohort', a record) in RUN again, on this machine.

    The task gets the definition, input, parameters and files that it had in the run, which is not changed: a run folder
    or, of a run on AWS, its bucket. The replay has a folder of its own. What cannot be the same is said. The exit code
    is 0 if the task ended as in the run, with the same failure or outputs, 1 if not, and 2 for wrong arguments.

    \b
    Examples:
      genomics-pipeline replay my-run NA12878
      genomics-pipeline replay s3://bucket/runs/cohort-3f2a91c0d5e7 NA12878 --stage alignment --subsample 0.01
      genomics-pipeline replay my-run chr20:1-5000000 --shell
      genomics-pipeline replay cohort-3f2a91c0d5e7 NA12878 --from s3
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.signals import end_on_signals
    from genomics_pipeline.report.replay_outcome import render_replay
    from genomics_pipeline.runs.replays.replay import replay as replay_task
    from genomics_pipeline.runs.replays.request import ReplayRequest, region_option

    adapted = adapters(limits)
    request = ReplayRequest(run, item, stage, subsample, region_option(region), out, stack, source == "s3", containers)
    end_on_signals()
    outcome = replay_task(request, adapted, lambda line: echo_line(line, err=True))
    if as_json:
        echo_json(outcome.to_json())
    else:
        echo(render_replay(outcome))
    if shell:
        _open_shell(outcome, adapted)
    sys.exit(0 if outcome.is_same else 1)


def _open_shell(outcome: ReplayOutcome, adapted: Adapters) -> None:
    """Open the user's shell in the folder that the program of the task had, with its environment."""
    import subprocess

    from genomics_pipeline.model.errors import RunError
    from genomics_pipeline.worker.item_task import program_environment

    if outcome.scratch is None or not outcome.command:
        raise RunError("--shell: expected a program that was started, found none; there are no temporary files")
    folder = Path(outcome.scratch)
    program = adapted.environment.get("SHELL") or "/bin/sh"
    try:
        subprocess.run([program], cwd=folder / "tmp", env=program_environment(adapted.environment, folder), check=False)
    except OSError as error:
        raise RunError(f"--shell: {program}: expected a shell that can be started: {error.strerror}") from None
