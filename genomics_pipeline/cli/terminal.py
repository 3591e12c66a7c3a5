"""The dialogue at the terminal while a stack changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import click

from genomics_pipeline.aws.stack import ChangeSet, StackEvent
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.output import echo_line

PIPE_WIDTH = 200  # columns of a pipe, enough for each change to fit on one line


class Terminal:
    """A terminal that shows changes as a table, asks for confirmation, and prints events as lines.

    Args:
        yes: Confirm without asking.
        quiet: Print changes to standard error, because a program reads standard output.
    """

    def __init__(self, yes: bool, quiet: bool = False) -> None:
        self._yes = yes
        self._quiet = quiet

    def show(self, change_set: ChangeSet, following: Mapping[str, int]) -> None:
        """Print the changes, removed and modified resources first, and how many resources of each type follow."""
        from rich.table import Table

        from genomics_pipeline.report.console import open_console

        if not change_set.changes:
            echo_line("no resource changes, outputs only" if change_set.needed else "no changes", err=self._quiet)
            return
        table = Table("action", "logical id", "type", "replacement", box=None)
        for change in sorted(change_set.changes, key=lambda change: (-_weight(change.action), change.resource)):
            table.add_row(change.action, change.resource, change.type, change.replacement)
        open_console(PIPE_WIDTH, stderr=self._quiet).print(table)
        if following:
            most = quantity(sum(following.values()), "resource")
            echo_line(f"followed by a second change set with at most {most}:", err=self._quiet)
            for kind, count in sorted(following.items()):
                echo_line(f"  {count:>3} {kind}", err=self._quiet)

    def confirm(self, question: str) -> bool:
        """Ask a question at the terminal, and return the answer.

        Raises:
            UsageError: if there is no terminal and no `--yes`.
        """
        if self._yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"{question} expected a confirmation, found no terminal; use --yes")
        return click.confirm(printable_line(question), err=self._quiet)

    def note(self, line: str) -> None:
        """Print a line about what is planned."""
        echo_line(line, err=self._quiet)

    def report(self, event: StackEvent) -> None:
        """Print an event of the stack."""
        reason = f": {event.reason}" if event.reason else ""
        echo_line(f"{event.status:<28} {event.resource}{reason}", err=True)

    def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        time.sleep(seconds)


def _weight(action: str) -> int:
    return {"Remove": 2, "Modify": 1}.get(action, 0)
