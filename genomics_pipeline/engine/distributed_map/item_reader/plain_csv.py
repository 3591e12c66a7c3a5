"""CSV whose characters have no other meaning than their usual one, read by Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader.arrow_json import row_texts

LEAST_PLAIN_BYTES = 64 << 10  # of an object's first part, for which it pays to import Arrow
_BOM = b"\xef\xbb\xbf"
_LINE_END, _RETURN, _SPACE, _QUOTE = b'\n\r "'


def plain_rows(part: bytes, delimiter: str, headers: Sequence[str]) -> list[bytes] | None:
    """Return the rows of whole lines as compact JSON.

    Args:
        part: The lines.
        delimiter: The character between two fields.
        headers: The names of the columns, no two the same.

    Returns:
        None if they are not plain: if there is a quote that does not begin or end a field, a backslash, an empty line,
        a control character, a row of another width, a carriage return by itself, text that is not UTF-8, or no end of
        the last line.
    """
    if not (lines := _plain_lines(part, delimiter)):
        return None
    import pyarrow
    from pyarrow import csv

    text = pyarrow.large_string()
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(part),
            csv.ReadOptions(use_threads=False, block_size=len(part) + 1, column_names=list(headers)),
            csv.ParseOptions(delimiter=delimiter, quote_char='"' if b'"' in part else False, double_quote=False),
            csv.ConvertOptions(column_types=dict.fromkeys(headers, text), null_values=[]),
        )
    except pyarrow.ArrowInvalid:
        return None
    if len(table) != lines:
        return None
    has_tabs = delimiter == "\t" and b'"' in part  # in its fields
    return row_texts(headers, [column.combine_chunks() for column in table.columns], may_need_escapes=has_tabs)


def plain_widths(part: bytes, delimiter: str) -> Any:
    """Return the number of fields of each row of whole lines; None if they are not plain, but for different widths."""
    import numpy

    if not _plain_lines(part, delimiter):
        return None
    try:
        part.decode()
    except UnicodeDecodeError:
        return None
    characters = numpy.frombuffer(part, numpy.uint8)
    delimiters = numpy.flatnonzero(characters == ord(delimiter))
    if b'"' in part:
        quotes = numpy.flatnonzero(characters == _QUOTE)
        delimiters = delimiters[numpy.searchsorted(quotes, delimiters) % 2 == 0]
    before_ends = numpy.searchsorted(delimiters, numpy.flatnonzero(characters == _LINE_END))
    return numpy.diff(before_ends, prepend=0) + 1


def other_widths(fields: Any, width: int) -> Iterator[tuple[int, int]]:
    """Yield the number, from 1, and the fields of each row with another number of fields than `width`."""
    import numpy

    return ((int(row) + 1, int(fields[row])) for row in numpy.flatnonzero(fields != width))


def _plain_lines(part: bytes, delimiter: str) -> int:
    """Return the number of lines if they are plain; otherwise 0."""
    import numpy

    if not part.endswith(b"\n") or part.startswith((b"\n", b"\r", _BOM)) or b"\\" in part:
        return 0
    characters = numpy.frombuffer(part, numpy.uint8)
    line_ends = numpy.flatnonzero(characters == _LINE_END)
    returns = numpy.flatnonzero(characters == _RETURN) if b"\r" in part else line_ends[:0]
    tabs = part.count(b"\t") if delimiter == "\t" else 0
    starts = line_ends[:-1] + 1
    are_plain = (
        int(numpy.count_nonzero(characters < _SPACE)) == len(line_ends) + len(returns) + tabs
        and bool(numpy.all(characters[returns + 1] == _LINE_END))
        and not bool(numpy.any((characters[starts] == _LINE_END) | (characters[starts] == _RETURN)))
        and (b'"' not in part or _are_around_fields(characters, line_ends, ord(delimiter)))
    )
    return len(line_ends) if are_plain else 0


def _are_around_fields(characters: Any, line_ends: Any, delimiter: int) -> bool:
    """Return whether each quote begins or ends a field, and no field goes on in another line.

    Args:
        characters: The bytes of whole lines.
        line_ends: The positions of their ends.
        delimiter: The byte between two fields.
    """
    import numpy

    quotes = numpy.flatnonzero(characters == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = characters[numpy.maximum(opening - 1, 0)]
    after = characters[numpy.minimum(closing + 1, len(characters) - 1)]
    return (
        bool(numpy.all((opening == 0) | (before == delimiter) | (before == _LINE_END)))
        and bool(numpy.all((after == delimiter) | (after == _LINE_END) | (after == _RETURN)))
        and not bool(numpy.any(numpy.searchsorted(quotes, line_ends) % 2))
    )
