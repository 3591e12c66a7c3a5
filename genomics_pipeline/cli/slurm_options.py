"""The options of jobs on a Slurm cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from genomics_pipeline.model.errors import UsageError


def slurm_options(command: Any) -> Any:
    """Add the options of jobs on a Slurm cluster, which are passed as `slurm`: None without ``--slurm``."""

    @functools.wraps(command)
    def call(*arguments: Any, slurm: bool, **options: Any) -> Any:
        from genomics_pipeline.model.slurm_options import SlurmOptions

        prefix = "slurm_"
        values = {name[len(prefix) :]: options.pop(name) for name in list(options) if name.startswith(prefix)}
        chosen = SlurmOptions(**values)
        if slurm:
            chosen.check()
        elif given := _given_for_slurm():
            raise UsageError(f"{given} is for jobs on a cluster: give --slurm, too")
        return command(*arguments, slurm=chosen if slurm else None, **options)

    for option in reversed(_SLURM_OPTIONS):
        call = option(call)
    return call


def _given_for_slurm() -> str:
    """Return the first option of the command line that only jobs on a cluster have; empty for none."""
    context = click.get_current_context()
    given = click.core.ParameterSource.COMMANDLINE
    names = (one.name or "" for one in context.command.params if (one.name or "").startswith("slurm_"))
    named = (name for name in names if context.get_parameter_source(name) is given)
    return next((f"--{name.replace('_', '-')}" if name != "slurm_extra" else "--slurm-option" for name in named), "")


def _slurm_option(name: str, help_: str, **settings: Any) -> Callable[[click.decorators.FC], click.decorators.FC]:
    variable = f"GENOMICS_PIPELINE_{name[2:].replace('-', '_').upper()}"
    return click.option(name, help=help_, envvar=variable, show_envvar=True, **settings)


_SLURM_OPTIONS = (
    click.option("--slurm", is_flag=True, help="Run the jobs on the nodes of a Slurm cluster: docs/slurm.md."),
    _slurm_option("--slurm-partition", "The partition of the jobs.", default="", metavar="NAME"),
    _slurm_option(
        "--slurm-on-demand-partition", "The partition of jobs whose nodes were preempted.", default="", metavar="NAME"
    ),
    _slurm_option("--slurm-account", "The account that is charged.", default="", metavar="NAME"),
    _slurm_option("--slurm-qos", "The quality of service of the jobs.", default="", metavar="NAME"),
    _slurm_option("--slurm-mem-per-cpu", "Ask for memory by core (--mem-per-cpu).", is_flag=True),
    _slurm_option("--slurm-scratch", "A folder for temporary files on the nodes.", default="", metavar="FOLDER"),
    _slurm_option(
        "--slurm-poll-s",
        "The least number of seconds between two questions about the jobs.",
        default=10,
        show_default=True,
        type=click.IntRange(min=1, max=120),
    ),
    click.option(
        "--slurm-option",
        "slurm_extra",
        multiple=True,
        metavar="OPTION",
        help="A further option of sbatch, such as --constraint=avx2 (may be repeated).",
    ),
)
