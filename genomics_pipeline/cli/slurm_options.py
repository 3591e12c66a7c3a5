"""The options of jobs on a Slurm cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from genomics_pipeline.cli.options import memory_size
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.slurm_options import CHECKS

if TYPE_CHECKING:
    from genomics_pipeline.model.slurm_options import SlurmOptions
    from genomics_pipeline.worker.machine import Limits


def head_options(command: Any) -> Any:
    """Add the options of a head that is a job itself, which are passed as `head`: None without ``--slurm-head``."""

    @functools.wraps(command)
    def call(*arguments: Any, slurm_head: bool, slurm_head_minutes: int, slurm_head_mib: int, **options: Any) -> Any:
        from genomics_pipeline.model.slurm_options import HeadOptions

        is_wanted = slurm_head and options.get("slurm", True)  # a rerun has its run's options of jobs
        head = HeadOptions(slurm_head_minutes, slurm_head_mib) if is_wanted else None
        return command(*arguments, head=head, **options)

    for option in reversed(_HEAD_OPTIONS):
        call = option(call)
    return call


def slurm_options(command: Any) -> Any:
    """Add the options of jobs on a Slurm cluster, which are passed as `slurm`: None without ``--slurm``."""

    @functools.wraps(command)
    def call(*arguments: Any, slurm: bool, **options: Any) -> Any:
        from genomics_pipeline.model.slurm_options import SlurmOptions

        chosen = SlurmOptions(**_values(options))
        if slurm:
            chosen.refuse_wrong()
        elif given := _given_for_slurm():
            raise UsageError(f"{given} is for jobs on a cluster: give --slurm, too")
        return command(*arguments, slurm=chosen if slurm else None, **options)

    for option in reversed(_SLURM_OPTIONS):
        call = option(call)
    return call


def changed_slurm_options(command: Any) -> Any:
    """Add the options that a rerun may change, which are passed as `slurm`: those of the command line only.

    Variables and profiles were asked when the run was started: it may have had other options all the same.
    """

    @functools.wraps(command)
    def call(*arguments: Any, **options: Any) -> Any:
        source, given = click.get_current_context().get_parameter_source, ParameterSource.COMMANDLINE
        values = _values(options)
        changes = {name: value for name, value in values.items() if source(f"{_PREFIX}{name}") is given}
        return command(*arguments, slurm=changes, **options)

    for option in reversed([*_job_options(has_variable=False)]):
        call = option(call)
    return call


def _values(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of jobs out of those of a command, and return them by their names in `SlurmOptions`."""
    from genomics_pipeline.model.slurm_options import SlurmOptions

    names = [option.name for option in fields(SlurmOptions) if f"{_PREFIX}{option.name}" in options]
    return {name: options.pop(f"{_PREFIX}{name}") for name in names}


def with_limits(slurm: SlurmOptions | None, limits: Limits) -> SlurmOptions | None:
    """Return the options of jobs on a cluster with the limits of the user, which a rerun keeps; None for no cluster."""
    if slurm is None:
        return None
    return replace(slurm, cpus=limits.cpus or 0, memory_mib=limits.memory_mib or 0, jobs=limits.jobs or 0)


def _given_for_slurm() -> str:
    """Return the first option of the command line that only jobs on a cluster have; empty for none."""
    context = click.get_current_context()
    names = (one.name or "" for one in context.command.params if (one.name or "").startswith(_PREFIX))
    named = (name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE)
    return next((f"--{_NAMES.get(name, name).replace('_', '-')}" for name in named), "")


_PREFIX = "slurm_"
_NAMES = {"slurm_extra": "slurm_option", "slurm_head_mib": "slurm_head_memory"}  # of options, by their parameters


def _slurm_option(
    name: str, help_: str, parameter: str | None = None, has_variable: bool = True, **settings: Any
) -> Callable[[click.decorators.FC], click.decorators.FC]:
    variable = f"GENOMICS_PIPELINE_{name.partition('/')[0][2:].replace('-', '_').upper()}"
    settings |= {"envvar": variable, "show_envvar": True} if has_variable else {}
    return click.option(name, *filter(None, [parameter]), help=help_, **settings)


def _job_options(has_variable: bool) -> Iterator[Callable[[click.decorators.FC], click.decorators.FC]]:
    """Yield the options of jobs, apart from ``--slurm``.

    Args:
        has_variable: Whether the environment may give them.
    """
    option = functools.partial(_slurm_option, has_variable=has_variable)
    yield from (
        option("--slurm-partition", "The partition of the jobs.", default="", metavar="NAME"),
        option(
            "--slurm-on-demand-partition",
            "The partition of jobs whose nodes were preempted.",
            default="",
            metavar="NAME",
        ),
        option("--slurm-account", "The account that is charged.", default="", metavar="NAME"),
        option("--slurm-qos", "The quality of service of the jobs.", default="", metavar="NAME"),
        option(
            "--slurm-minutes",
            "The time limit of each job, in place of the timeout of its step.",
            default=0,
            metavar="MINUTES",
            type=click.IntRange(min=0),
        ),
        option("--slurm-mem-per-cpu", "Ask for memory by core (--mem-per-cpu).", is_flag=True),
        option("--slurm-scratch", "A folder for temporary files on the nodes.", default="", metavar="FOLDER"),
        option(
            "--slurm-poll-s",
            "The least number of seconds between two questions about the jobs.",
            default=10,
            show_default=True,
            type=click.IntRange(min=1, max=120),
        ),
        option(
            "--slurm-check",
            "Check Python, folders and clock by a job on one node of each partition, or on all, before the first job.",
            default=CHECKS[0],
            show_default=True,
            type=click.Choice(CHECKS),
        ),
        option(
            "--slurm-option",
            "A further option of sbatch, such as --constraint=avx2 (may be repeated).",
            parameter="slurm_extra",
            multiple=True,
            metavar="OPTION",
        ),
    )


_SLURM_OPTIONS = (
    _slurm_option("--slurm/--no-slurm", "Run the jobs on the nodes of a Slurm cluster: docs/slurm.md.", default=False),
    *_job_options(has_variable=True),
)
_HEAD_OPTIONS = (
    _slurm_option(
        "--slurm-head/--no-slurm-head", "Run this command as a job of Slurm, and return: docs/slurm.md.", default=False
    ),
    _slurm_option(
        "--slurm-head-minutes",
        "The time limit of that job, at which it puts itself back into the queue.",
        default=1440,
        show_default=True,
        type=click.IntRange(min=5),
    ),
    _slurm_option(
        "--slurm-head-memory",
        "The memory of that job.",
        parameter="slurm_head_mib",
        default="4GiB",
        show_default=True,
        metavar="SIZE",
        callback=memory_size,
    ),
)
