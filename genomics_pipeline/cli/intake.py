"""Commands without their sheets, which will arrive: the `run` or `submit` of `watch`, and that of `deploy --intake`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.model.errors import UsageError

if TYPE_CHECKING:
    from genomics_pipeline.runs.stack.intake import ArrivingSheets

SHEET = "sheet.csv"  # stands for the sheets that will arrive


def arriving_sheets(prefix: str | None, command: Sequence[str], stack: str) -> ArrivingSheets | None:
    """Return the sheets that a stack submits as they arrive, after the `submit` was read as it will be then.

    Args:
        prefix: The value of --intake; None where it is not given.
        command: What follows ``--``.
        stack: The name of the stack.

    Raises:
        UsageError: for one of them without the other, and for what a job on AWS could not do.
    """
    from genomics_pipeline.runs.aws.submission import SubmitRequest
    from genomics_pipeline.runs.stack.intake import ArrivingSheets, refuse_unusable

    if prefix is None and not command:
        return None
    if prefix is None or not command or command[0] != "submit":
        found = command[0] if command else "nothing"
        expected = "expected --intake PREFIX -- submit and its options"
        raise UsageError(f"{expected}, found {'no --intake' if prefix is None else found}")
    options = tuple(command[1:])
    given = given_options("submit", options, "--intake")
    for name, option in (("genome", "--genome"), ("dry_run", "--dry-run"), ("check_rights", "--check-rights")):
        if given.pop(name):
            raise UsageError(f"--intake: expected a `submit` without {option}, which a job on AWS cannot use, found it")
    if given["stack"] not in (stack, _default_stack()):
        raise UsageError(f"--intake: expected a `submit` to the stack {stack}, found --stack {given['stack']}")
    joint_with = given.pop("joint_with")
    for name in ("as_json", "wait_h", "stack"):
        del given[name]
    arriving = ArrivingSheets(prefix, options, SubmitRequest(**given), joint_with)
    refuse_unusable(arriving)
    return arriving


def given_options(name: str, options: Sequence[str], place: str) -> dict[str, Any]:
    """Return the options of a command without its sheet, as it will read them when a sheet arrives.

    Args:
        name: The command: ``run`` or ``submit``.
        options: Its arguments.
        place: The argument that they belong to, for messages.

    Raises:
        UsageError: for options that it does not accept.
    """
    from genomics_pipeline.cli.main import HELP_OPTIONS
    from genomics_pipeline.cli.run import run
    from genomics_pipeline.cli.submit import submit

    command = {"run": run, "submit": submit}[name]
    try:
        # A command keeps the names of the option for help that its first context has.
        context = command.make_context(name, [SHEET, *options], help_option_names=HELP_OPTIONS)
    except click.UsageError as error:
        raise UsageError(f"{place}: `{name}` does not accept its options: {error.format_message()}") from None
    return dict(context.params)


def _default_stack() -> str:
    from genomics_pipeline.model.resource_names import DEFAULT_STACK

    return DEFAULT_STACK
