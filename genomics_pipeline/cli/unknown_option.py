"""Errors about options that a command does not have."""

from __future__ import annotations

from collections.abc import Iterator

import click

_PROFILE = "--profile"


def unknown_option(error: click.NoSuchOption) -> str | None:
    """Return the message for a profile that a command does not take; None for other options, which click explains.

    Args:
        error: The error.
    """
    if error.option_name != _PROFILE or error.ctx is None:
        return None
    root, names = error.ctx.find_root(), error.ctx.command_path.split()[1:]
    taking = sorted(_taking_profiles(root))
    if names and not isinstance(error.ctx.command, click.Group):
        return f"{_PROFILE}: `{' '.join(names)}` takes no options from a profile; these do: {', '.join(taking)}"
    return f"{_PROFILE}: expected it after the command, one of {', '.join(taking)}"


def _taking_profiles(root: click.Context) -> Iterator[str]:
    """Yield the names of the commands that have the option themselves, or in one of their own commands."""
    assert isinstance(root.command, click.Group)
    for name in root.command.list_commands(root):
        command = root.command.get_command(root, name)
        own = command.commands.values() if isinstance(command, click.Group) else [command]
        if any(_PROFILE in option.opts for one in own if one is not None for option in one.params):
            yield name
