"""A row of ResultWriter's files: a child execution, decoded only as far as a caller needs it.

Source: Step Functions developer guide, "ResultWriter (Map)"; members as recorded from AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.model.task import items_in
from genomics_pipeline.records.row_bytes import AFTER_INPUT, INPUT, INPUT_DETAILS, ROW_ENDS, escape_for_row

EXAMPLE_BYTES = 40  # of a file, shown in a message
MAX_ROW_BYTES = 1 << 24  # input, output and cause have at most 544 KiB, or six times that if all is escaped
ROW = "a child execution's row (ResultWriter's Transformation NONE)"

_TEXTS = ("Status", "Input", "Error", "Cause")

T = TypeVar("T")


class ResultRow:
    """One child execution.

    Attributes:
        line: The text of the row, with its line break if it has one.
    """

    _offset: int | None = None
    _child: Mapping[str, Any] | None = None

    def __init__(self, file: str, number: int, line: bytes) -> None:
        self._file = file
        self._number = number
        self.line = line

    @classmethod
    def element(cls, file: str, number: int, text: bytes, offset: int) -> ResultRow:
        """Return an array's element as a row.

        Args:
            file: URI of the file.
            number: The element's number in the array, from 1.
            text: The text of the element.
            offset: The offset of the element in the file, in bytes.
        """
        row = cls(file, number, text)
        row._offset = offset
        return row

    @property
    def location(self) -> str:
        """The file and the line, or in an array, which has no lines, the element and its offset."""
        if self._offset is None:
            return f"{self._file}:{self._number}"
        return element_location(self._file, self._number, self._offset)

    @property
    def child(self) -> Mapping[str, Any]:
        """The whole row, decoded.

        Raises:
            DataError: if it is not a child's row.
        """
        if self._child is None:
            if len(self.line) > MAX_ROW_BYTES:
                raise row_too_long(self.line, self.location)
            row = decode(self.line, self.location, ROW, loads_lenient)
            if not (isinstance(row, dict) and all(isinstance(row.get(name, ""), str) for name in _TEXTS)):
                raise _unexpected(self.line, self.location, ROW)
            if not {"Status", "Input"} <= row.keys():
                raise _unexpected(self.line, self.location, ROW)
            self._child = row
        return self._child

    @property
    def error(self) -> str:
        """``Error``; empty if the child has none, since it was aborted or never started."""
        error: str = self.child.get("Error", "States.Timeout" if self.child["Status"] == "TIMED_OUT" else "")
        return error

    @property
    def cause(self) -> str:
        """``Cause``; empty if the child has none."""
        cause: str = self.child.get("Cause", "")
        return cause

    def input_text(self) -> str:
        """Return the child's input, as JSON text, if possible without decoding the rest of the row.

        Raises:
            DataError: if it is not a child's row.
        """
        part = self.raw_input()
        if part is not None:
            try:
                text: str = orjson.loads(b'"' + part + b'"')
                return text
            except ValueError:
                pass
        return str(self.child["Input"])

    def raw_input(self, before: bytes = INPUT, after: bytes = b"") -> bytes | None:
        """Return the child's input as it is in the row, escaped for a JSON string.

        Args:
            before: The text before the part of the input to return; see `input_delimiters`.
            after: The text after that part.

        Returns:
            The part; None if the row must be decoded to find it.
        """
        line = self.line
        # Searched from the end, since a cause is long and full of quotes, escaped in a string. A truncated row begins
        # or ends otherwise, and one whose end is lost, so that the next row follows, has two inputs.
        if line[:2] == b'{"' and line.endswith(ROW_ENDS):
            end = line.rfind(AFTER_INPUT)
            start = line.rfind(before, 0, end) + len(before)
            if len(before) <= start < end and line.endswith(after, 0, end) and line.rfind(INPUT_DETAILS, 0, start) < 0:
                return line[start : end - len(after)]
        return None

    def items(self) -> list[Mapping[str, Any]]:
        """Return the items of the child's input: one, or those of its batch.

        Raises:
            DataError: if it is not a child's row, or its input is not one of our definitions'.
        """
        return self.items_in(self.input_text())

    def items_in(self, input_text: str) -> list[Mapping[str, Any]]:
        """Return the items in an input that `input_text` returned.

        Raises:
            DataError: if there are none.
        """
        expected = "a child's items in Input"
        items: list[Mapping[str, Any]] = decode(
            input_text, self.location, expected, lambda text: items_in(loads_lenient(text))
        )
        return items


def input_delimiters(before: str, after: str) -> tuple[bytes, bytes]:
    """Return the arguments of `ResultRow.raw_input` for inputs that begin and end with these texts."""
    return INPUT + escape_for_row(before), escape_for_row(after)


def element_location(file: str, number: int, offset: int) -> str:
    """Return the location of an array's element, for messages.

    >>> element_location("s3://b/FAILED_0.json", 2, 754)
    's3://b/FAILED_0.json: element 2 at byte 754'
    """
    return f"{file}: element {number} at byte {offset}"


def decode(text: T, location: str, expected: str, decoder: Callable[[T], Any]) -> Any:
    """Decode a text.

    Args:
        text: JSON text.
        location: The location of the text, for messages.
        expected: The name of what the text should be, for messages.
        decoder: The function that decodes it.

    Raises:
        DataError: if the decoder fails.
    """
    try:
        return decoder(text)
    except ValueError as error:
        raise _unexpected(text, location, expected, f": {error}") from None
    except (LookupError, TypeError, AttributeError):
        raise _unexpected(text, location, expected) from None


def row_too_long(text: bytes, location: str) -> DataError:
    """Return the error for a row that is longer than possible."""
    return DataError(f"{location}: expected {ROW} of at most {MAX_ROW_BYTES} bytes, found {example(text)} and more")


def _unexpected(text: object, location: str, expected: str, detail: str = "") -> DataError:
    shown = text.encode(errors="replace") if isinstance(text, str) else bytes(text)  # type: ignore[call-overload]
    return DataError(f"{location}: expected {expected}, found {example(shown)}{detail}")


def example(text: bytes) -> str:
    """Return the beginning of a text, quoted."""
    return repr(text[:EXAMPLE_BYTES].rstrip(b"\n").decode("utf-8", "replace"))
