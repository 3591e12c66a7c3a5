"""Rows of a sample sheet in CSV, TSV or JSON Lines, each with its line number."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.errors import Problem, did_you_mean

COLUMNS = ("patient", "sex", "status", "sample", "lane", "fastq_1", "fastq_2")
REQUIRED = ("sample", "fastq_1")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst)$")
_CSV_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_JSON_LINE = re.compile(r"([^\n]*)\n|([^\n]+)")
_NAMED = {",": "commas", "\t": "tabs", ";": "semicolons"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its values by column, all of them text, and its 1-based line."""

    line: int
    values: dict[str, str]


def read_rows(text: str, name: str) -> Iterator[Row | Problem]:
    """Yield the rows of a sheet that can be read, and the problems of all others, in their order."""
    bare = _COMPRESSED.sub("", name.lower())
    if bare.endswith(_JSON_LINES):
        yield from _json_rows(text, name)
        return
    for ending, delimiter in _DELIMITERS.items():
        if bare.endswith(ending):
            yield from _delimited_rows(text, name, delimiter)
            return
    yield Problem("expected a sample sheet named .csv, .tsv or .jsonl", name)


def _delimited_rows(text: str, name: str, delimiter: str) -> Iterator[Row | Problem]:
    reader = csv.reader((match[0] for match in _CSV_LINE.finditer(text)), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for fields in reader:
            start, line = line, reader.line_num + 1
            values = [value.strip() for value in fields]
            if not any(values):
                continue
            if header is None:
                header = values
                problems = list(_header_problems(header, name, start, delimiter))
                yield from problems
                if problems:
                    return
            elif len(values) != len(header):
                yield Problem(f"expected {len(header)} fields as in the header, found {len(values)}", name, start)
            else:
                yield Row(start, dict(zip(header, values, strict=True)))
    except csv.Error as error:
        reason = "a quotation mark is never closed" if str(error) == "unexpected end of data" else error
        yield Problem(f"expected {_NAMED[delimiter]} between quoted or plain fields: {reason}", name, line)
        return
    if header is None:
        yield Problem("expected a header and samples, found an empty file", name)


def _header_problems(header: Sequence[str], name: str, line: int, delimiter: str) -> Iterator[Problem]:
    if len(header) == 1:
        for other, words in _NAMED.items():
            if other != delimiter and other in header[0]:
                message = f"expected columns separated by {_NAMED[delimiter]}, found {words}"
                yield Problem(message, name, line)
                return
    for index, column in enumerate(header):
        if column in header[:index]:
            yield Problem(f"expected each column once, found {column!r} again", name, line, index + 1)
        elif column not in COLUMNS:
            yield Problem(f"unknown column {column!r}; {did_you_mean(column, COLUMNS)}", name, line, index + 1)
    for column in REQUIRED:
        if column not in header:
            yield Problem(f"expected a column {column!r}, found none", name, line)


def _json_rows(text: str, name: str) -> Iterator[Row | Problem]:
    for number, match in enumerate(_JSON_LINE.finditer(text), 1):
        line = match[1] or match[2] or ""
        if not line.strip():
            continue
        try:
            parsed = json.loads(line, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            yield Problem(f"expected a JSON object on each line: {error.msg}", name, number, error.colno)
            continue
        except _DuplicateKey as error:
            yield Problem(f"expected each key once, found {error.args[0]!r} again", name, number)
            continue
        except (ValueError, RecursionError):  # Python limits the digits of numbers and the depth of nesting
            yield Problem("expected a JSON object of texts, found a number or nesting too long", name, number)
            continue
        if not isinstance(parsed, dict):
            yield Problem(f"expected a JSON object on each line, found {_example(parsed)}", name, number)
            continue
        problems = list(_key_problems(parsed, name, number))
        yield from problems
        if not problems:
            yield Row(number, {key: "" if value is None else str(value) for key, value in parsed.items()})


def _key_problems(row: dict[str, Any], name: str, line: int) -> Iterator[Problem]:
    for key, value in row.items():
        if key not in COLUMNS:
            yield Problem(f"unknown column {key!r}; {did_you_mean(key, COLUMNS)}", name, line, key)
        elif not (value is None or isinstance(value, str) or (key == "status" and type(value) is int)):
            yield Problem(f"expected text, found {_example(value)}", name, line, key)


class _DuplicateKey(Exception):
    """A key that one JSON object has twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise _DuplicateKey(key)
        members[key] = value
    return members


def _example(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:40]
