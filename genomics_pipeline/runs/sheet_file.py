"""The text of a sample sheet at a path or URI, read within its budgets."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Generator, Iterable
from contextlib import closing
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.s3_uri import object_misfit
from genomics_pipeline.model.secrets import refuse_password, without_secrets
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.stores.decompression import decompressed
from genomics_pipeline.stores.protocol import MissingObject

PIECE_BYTES = 1 << 16
_UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)  # also of UTF-32, little-endian
_LINE_END = re.compile(rb"\r\n?|\n")


def read_sheet(uri: str) -> bytes:
    """Return a sheet in UTF-8, decompressed and without a byte order mark.

    Raises:
        UsageError: for a URI with a password.
        DataError: if it cannot be read, is not UTF-8 or exceeds a budget.
    """
    refuse_password(uri, "SHEET")
    shown = without_secrets(uri)
    try:
        with closing(_pieces(uri)) as pieces:
            data = bounded_text(decompressed(pieces))
    except MissingObject:
        raise DataError(Problem("expected a sample sheet, found no such file", shown)) from None
    except DataError as error:
        (one,) = error.problems
        raise DataError(Problem(one.message.removeprefix(f"{shown}: "), shown, one.line)) from None
    except Exception as error:  # smart-open raises the exceptions of many libraries
        if _is_missing(error):
            raise DataError(Problem("expected a sample sheet, found no such file", shown)) from None
        raise DataError(Problem(f"expected a readable sample sheet: {error}", shown)) from None
    if data.startswith(_UTF_16) or b"\0" in data[:2]:  # a zero byte is half of the first letter
        raise DataError(Problem("expected UTF-8, found UTF-16; save the sheet as UTF-8", shown, 1))
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"expected UTF-8, found byte 0x{data[error.start]:02x}; save the sheet as UTF-8"
        raise DataError(Problem(message, shown, line)) from None
    return data.removeprefix(BOM_UTF8)


def bounded_text(pieces: Iterable[bytes]) -> bytes:
    """Return the content of a sheet.

    Raises:
        DataError: as soon as it exceeds a budget; with the line.
    """
    held = BytesIO()  # its value is what it holds, without a copy
    size, lines, line_size = 0, 1, 0
    for piece in pieces:
        size += len(piece)
        if size > budgets.SHEET_SIZE.value:
            raise DataError(f"expected a sample sheet of at most {budgets.SHEET_SIZE}, decompressed, found more")
        if line_size + len(piece) > budgets.SHEET_LINE.value:
            _refuse_long_lines(piece, lines, line_size)
        lines += piece.count(b"\n")
        end = piece.rfind(b"\n")
        if b"\r" in piece:
            lines += piece.count(b"\r") - piece.count(b"\r\n")
            end = max(end, piece.rfind(b"\r"))
        line_size = len(piece) - end - 1 + (line_size if end < 0 else 0)
        if lines > budgets.SHEET_LINES.value:
            raise DataError(f"expected a sample sheet of at most {budgets.SHEET_LINES}, found more")
        held.write(piece)
    return held.getvalue()


def _refuse_long_lines(piece: bytes, line: int, size: int) -> None:
    """Refuse a part of a sheet with a line that is too long.

    Args:
        piece: The part.
        line: The number of its first line.
        size: The bytes of that line before this part.

    Raises:
        DataError: with the line.
    """
    for part in _LINE_END.split(piece):
        if size + len(part) > budgets.SHEET_LINE.value:
            raise _too_long(line)
        line, size = line + 1, 0


def _too_long(line: int) -> DataError:
    return DataError(Problem(f"expected lines of at most {budgets.SHEET_LINE}, found a longer one", line=line))


def _pieces(uri: str) -> Generator[bytes]:
    if is_web(uri):
        from genomics_pipeline.stores.web import web_pieces  # with urllib, which few runs need

        yield from web_pieces(uri)
        return
    with _open(uri) as stream:
        yield from iter(partial(stream.read, PIECE_BYTES), b"")


def _open(uri: str) -> BinaryIO:
    """Open a sheet as it is stored; a file without smart-open, whose import takes longer than the reading."""
    if "://" not in uri:
        return Path(uri).open("rb")
    if message := object_misfit(uri):
        raise DataError(message)
    from smart_open import open as smart_open

    return smart_open(uri, "rb", compression="disable")


def _is_missing(error: Exception) -> bool:
    """Return whether an error of smart-open means that there is no such file; for S3 it wraps the error of boto3."""
    response = getattr(getattr(error, "backend_error", None), "response", {})
    return isinstance(error, FileNotFoundError) or response.get("Error", {}).get("Code") == "NoSuchKey"
