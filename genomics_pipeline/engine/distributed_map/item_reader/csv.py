"""``InputType: CSV``: each row is an item, an object of strings by header."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from genomics_pipeline.engine.distributed_map.item_reader.lines import whole_lines
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import (
    ItemReaderCause,
    UnreadableItems,
    too_large,
)
from genomics_pipeline.model import quotas

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
CsvItem = dict[str, str]
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
    # Holds for the whole process; the default is less than an item may contain.
    csv.field_size_limit(quotas.READER_ITEM.value)
    text = _CsvText(blocks)
    rows = csv.reader(chain.from_iterable(text), delimiter=delimiter)
    try:
        headers = headers if headers is not None else next((row for row in rows if row), [])
        _check_headers(headers)
        parts, before = text.parts, 0
        while chunk := list(islice(rows, _ROWS)):
            if text.parts - parts > 1:  # only then is there enough text for a row that is too large
                for number, row in enumerate(chunk, before + 1):
                    if sum(map(len, row)) > quotas.READER_ITEM.value:
                        raise too_large(number)
            yield _items(headers, chunk)
            parts, before = text.parts, before + len(chunk)
    except csv.Error as error:
        raise UnreadableItems(f"line {rows.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise UnreadableItems(f"expected UTF-8: {error}") from error


class _CsvText:
    """The content as text, in parts of whole lines.

    Attributes:
        parts: The number of parts that have been started.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.parts = 0

    def __iter__(self) -> Iterator[io.StringIO]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        for part in whole_lines(self._blocks):
            self.parts += 1
            yield io.StringIO(decoder.decode(part), newline="")
        decoder.decode(b"", final=True)


def _check_headers(headers: Sequence[str]) -> None:
    if sum(len(header.encode()) for header in headers) > quotas.CSV_HEADERS.value:
        raise UnreadableItems(f"expected CSV headers of at most {quotas.CSV_HEADERS}, found more")
    if len(set(headers)) < len(headers):
        # Recorded: localstack/localstack test_base_scenarios test_map_item_reader_csv_headers_decl_duplicate_headers
        raise ItemReaderCause("CSV headers cannot contain duplicates.")


def _items(headers: Sequence[str], rows: list[list[str]]) -> list[CsvItem]:
    width = len(headers)
    if min(map(len, rows)) < width:
        rows = [row + [""] * (width - len(row)) for row in rows if row]
    return [dict(zip(headers, row)) for row in rows]  # noqa: B905  # fields without a header are dropped
