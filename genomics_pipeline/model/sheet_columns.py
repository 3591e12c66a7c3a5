"""Checks of a sample sheet column by column, which leave to `parse_sheet` all rows that may have a problem.

The rows that are plain and surely contradict no other are accepted as columns. All others, and those that share a
sample or a file with one of them, are read by `parse_sheet`, so that each message is its.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.manifest import parse_sheet
from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.plain_rows import PlainRows, plain_rows, repeated
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.sheet import Row, delimiter_of, read_rows
from genomics_pipeline.model.sheet_blocks import (
    FILE_COLUMNS,
    PLAIN_FOLDER,
    Marks,
    Numbers,
    SheetBlock,
    read_blocks,
    starts_with,
)

_PREFIX_BYTES = 200  # at most, so that a relative path behind it is a key of S3
_FEW = 0.25  # of the lines: more are not taken out of the sheet


def check_columns(
    data: bytes, name: str, base: str, warn: Callable[[Problem], None], follow: Callable[[str], str]
) -> tuple[list[Sample], PlainRows | None]:
    """Return the samples of a sheet that need a look, in the order of their first rows, and the plain rows of others.

    Args:
        data: The sheet in UTF-8.
        name: Its path or URI.
        base: The folder or URI that relative paths of files are relative to.
        warn: Takes what is not used of the sheet, once for each column.
        follow: As in `check_sheet`.

    Raises:
        DataError: with all problems, in source order.
    """
    text = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    if not (blocks := _blocks(text, name)):
        return parse_sheet(data.decode(), name, base, warn, follow), None
    prefix = follow(absolute_uri("x", base)).removesuffix("x")
    _leave_doubtful_paths(blocks, prefix)
    rows = plain_rows(blocks, prefix)
    lines = _lines_of_others(text, blocks, rows, name, lambda path: follow(absolute_uri(path, base)))
    if not len(rows) or lines.size > _FEW * len(rows):
        return parse_sheet(data.decode(), name, base, warn, follow), None
    plain = rows.without(lines)
    others = _text(text, blocks, lines)
    return parse_sheet(others, name, base, warn, follow, [1, *lines.tolist()]), plain


def _blocks(data: bytes, name: str) -> Sequence[SheetBlock] | None:
    """Return the rows of a sheet; None for one that has to be read row by row.

    Args:
        data: The sheet.
        name: Its path or URI.
    """
    delimiter = delimiter_of(name)
    start = data.find(b"\n") + 1
    if delimiter is None or not start or b"\r" in data or b"\0" in data:
        return None
    header = data[:start].decode()
    if list(read_rows(header, name)):
        return None
    names = [value.strip() for value in next(csv.reader([header], delimiter=delimiter))]
    return read_blocks(data, start, names, delimiter)


def _leave_doubtful_paths(blocks: Sequence[SheetBlock], prefix: str) -> None:
    """Leave relative paths in an unusual folder, and absolute ones in a folder that others are relative to."""
    if not any(block.relative.any() for block in blocks):
        return
    is_plain = re.fullmatch(PLAIN_FOLDER, prefix) and len(prefix.encode()) <= _PREFIX_BYTES
    for block in blocks:
        if not is_plain:
            block.plain[block.relative] = False
        for column in FILE_COLUMNS:
            if column in block.columns:
                block.plain[starts_with(block.columns[column], prefix)] = False


def _lines_of_others(
    data: bytes, blocks: Sequence[SheetBlock], rows: PlainRows, name: str, locate: Callable[[str], str]
) -> Numbers:
    """Return the numbers of the lines that are not plain, contradict others, or share a sample or a file with these.

    Args:
        data: The sheet.
        blocks: The blocks of the sheet.
        rows: Its plain rows.
        name: Its path or URI.
        locate: Returns the absolute path or URI of a file.
    """
    own = [np.concatenate([block.others, block.lines[~block.plain]]) for block in blocks]
    lines = np.unique(np.concatenate([*own, rows.lines[rows.suspicious() | _repeated_files(blocks)]]))
    if not lines.size or lines.size > _FEW * (len(rows) + lines.size):
        return lines
    found = [row.values for row in read_rows(_text(data, blocks, lines), name) if isinstance(row, Row)]
    samples = {row["sample"] for row in found if row.get("sample")}
    files = {locate(value) for row in found for column in FILE_COLUMNS if (value := row.get(column))}
    return np.union1d(lines, rows.lines[rows.of(samples, files)])


def _repeated_files(blocks: Sequence[SheetBlock]) -> Marks:
    """Mark the plain rows with a file that surely or possibly is in another place of the sheet, too."""
    names = [column for column in FILE_COLUMNS if column in blocks[0].columns]
    hashes = [np.concatenate([block.hashes[column][block.plain] for block in blocks]) for column in names]
    every = np.concatenate(hashes)
    given = every != 0
    marks = np.zeros(every.size, dtype=bool)
    marks[given] = repeated(every[given])
    found: Marks = np.logical_or.reduce(marks.reshape(len(names), -1), axis=0)
    return found


def _text(data: bytes, blocks: Sequence[SheetBlock], lines: Numbers) -> str:
    """Return the header and some lines of a sheet, in their order.

    Args:
        data: The sheet.
        blocks: The blocks of the sheet.
        lines: The numbers of the lines.
    """
    return data[: blocks[0].start].decode() + "".join(_some_lines(data, blocks, lines))


def _some_lines(data: bytes, blocks: Sequence[SheetBlock], lines: Numbers) -> Iterator[str]:
    for block in blocks:
        count = len(block.lines) + len(block.others)
        places = lines[(lines >= block.first_line) & (lines < block.first_line + count)] - block.first_line
        if places.size:
            every = data[block.start : block.end].split(b"\n")
            yield from (every[place].decode() + "\n" for place in places.tolist())
