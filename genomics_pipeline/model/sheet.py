"""Rows of a sample sheet in CSV, TSV or JSON Lines, each with its line number."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.sample import READ_COLUMNS

INPUT_COLUMNS = ("fastq_1", "bam", "cram", "gvcf", "accession")  # of which each row has one
COLUMNS = ("patient", "sex", "status", "sample", "lane", "library", *READ_COLUMNS, "gvcf", "accession", "start")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_COMPRESSED = re.compile(r"\.(gz|bgz|bz2|xz|zst)$")
_NO_LETTERS = re.compile(r"[\W_]")
SURELY_MEANT = 0.85  # of difflib's ratio: one letter of six or more differs
_CSV_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_JSON_LINE = re.compile(r"([^\n]*)\n|([^\n]+)")
_NAMED = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its values by column, all of them text, and its 1-based line."""

    line: int
    values: dict[str, str]


def ignore(warning: Problem) -> None:
    """Ignore a warning."""


def read_rows(text: str, name: str, warn: Callable[[Problem], None] = ignore) -> Iterator[Row | Problem]:
    """Yield the rows of a sheet that can be read, and the problems of all others, in their order.

    Columns that are not known are left out of the rows.

    Args:
        text: The text of the sheet.
        name: Its path or URI, whose extension tells its format.
        warn: Takes a warning of each such column, once.
    """
    if _bare(name).endswith(_JSON_LINES):
        yield from _json_rows(text, name, warn)
    elif (delimiter := delimiter_of(name)) is not None:
        yield from _delimited_rows(text, name, delimiter, warn)
    else:
        yield Problem("expected a sample sheet named .csv, .tsv or .jsonl", name)


def delimiter_of(name: str) -> str | None:
    """Return what separates the columns of a sheet, by its name; None for JSON Lines and unknown formats.

    >>> delimiter_of("cohort.csv.gz"), delimiter_of("cohort.jsonl")
    (',', None)
    """
    return next((delimiter for ending, delimiter in _DELIMITERS.items() if _bare(name).endswith(ending)), None)


def _bare(name: str) -> str:
    return _COMPRESSED.sub("", name.lower())


def _delimited_rows(text: str, name: str, delimiter: str, warn: Callable[[Problem], None]) -> Iterator[Row | Problem]:
    reader = csv.reader((match[0] for match in _CSV_LINE.finditer(text)), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for row in reader:
            start, line = line, reader.line_num + 1
            values = [value.strip() for value in row]
            if not any(values):
                continue
            if header is None:
                header = values
                problems = list(_header_problems(header, name, start, delimiter))
                yield from problems
                if problems:
                    return
                for place, column in enumerate(header, 1):
                    if column not in COLUMNS:
                        warn(Problem(_unused(column), name, start, place))
            elif len(values) != len(header):
                yield Problem(
                    f"expected {quantity(len(header), 'field')} as in the header, found {len(values)}", name, start
                )
            else:
                pairs = zip(header, values, strict=True)
                yield Row(start, {column: value for column, value in pairs if column in COLUMNS})
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
        if column in COLUMNS and column in header[:index]:
            yield Problem(f"expected each column once, found {column!r} again", name, line, index + 1)
        elif meant := _meant(column, header):
            yield Problem(f"unknown column {column!r}; did you mean {meant!r}?", name, line, index + 1)
    if "sample" not in header:
        yield Problem("expected a column 'sample', found none", name, line)
    if not set(INPUT_COLUMNS).intersection(header):
        yield Problem(f"expected a column {one_of(map(repr, INPUT_COLUMNS))}, found none", name, line)


def one_of(words: Iterable[str]) -> str:
    """Return words as alternatives.

    >>> one_of(["bam", "cram", "gvcf"])
    'bam, cram or gvcf'
    """
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _meant(column: str, columns: Collection[str]) -> str | None:
    """Return the column that an unknown one surely stands for: one that is spelt almost alike, and is not there.

    >>> _meant("fastq2", ["sample", "fastq_1", "fastq2"]), _meant("Sex", ["Sex"]), _meant("sample_id", ["sample"])
    ('fastq_2', 'sex', None)
    """
    absent = [known for known in COLUMNS if known not in columns]
    if column in COLUMNS:
        return None
    bare = _NO_LETTERS.sub("", column.lower())
    alike = [known for known in absent if _NO_LETTERS.sub("", known) == bare]
    return next(iter([*alike, *get_close_matches(column.lower(), absent, n=1, cutoff=SURELY_MEANT)]), None)


def _unused(column: str) -> str:
    """Return the warning about an unknown column."""
    if not column:
        return "a column without a name is not used"
    return f"column {column!r} is not used; {did_you_mean(column, COLUMNS)}"


def _json_rows(text: str, name: str, warn: Callable[[Problem], None]) -> Iterator[Row | Problem]:
    warned: set[str] = set()
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
        for key in parsed:
            if key not in COLUMNS and key not in warned and not problems:
                warned.add(key)
                warn(Problem(_unused(key), name, number, key))
        if not problems:
            known = {key: value for key, value in parsed.items() if key in COLUMNS}
            yield Row(number, {key: "" if value is None else str(value) for key, value in known.items()})


def _key_problems(row: dict[str, Any], name: str, line: int) -> Iterator[Problem]:
    for key, value in row.items():
        if key not in COLUMNS:
            if meant := _meant(key, row):
                yield Problem(f"unknown column {key!r}; did you mean {meant!r}?", name, line, key)
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
