"""The only way of text to standard output and standard error: without control characters and secrets.

A test (`tests/package/test_output.py`) refuses other ways, so that no caller has to think of it.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from typing import Any

import click

from genomics_pipeline.model.json_text import without_infinities
from genomics_pipeline.model.printable import indented, printable, printable_line
from genomics_pipeline.model.secrets import redact


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text, which may have several lines.

    Args:
        text: The text.
        err: Print to standard error.
        nl: End with a line feed.
    """
    click.echo(printable(redact(text)), err=err, nl=nl)


def echo_line(text: str, *, err: bool = False, bold: bool = False, colour: str | None = None) -> None:
    """Print text as exactly one line.

    Args:
        text: The text; line feeds are escaped.
        err: Print to standard error.
        bold: Print in bold, on a terminal.
        colour: The colour on a terminal, such as ``red``.
    """
    click.secho(printable_line(redact(text)), err=err, bold=bold or None, fg=colour)


def echo_output(text: str) -> None:
    """Print the output of a user's own document: without control characters, but with the URIs as they are."""
    click.echo(printable(text))


def echo_error(problem: object) -> None:
    """Print a message for the user to standard error; its further lines are indented."""
    echo(f"error: {indented(str(problem))}", err=True)


def echo_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a JSON value.

    Args:
        value: The value.
        indent: The width of an indentation; None for one line.
    """
    echo(json_text(value, indent=indent))


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return JSON text of a value for standard output; infinite numbers, which JSON cannot hold, become null.

    Args:
        value: The value.
        indent: The width of an indentation; None for one line.
    """
    return encodable_json(json.dumps(without_infinities(value), indent=indent, ensure_ascii=False))


def encodable_json(text: str) -> str:
    """Return JSON text for standard output, in which characters are escaped unless it is in UTF-8 (RFC 8259)."""
    if codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name == "utf-8":
        return text
    return re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)  # outside of strings JSON is ASCII
