"""``InputType: CSV``: each row is an item, an object of strings by header."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.plain_csv import (
    LEAST_PLAIN_BYTES,
    other_widths,
    plain_rows,
    plain_widths,
)
from genomics_pipeline.engine.distributed_map.item_reader.row_widths import RowWidths
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import (
    ItemReaderCause,
    UnreadableItems,
    not_utf8,
    too_large,
)
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps_each

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
CsvItem = dict[str, str]
T = TypeVar("T")
_ROWS = 100  # in a chunk; few, because each may be large


def read(
    blocks: Iterable[bytes], delimiter: str = ",", headers: Sequence[str] | None = None
) -> Iterator[list[CsvItem]]:
    """Yield the items in chunks; empty lines are skipped.

    Args:
        blocks: The content.
        delimiter: The character between two fields.
        headers: ``CSVHeaders``; None if the first row is the header (``FIRST_ROW``).

    Raises:
        UnreadableItems: if the content is not valid CSV or too large in one of its parts.
        ItemReaderCause: if two headers are the same.
    """
    return _read(blocks, delimiter, headers)


def _read(
    blocks: Iterable[bytes],
    delimiter: str,
    headers: Sequence[str] | None,
    lines: int = 0,
    items: int = 0,
    widths: RowWidths | None = None,
) -> Iterator[list[CsvItem]]:
    """Yield the items of content, or of the rest of it.

    Args:
        blocks: The content.
        delimiter: The character between two fields.
        headers: See `read`.
        lines: The number of lines before it.
        items: The number of items before it.
        widths: Learns of rows that do not fit the header.
    """
    # Holds for the whole process; the default is less than an item may contain.
    csv.field_size_limit(quotas.READER_ITEM.value)
    text = _CsvText(blocks, "utf-8" if lines else "utf-8-sig")
    rows = csv.reader(chain.from_iterable(text), delimiter=delimiter)
    try:
        headers = headers if headers is not None else next((row for row in rows if row), [])
        _check_headers(headers)
        if widths:
            widths.columns = headers
        parts, before = text.parts, items
        while chunk := list(islice(rows, _ROWS)):
            if text.parts - parts > 1:  # only then is there enough text for a row that is too large
                for number, row in enumerate(chunk, before + 1):
                    if sum(map(len, row)) > quotas.READER_ITEM.value:
                        raise too_large(number)
            if widths:
                widths.add(_misfits(chunk, len(headers), lines + rows.line_num))
            yield _items(headers, chunk)
            parts, before = text.parts, before + len(chunk)
    except csv.Error as error:
        raise UnreadableItems(f"line {lines + rows.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise not_utf8(error, lines + text.lines) from error


def texts(blocks: Iterable[bytes], delimiter: str = ",", headers: Sequence[str] | None = None) -> Iterator[list[bytes]]:
    """Yield the items as compact JSON, in chunks; see `read`.

    The first parts of a large object, as long as no character in them has a special meaning, are read column by column.
    """
    return _parts(blocks, delimiter, headers, plain_rows, dumps_each, len)


def counts(
    blocks: Iterable[bytes],
    delimiter: str = ",",
    headers: Sequence[str] | None = None,
    widths: RowWidths | None = None,
) -> Iterator[int]:
    """Yield the number of items in each part of the content.

    Args:
        blocks: The content.
        delimiter: The character between two fields.
        headers: See `read`.
        widths: Learns of the columns, and of rows that do not fit them.
    """
    widths = widths if widths is not None else RowWidths()
    lines = 0 if headers is not None else 1

    def count_plain(part: bytes, delimiter: str, names: Sequence[str]) -> int | None:
        nonlocal lines
        if (fields := plain_widths(part, delimiter)) is None:
            return None
        widths.columns = names
        widths.add((lines + number, found) for number, found in other_widths(fields, len(names)))
        lines += len(fields)
        return len(fields)

    return _parts(blocks, delimiter, headers, count_plain, len, int, widths)


def _parts(
    blocks: Iterable[bytes],
    delimiter: str,
    headers: Sequence[str] | None,
    plain: Callable[[bytes, str, Sequence[str]], T | None],
    other: Callable[[list[CsvItem]], T],
    size: Callable[[T], int],
    widths: RowWidths | None = None,
) -> Iterator[T]:
    """Yield results for the parts of an object.

    Args:
        blocks: The content.
        delimiter: The character between two fields.
        headers: See `read`.
        plain: Returns the result for whole lines of which no character has a special meaning; None for others.
        other: Returns the result for items.
        size: Returns the number of items for which there is a result.
        widths: Learns of rows of other items that do not fit the header.
    """
    parts = whole_lines(blocks)
    part = rest = next(parts, b"")
    lines = items = 0
    names = headers if headers is not None else _plain_header(part, delimiter)
    if names is not None and len(part) >= LEAST_PLAIN_BYTES:
        _check_headers(names)
        if headers is None:
            _, _, rest = part.partition(b"\n")
            lines = 1
        while (result := plain(rest, delimiter, names)) is not None:
            yield result
            headers, items = names, items + size(result)
            if not (part := next(parts, b"")):
                return
            rest = part
    before = lines + items if items else 0
    yield from map(other, _read(chain([part], parts), delimiter, headers, before, items, widths))


def _plain_header(part: bytes, delimiter: str) -> list[str] | None:
    """Return the headers if they are the first line, and this has no special characters but quotes around them."""
    text = part.partition(b"\n")[0].decode("utf-8-sig", "replace").removesuffix("\r")
    if not text or not text.isprintable() or "\N{REPLACEMENT CHARACTER}" in text:
        return None
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:  # it may go on in the next line
        return None


class _CsvText:
    """The content as text, in parts of whole lines.

    Attributes:
        parts: The number of parts that have been started.
        lines: The number of lines in the parts before the last one.
    """

    def __init__(self, blocks: Iterable[bytes], encoding: str) -> None:
        self._blocks = blocks
        self._encoding = encoding
        self.parts = self.lines = 0

    def __iter__(self) -> Iterator[io.StringIO]:
        decoder = codecs.getincrementaldecoder(self._encoding)()
        for part in whole_lines(self._blocks):
            self.parts += 1
            yield io.StringIO(decoder.decode(part), newline="")
            self.lines += part.count(b"\n")
        decoder.decode(b"", final=True)


def _check_headers(headers: Sequence[str]) -> None:
    if sum(len(header.encode()) for header in headers) > quotas.CSV_HEADERS.value:
        raise UnreadableItems(f"expected CSV headers of at most {quotas.CSV_HEADERS}, found more")
    if len(set(headers)) < len(headers):
        # Recorded: localstack/localstack test_base_scenarios test_map_item_reader_csv_headers_decl_duplicate_headers
        twice = next(header for header, number in Counter(headers).items() if number > 1)
        places = " and ".join(str(number) for number, header in enumerate(headers, 1) if header == twice)
        detail = f"expected different names of columns, found {twice!r} as columns {places}"
        raise ItemReaderCause("CSV headers cannot contain duplicates.", detail)


def _misfits(rows: list[list[str]], width: int, line: int) -> list[tuple[int, int]]:
    """Return the line and the number of fields of each row of another width; empty lines are no rows.

    Args:
        rows: The rows.
        width: The number of columns.
        line: The last line of the last row.
    """
    if set(map(len, rows)) <= {width, 0}:
        return []
    misfits = []
    for row in reversed(rows):
        within = sum(field.count("\n") + field.count("\r") - field.count("\r\n") for field in row)
        if row and len(row) != width:
            misfits.append((line - within, len(row)))
        line -= within + 1
    return misfits[::-1]


def _items(headers: Sequence[str], rows: list[list[str]]) -> list[CsvItem]:
    width = len(headers)
    if min(map(len, rows)) < width:
        rows = [row + [""] * (width - len(row)) for row in rows if row]
    return [dict(zip(headers, row)) for row in rows]  # noqa: B905  # fields without a header are dropped
