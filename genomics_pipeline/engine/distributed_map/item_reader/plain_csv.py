"""CSV in which no character but the delimiter and the line end has a special meaning, read by Arrow."""

from __future__ import annotations

from collections.abc import Sequence

from genomics_pipeline.engine.distributed_map.item_reader.arrow_json import count_control_characters, row_texts

LEAST_PLAIN_BYTES = 64 << 10  # of an object's first part, for which it pays to import Arrow
_BOM = b"\xef\xbb\xbf"


def plain_rows(part: bytes, delimiter: str, headers: Sequence[str]) -> list[bytes] | None:
    """Return the rows of whole lines as compact JSON.

    Args:
        part: The lines.
        delimiter: The character between two fields.
        headers: The names of the columns, no two the same.

    Returns:
        None if they are not plain: if there is a quote, an empty line, a control character, a row of another width, a
        carriage return by itself, text that is not UTF-8, or no end of the last line.
    """
    if not _is_plain(part, delimiter):
        return None
    import pyarrow
    from pyarrow import csv

    text = pyarrow.large_string()
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(part),
            csv.ReadOptions(use_threads=False, block_size=len(part) + 1, column_names=list(headers)),
            csv.ParseOptions(delimiter=delimiter, quote_char=False, double_quote=False),
            csv.ConvertOptions(column_types=dict.fromkeys(headers, text), null_values=[]),
        )
    except pyarrow.ArrowInvalid:
        return None
    if len(table) != part.count(b"\n"):
        return None
    return row_texts(headers, [column.combine_chunks() for column in table.columns])


def _is_plain(part: bytes, delimiter: str) -> bool:
    ends = part.count(b"\r\n")
    control = part.count(b"\n") + ends + (part.count(b"\t") if delimiter == "\t" else 0)
    return (
        part.endswith(b"\n")
        and not part.startswith((b"\n", b"\r", _BOM))
        and b"\n\n" not in part
        and b"\n\r" not in part
        and b'"' not in part
        and b"\\" not in part
        and part.count(b"\r") == ends
        and count_control_characters(part) == control
    )
