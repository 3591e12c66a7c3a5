"""The options `--profile` and `--cache`, and where the values of a command's options come from.

A profile is a map of defaults of click's: options of the command line precede the environment, which precedes it
(https://click.palletsprojects.com/en/stable/commands-and-groups/, "Overriding Defaults").
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from genomics_pipeline.cli.chosen_cache import choose_cache, chosen_cache
from genomics_pipeline.cli.completion import complete_profiles
from genomics_pipeline.report.output import echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.profile import SiteProfile

_PROFILE = "genomics_pipeline.profile"  # in the contexts of click
# Parameters that do not have the names of their options.
_PARAMETERS = {
    "memory": "machine_mib",
    "container-registry": "registry",
    "slurm-option": "slurm_extra",
    "slurm-head-memory": "slurm_head_mib",
}
KEYS = {
    name: _PARAMETERS.get(name, name.replace("-", "_"))
    for name in (
        *("cpus", "memory", "jobs", "cache", "containers", "container-registry", "slurm", "slurm-partition"),
        *("slurm-on-demand-partition", "slurm-account", "slurm-qos", "slurm-minutes", "slurm-mem-per-cpu"),
        *("slurm-scratch", "slurm-poll-s", "slurm-check", "slurm-option", "slurm-head", "slurm-head-minutes"),
        "slurm-head-memory",
    )
}  # of profiles, with the parameters of commands


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of an option, and where it comes from.

    Attributes:
        option: The option.
        value: Its value.
        source: The command line, a variable, a line of a profile or the default.
        is_default: Whether it is the default.
    """

    option: str
    value: Any
    source: str
    is_default: bool

    def __str__(self) -> str:
        """Return the setting as a line for people."""
        value = " ".join(self.value) if isinstance(self.value, tuple | list) else self.value
        return f"{self.option} {value}: {self.source}"


def _use_profile(context: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    if name is None:
        return
    from genomics_pipeline.reference.cache import home_if_any
    from genomics_pipeline.runs.profiles import find_profile

    profile = find_profile(name, os.environ, home_if_any(Path.home))
    context.meta[_PROFILE] = profile
    defaults = {KEYS[key]: value for key, value in profile.options.items()}
    context.default_map = {**(context.default_map or {}), **defaults}


def profile_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options for a profile and for the folder of caches, which `cli.adapters` uses."""
    for option in (
        click.option(
            "--cache",
            envvar="GENOMICS_PIPELINE_CACHE",
            show_envvar=True,
            type=click.Path(file_okay=False, path_type=Path),
            metavar="FOLDER",
            expose_value=False,
            callback=choose_cache,
            help="The folder of indexed references; by default in XDG_CACHE_HOME or ~/.cache.",
        ),
        click.option(
            "--profile",
            envvar="GENOMICS_PIPELINE_PROFILE",
            show_envvar=True,
            metavar="NAME|FILE",
            is_eager=True,  # other options take their defaults from it
            expose_value=False,
            callback=_use_profile,
            shell_complete=complete_profiles,
            help="Take options from this profile: docs/profiles.md.",
        ),
    ):
        command = option(command)
    return command


def settings(context: click.Context) -> Iterator[Setting]:
    """Yield the options of a command that a profile may have, with their values and where these come from."""
    profile: SiteProfile | None = context.meta.get(_PROFILE)
    keys = {parameter: key for key, parameter in KEYS.items()}
    for parameter in context.command.params:
        name = parameter.name or ""
        if key := keys.get(name):
            source = context.get_parameter_source(name)
            value = chosen_cache(context) if name == "cache" else context.params.get(name)
            yield Setting(f"--{key}", value, _words(source, parameter, key, profile), source is ParameterSource.DEFAULT)


def show_settings() -> None:
    """Show where the values of the running command come from that are not the defaults."""
    for setting in settings(click.get_current_context()):
        if not setting.is_default:
            echo_line(f"setting: {setting}", err=True)


def _words(source: ParameterSource | None, parameter: click.Parameter, key: str, profile: SiteProfile | None) -> str:
    if source is ParameterSource.DEFAULT_MAP and profile is not None:
        return f"{profile.file}:{profile.lines[key]}"
    if source is ParameterSource.ENVIRONMENT:
        return str(parameter.envvar)
    return "the command line" if source is ParameterSource.COMMANDLINE else "the default"
