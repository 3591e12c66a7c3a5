"""ResultWriter's files of one Map Run, read a row at a time and decoded as far as is asked.

Source: Step Functions developer guide, "ResultWriter (Map)"; layout and members as recorded from AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import count
from typing import Any, BinaryIO, TypeVar

import orjson

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import items_in
from genomics_pipeline.stores.protocol import Store

EXAMPLE_BYTES = 40
BLOCK_BYTES = 1 << 17  # more is slower: it leaves the processor's cache
MAX_ROW_BYTES = 1 << 24  # an input, an output and a cause are of 544 KiB at most, six times that where all is escaped
ROW = "a child execution's row (ResultWriter's Transformation NONE)"

_REDRIVE = re.compile(rf"{run_layout.REDRIVE}(\d+)")
# Between the rows of an array. In a string a quote is escaped, or ends it and no letter follows.
_BETWEEN = re.compile(rb'\}\s*,\s*(?=\{\s*"[A-Za-z])')
_SPACE = b" \t\r\n"
_INPUT, _DETAILS, _AFTER_INPUT = b'"Input":"', b"InputDetails", b'","InputDetails":{'
_ENDS = (b'"}\n', b'"}')
T = TypeVar("T")


class ResultRow:
    """One child execution.

    Attributes:
        line: Its text, with the line's end where it has one.
    """

    _offset: int | None = None
    _child: Mapping[str, Any] | None = None

    def __init__(self, file: str, number: int, line: bytes) -> None:
        self._file = file
        self._number = number
        self.line = line

    @classmethod
    def element(cls, file: str, number: int, text: bytes, offset: int) -> ResultRow:
        """One of an array, and its place in the file."""
        row = cls(file, number, text)
        row._offset = offset
        return row

    @property
    def place(self) -> str:
        """File and line; in an array, which has none, the element and its byte."""
        if self._offset is None:
            return f"{self._file}:{self._number}"
        return f"{self._file}: element {self._number} at byte {self._offset}"

    @property
    def child(self) -> Mapping[str, Any]:
        """What it holds.

        Raises:
            DataError: if it is not a child's row.
        """
        if self._child is None:
            if len(self.line) > MAX_ROW_BYTES:
                raise _too_long(self.line, self.place)
            found = _read(self.line, self.place, ROW, loads)
            if not (isinstance(found, dict) and "Status" in found and isinstance(found.get("Input"), str)):
                raise _unlike(self.line, self.place, ROW)
            self._child = found
        return self._child

    @property
    def error(self) -> str:
        """``Error``; empty where the child has none, as one that was aborted or never started."""
        found: str = self.child.get("Error", "States.Timeout" if self.child["Status"] == "TIMED_OUT" else "")
        return found

    @property
    def cause(self) -> str:
        """``Cause``, likewise."""
        found: str = self.child.get("Cause", "")
        return found

    def given(self) -> str:
        """The child's input, JSON text. Of a child that did not succeed nothing else is decoded for it.

        Raises:
            DataError: if it is not a child's row.
        """
        part = self.quoted()
        if part is not None:
            try:
                text: str = orjson.loads(b'"' + part + b'"')
                return text
            except ValueError:
                pass
        return str(self.child["Input"])

    def quoted(self, before: bytes = _INPUT, after: bytes = b"") -> bytes | None:
        """The child's input, or its part between what `around` gives, as the row has it: a JSON string's inside.

        None where that cannot be told from the row's text alone.
        """
        line = self.line
        # Searched from the end, since a cause is long and full of quotes; within a string these would be escaped. A row
        # that is cut off begins or ends otherwise, and one that lost its end to the next has two inputs.
        if line[:2] == b'{"' and line.endswith(_ENDS):
            end = line.rfind(_AFTER_INPUT)
            start = line.rfind(before, 0, end) + len(before)
            if len(before) <= start < end and line.endswith(after, 0, end) and line.rfind(_DETAILS, 0, start) < 0:
                return line[start : end - len(after)]
        return None

    def items(self) -> list[Mapping[str, Any]]:
        """The items it was given: one, or those of its batch.

        Raises:
            DataError: if it is not a child's row, or its input is not one of our definitions'.
        """
        return self.items_in(self.given())

    def items_in(self, given: str) -> list[Mapping[str, Any]]:
        """The items in what `given` returned.

        Raises:
            DataError: if they are not there.
        """
        expected = "a child's items in Input"
        found: list[Mapping[str, Any]] = _read(given, self.place, expected, lambda text: items_in(loads(text)))
        return found


def around(before: str, after: str) -> tuple[bytes, bytes]:
    """What `ResultRow.quoted` takes, of the beginning and the end of inputs."""
    return _INPUT + orjson.dumps(before)[1:-1], orjson.dumps(after)[1:-1]


def rows(store: Store, details: Mapping[str, str], kind: str) -> Iterator[ResultRow]:
    """The rows of one kind, in the order of their files. Little is held, whatever the files' size.

    Args:
        store: Where the files lie.
        details: ``ResultWriterDetails`` of the Map Run: ``Bucket``, and ``Key`` of its ``manifest.json``.
        kind: SUCCEEDED, FAILED or PENDING. What succeeded is only read as Transformation NONE writes it.

    Raises:
        DataError: for files that are missing or not ResultWriter's.
    """
    bucket = details["Bucket"]
    manifest = f"s3://{bucket}/{details['Key']}"
    files = _read(
        store.read(manifest),
        manifest,
        "ResultWriter's manifest",
        lambda text: [(str(file["Key"]), file.get("Size")) for file in loads(text)["ResultFiles"][kind]],
    )
    for key, size in files:
        uri = f"s3://{bucket}/{key}"
        with store.open(uri) as stream:
            yield from _file_rows(uri, stream, size)


def newest(store: Store, details: Mapping[str, str]) -> dict[str, str]:
    """``ResultWriterDetails`` of a Map Run after its last redrive: its own where it never was redriven.

    A redrive writes into ``Redrive-N``, N the execution's number of redrives: not each of them is there.

    Args:
        store: Where the files lie.
        details: ``ResultWriterDetails`` of the Map Run, from before or after a redrive.
    """
    bucket, folder = details["Bucket"], details["Key"].rpartition("/")[0]
    above, _, last = folder.rpartition("/")
    if _REDRIVE.fullmatch(last):
        folder = above
    start = f"s3://{bucket}/{folder}/"
    numbers = [
        int(named[1])
        for info in store.list(f"{start}{run_layout.REDRIVE}")
        if (named := _REDRIVE.fullmatch(info.uri.removeprefix(start).partition("/")[0]))
    ]
    if not numbers:
        return {"Bucket": bucket, "Key": details["Key"]}
    return {"Bucket": bucket, "Key": f"{run_layout.redrive_folder(folder, max(numbers))}/{run_layout.RESULT_MANIFEST}"}


def _file_rows(uri: str, stream: BinaryIO, size: int | None) -> Iterator[ResultRow]:
    """The rows of a file: an array's elements where it begins with a bracket, else lines.

    In a file of lines a bracket begins only what is no row.
    """
    counted = _Counted(stream)
    blocks = BufferedReader(counted, BLOCK_BYTES)
    yield from (_elements if blocks.peek().lstrip(_SPACE).startswith(b"[") else _lines)(uri, blocks)
    if size is not None and counted.bytes != size:
        raise DataError(f"{uri}: expected {size} bytes, as the manifest says, found {counted.bytes}")


class _Counted(RawIOBase):
    """A stream, and how much of it was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self.bytes += count
        return count


