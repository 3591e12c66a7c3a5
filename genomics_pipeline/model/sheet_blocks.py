"""The rows of a delimited sample sheet as Arrow columns, in blocks, with the rows marked that are surely valid alone.

A row is *plain* if it is made of unsuspicious characters and its values by themselves have no problem. All other rows
are left to `model.manifest`, whose messages are thus the only ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from genomics_pipeline.model.sheet import COLUMNS

BLOCK_BYTES = 8 << 20
DEFAULTS = {"sex": "NA", "status": "0", "lane": "L001"}  # the patient's is the name of the sample
EMPTY = pa.scalar("")
FILE_COLUMNS = ("fastq_1", "fastq_2", "bam", "cram", "gvcf")
_MOST_BYTES = 800  # of a plain value, so that a prefix and it are a key of S3
_WORD = 8

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# Without "@", ":", "?" and "#", no password, port, query or fragment; no part is ".", ".." or empty.
_PART = r"[\pL\pN_+=~-][\pL\pN_+=~. -]*"
_WEB_PART = r"[A-Za-z0-9_+~-][A-Za-z0-9_+~.-]*"
_PLACE = (
    rf"(?:(?:s3://[A-Za-z0-9-][A-Za-z0-9._-]{{0,62}}/|/)?{_PART}(?:/{_PART})*|https://[a-z0-9.-]+(?:/{_WEB_PART})+)"
)
_ENDINGS = {
    "fastq_1": r"\.(?:fastq|fq)(?:[._][12])?(?:\.b?gz)?",
    "fastq_2": r"\.(?:fastq|fq)(?:[._][12])?(?:\.b?gz)?",
    "bam": r"\.bam",
    "cram": r"\.cram",
    "gvcf": r"\.g?vcf\.b?gz",
}
_PATTERNS = {
    "sample": f"^{_NAME}$",
    **dict.fromkeys(("patient", "lane", "library"), f"^(?:{_NAME})?$"),
    "sex": "^(?:XX|XY|NA)?$",
    "status": "^[01]?$",
    **dict.fromkeys(("start", "accession"), "^$"),
    **{column: f"^(?:{_PLACE}{ending})?$" for column, ending in _ENDINGS.items()},
}
PLAIN_FOLDER = r"(?:s3://[A-Za-z0-9-][A-Za-z0-9._-]{0,62})?(?:/[\w+=~. -]+)*/"  # of Python's `re`

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SheetBlock:
    """Some lines of a sheet.

    Attributes:
        start: The offset of their first byte.
        end: The offset behind their last byte.
        first_line: The number of the first one.
        lines: The number of the line of each row, as the header has fields.
        others: The numbers of the other lines.
        columns: The known columns, with defaults for what is not given.
        plain: Marks the plain rows.
        hashes: For the sample and by column of files, a number for each value, different only for different values of
            at least 8 bytes; 0 for none.
        relative: Marks rows with a relative path.
    """

    start: int
    end: int
    first_line: int
    lines: Numbers
    others: Numbers
    columns: Mapping[str, pa.StringArray]
    plain: Marks
    hashes: Mapping[str, npt.NDArray[np.uint64]]
    relative: Marks


def read_blocks(data: bytes, start: int, header: Sequence[str], delimiter: str) -> list[SheetBlock] | None:
    """Return the rows of a sheet; None if lines and rows may not correspond, or quotation marks are not about values.

    Args:
        data: The sheet, with lines that end with a line feed.
        start: The offset of the line after the header, which is the first one.
        header: The names of the columns.
        delimiter: What is between them.
    """
    quoted = b'"' in data
    if quoted and not _has_whole_quotes(data[start:], delimiter.encode()):
        return None
    blocks, line = [], 2
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        for block in threads.map(lambda part: _read(data, part, header, delimiter, quoted), _parts(data, start)):
            if block is None:
                return None
            blocks.append(replace(block, first_line=line, lines=block.lines + line, others=block.others + line))
            line += len(block.lines) + len(block.others)
    return blocks


def _parts(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    while start < len(data):
        end = data.rfind(b"\n", start, start + BLOCK_BYTES) + 1 or data.find(b"\n", start) + 1 or len(data)
        yield start, end
        start = end


def _read(data: bytes, part: tuple[int, int], header: Sequence[str], delimiter: str, quoted: bool) -> SheetBlock | None:
    """Return a block whose lines are numbered from 0; None for one as in `read_blocks`.

    Args:
        data: The sheet.
        part: The offsets of the first byte and behind the last one.
        header: The names of the columns.
        delimiter: What is between them.
        quoted: Whether there are quotation marks.
    """
    start, end = part
    others: list[int] = []
    names = [f"{place} {column}" for place, column in enumerate(header)]
    try:
        table = _table(pa.py_buffer(data).slice(start, end - start), names, delimiter, others)
    except pa.ArrowInvalid:
        return None
    count = data.count(b"\n", start, end) + (data[end - 1 : end] != b"\n")
    if table.num_rows + len(others) != count or (quoted and others):
        return None
    values = {name: one_array(table[name]) for name in names}
    if quoted and any(_matches(one, f'["{delimiter}]').any() for one in values.values()):
        return None
    plain = np.ones(table.num_rows, dtype=bool)
    for one in values.values():
        plain &= _sizes(one) <= _MOST_BYTES
    columns = {column: values[name] for name, column in zip(names, header, strict=True) if column in COLUMNS}
    for column, one in columns.items():
        plain &= _matches(one, _PATTERNS[column])
    plain &= _has_one_input(columns, table.num_rows)
    hashes = {column: _hashes(columns[column]) for column in ("sample", *FILE_COLUMNS) if column in columns}
    relative = np.zeros(table.num_rows, dtype=bool)
    for column in FILE_COLUMNS:
        if column in columns:
            sizes = _sizes(columns[column])
            plain &= (sizes == 0) | (sizes >= _WORD)
            relative |= plain & (sizes > 0) & ~_is_absolute(columns[column])
    rows = np.delete(np.arange(count), others) if others else np.arange(count)
    columns = {column: _with_default(column, columns) for column in columns}
    return SheetBlock(start, end, 0, rows, np.array(others, dtype=np.int64), columns, plain, hashes, relative)


def _table(text: pa.Buffer, names: Sequence[str], delimiter: str, others: list[int]) -> pa.Table:
    """Return lines as a table of text.

    Args:
        text: The lines.
        names: The names of the columns.
        delimiter: What is between them.
        others: Takes the indexes of lines with more or fewer fields, which are left out.
    """

    def leave(row: Any) -> str:
        others.append(row.number - 1)
        return "skip"

    return csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(use_threads=False, block_size=text.size + 1, column_names=names),
        csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=leave),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


def _with_default(column: str, columns: Mapping[str, pa.StringArray]) -> pa.StringArray:
    """Return a column with the default in the place of what is not given."""
    values = columns[column]
    if column not in ("patient", *DEFAULTS) or _sizes(values).all():
        return values
    default = columns["sample"] if column == "patient" else pa.scalar(DEFAULTS[column])
    return pc.if_else(pc.equal(values, EMPTY), default, values)


def _has_whole_quotes(text: bytes, delimiter: bytes) -> bool:
    """Return whether each quotation mark is either behind or before a delimiter or the end of a line.

    If no value then holds a delimiter or a mark, each value has none or is between two, as all readers of CSV read it.
    """
    opening = text.count(delimiter + b'"') + text.count(b'\n"') + text.startswith(b'"')
    closing = text.count(b'"' + delimiter) + text.count(b'"\n') + text.endswith(b'"')
    return opening == closing and opening + closing == text.count(b'"')


def one_array(column: pa.ChunkedArray) -> pa.StringArray:
    """Return a column in one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _matches(values: pa.StringArray, pattern: str) -> Marks:
    marks: Marks = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return marks


