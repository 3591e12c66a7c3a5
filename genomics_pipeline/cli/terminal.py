"""Whoever is asked and told while a stack changes, at the terminal."""

from __future__ import annotations

import sys
import time

import click

from genomics_pipeline.aws.stack import ChangeSet, StackEvent
from genomics_pipeline.model.errors import UsageError

PIPE_WIDTH = 200  # a pipe has no width to keep to: every change on one line


class Terminal:
    """Changes as a table, questions, and events as lines.

    Args:
        yes: Whether questions are answered already.
        quiet: Whether standard output is a program's, so that changes are printed to standard error.
    """

    def __init__(self, yes: bool, quiet: bool = False) -> None:
        self._yes = yes
        self._quiet = quiet

    def show(self, change_set: ChangeSet, following: int) -> None:
        """Print the changes, what is removed or replaced first."""
        from rich.console import Console
        from rich.table import Table

        if not change_set.changes:
            click.echo("no resource changes, outputs only" if change_set.needed else "no changes", err=self._quiet)
            return
        table = Table("action", "logical id", "type", "replacement", box=None)
        for change in sorted(change_set.changes, key=lambda change: (-_weight(change.action), change.resource)):
            table.add_row(change.action, change.resource, change.type, change.replacement)
        console = Console(stderr=self._quiet)
        if not console.is_terminal:
            console.width = PIPE_WIDTH
        console.print(table)
        if following:
            click.echo(
                f"then, by a second change set: {following} state machine{'s' if following > 1 else ''}",
                err=self._quiet,
            )

    def confirm(self, question: str) -> bool:
        """Ask at the terminal.

        Raises:
            UsageError: if there is none, and `--yes` was not given.
        """
        if self._yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"{question} expected an answer, found no terminal; give --yes")
        return click.confirm(question)

    def say(self, event: StackEvent) -> None:
        """Print an event."""
        reason = f": {event.reason}" if event.reason else ""
        click.echo(f"{event.status:<28} {event.resource}{reason}", err=True)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def _weight(action: str) -> int:
    return {"Remove": 2, "Modify": 1}.get(action, 0)