def _lines(uri: str, stream: BufferedReader[Any]) -> Iterator[ResultRow]:
    # One byte more than may be tells a row that is too long.
    return map(partial(ResultRow, uri), count(1), iter(partial(stream.readline, MAX_ROW_BYTES + 1), b""))


def _elements(uri: str, stream: BufferedReader[Any]) -> Iterator[ResultRow]:
    """An array's elements."""
    number, searched, held = 0, 0, stream.read(BLOCK_BYTES)
    offset = held.index(b"[") + 1
    held = held[offset:]
    while True:
        start = 0
        for between in _BETWEEN.finditer(held, searched):
            number += 1
            yield ResultRow.element(uri, number, held[start : between.start() + 1], offset + start)
            start = between.end()
        held, offset = held[start:], offset + start
        if len(held) > MAX_ROW_BYTES:
            raise _too_long(held, f"{uri}: element {number + 1} at byte {offset}")
        searched = max(held.rfind(b"}"), 0)  # nothing before it can still turn out to be an element's end
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        held += block
    last = held.strip(_SPACE)
    if not last.endswith(b"]"):
        place, example = f"{uri}: element {number + 1} at byte {offset}", _example(last[-EXAMPLE_BYTES:])
        raise DataError(f"{place}: expected {ROW} and ']' at the file's end, found {example}")
    last = last[:-1].rstrip(_SPACE)
    if last or number:
        yield ResultRow.element(uri, number + 1, last, offset)


def _too_long(held: bytes, place: str) -> DataError:
    return DataError(f"{place}: expected {ROW} of at most {MAX_ROW_BYTES} bytes, found {_example(held)} and more")


def loads(text: bytes | str) -> Any:
    """The value of JSON text, also where it holds what orjson refuses: halves of surrogate pairs.

    Raises:
        ValueError: if it is none.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _read(text: T, place: str, expected: str, meaning: Callable[[T], Any]) -> Any:
    try:
        return meaning(text)
    except ValueError as error:
        raise _unlike(text, place, expected, f": {error}") from None
    except (LookupError, TypeError, AttributeError):
        raise _unlike(text, place, expected) from None


def _unlike(text: object, place: str, expected: str, why: str = "") -> DataError:
    shown = text.encode(errors="replace") if isinstance(text, str) else bytes(text)  # type: ignore[call-overload]
    return DataError(f"{place}: expected {expected}, found {_example(shown)}{why}")


def _example(text: bytes) -> str:
    return repr(text[:EXAMPLE_BYTES].rstrip(b"\n").decode("utf-8", "replace"))
