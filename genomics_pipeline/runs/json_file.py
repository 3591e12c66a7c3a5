"""JSON files of a user: a definition, an input, mocked responses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import without_surrogates
from genomics_pipeline.stores.bounded_file import read_bounded
from genomics_pipeline.stores.protocol import Store

STDIN = "-"


def read_json(file: str, store: Store, lines: bool = False, prepare: Callable[[str], str] = lambda text: text) -> Any:
    """Return the JSON value in a file, in an object by its URI, or in standard input for ``-``.

    Halves of surrogate pairs become question marks, as AWS's payloads are UTF-8.

    Args:
        file: A path, a URI or ``-``.
        store: Reads objects by their URIs.
        lines: Whether the file may be JSON Lines; it is then returned as an array, if it has several lines.
        prepare: Makes JSON of the file's text.

    Raises:
        DataError: if the file cannot be read or is not JSON; with line and column of a syntax error.
    """
    name = shown_name(file)
    try:
        if file == STDIN:
            data = read_bounded(sys.stdin.buffer, budgets.JSON_SIZE, name)
        else:
            with store.open(file) if "://" in file else Path(file).open("rb") as stream:
                data = read_bounded(stream, budgets.JSON_SIZE, name)
    except OSError as error:
        raise DataError(f"{name}: expected a file, found none that can be read: {error.strerror}") from None
    try:
        text = prepare(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(Problem(f"expected UTF-8, found byte {error.start} that is not", name)) from None
    try:
        return without_surrogates(_json_lines(text) if lines else parse_json(text))
    except json.JSONDecodeError as error:
        message = error.msg[0].lower() + error.msg[1:]
        if name.endswith((".yaml", ".yml")):
            message += "; convert YAML to JSON first"
        raise DataError(Problem(f"expected JSON: {message}", name, error.lineno, error.colno)) from None
    except ValueError as error:
        raise DataError(Problem(f"expected JSON, found {error}", name)) from None


def shown_name(file: str) -> str:
    """Return the name of a file for messages."""
    return "standard input" if file == STDIN else file


def _json_lines(text: str) -> Any:
    """Return the value of JSON text, or the values of its lines.

    Raises:
        json.JSONDecodeError: for text that is neither; with the line.
        ValueError: beyond a budget.
    """
    try:
        return parse_json(text)
    except json.JSONDecodeError as whole:
        if whole.msg != "Extra data":
            raise
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                values.append(parse_json(line))
            except json.JSONDecodeError as error:
                place = sum(len(before) + 1 for before in text.split("\n")[: number - 1])
                raise json.JSONDecodeError(error.msg, text, place + error.pos) from None
    return values