def is_long(values: pa.StringArray) -> bool:
    """Return whether all values are so long that equal ones have equal hashes."""
    return bool((_sizes(values) >= _WORD).all())


def starts_with(values: pa.StringArray, prefix: str) -> Marks:
    """Mark the values that start with a text."""
    marks: Marks = pc.starts_with(values, prefix).to_numpy(zero_copy_only=False)
    return marks


def _sizes(values: pa.StringArray) -> npt.NDArray[np.int32]:
    sizes: npt.NDArray[np.int32] = np.diff(_offsets(values))
    return sizes


def _offsets(values: pa.StringArray) -> npt.NDArray[np.int32]:
    offsets: npt.NDArray[np.int32] = np.frombuffer(values.buffers()[1], np.int32)
    return offsets[values.offset : values.offset + len(values) + 1]


def _is_absolute(values: pa.StringArray) -> Marks:
    """Mark plain values that are absolute paths or URIs, which alone have a colon."""
    data = np.frombuffer(values.buffers()[2] or b"", np.uint8)
    starts = _offsets(values)[:-1]
    if data.size < _WORD:
        return np.zeros(len(values), dtype=bool)
    first, third, sixth = (data[np.minimum(starts + place, data.size - 1)] for place in (0, 2, 5))
    marks: Marks = (first == ord("/")) | (third == ord(":")) | (sixth == ord(":"))
    return marks


def _has_one_input(columns: Mapping[str, pa.StringArray], count: int) -> Marks:
    """Mark the rows with reads or a gVCF in one column, and mates beside reads only."""
    given = {column: _sizes(columns[column]) > 0 for column in FILE_COLUMNS if column in columns}
    none = np.zeros(count, dtype=bool)
    inputs = sum((given[column].astype(np.int8) for column in given if column != "fastq_2"), np.zeros(count, np.int8))
    marks: Marks = (inputs == 1) & (given.get("fastq_1", none) | ~given.get("fastq_2", none))
    return marks


def _hashes(values: pa.StringArray) -> npt.NDArray[np.uint64]:
    """Return a number of 64 bits for each value: 0 for none, equal for equal values of at least 8 bytes."""
    offsets = _offsets(values)
    starts, ends = offsets[:-1], offsets[1:]
    sizes = ends - starts
    data = values.buffers()[2]
    found = sizes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if data is None or data.size < _WORD:
        return found
    words = np.ndarray(shape=(data.size - _WORD + 1,), dtype="<u8", buffer=data, strides=(1,))
    for place in range(0, int(min(sizes.max(initial=0), _MOST_BYTES)), _WORD):
        # The last word of a value overlaps the one before it.
        mixed = found ^ words[np.clip(np.minimum(starts + place, ends - _WORD), 0, None)]
        mixed *= np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
        found = np.where(sizes > place, mixed, found)
    return found
