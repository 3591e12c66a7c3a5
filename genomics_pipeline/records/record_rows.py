"""ResultWriter's rows of children over records: their number, the records of their input, their answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.json_text import dumps, loads_lenient
from genomics_pipeline.model.record_task import RecordAnswer
from genomics_pipeline.records.result_row import ResultRow, decode
from genomics_pipeline.records.row_bytes import AFTER_INPUT

_NUMBER_DIGITS = 12  # of a child's name, in hexadecimal: see `engine.distributed_map.child`


def child_number(row: ResultRow) -> int:
    """Return the position of a child among those of its Map Run, which its name ends with on this machine.

    Raises:
        DataError: for another name.
    """
    name = _after_input(row).get("Name")
    number: int = decode(str(name), row.location, "the name of a child of this machine", _parse_number)
    return number


def _parse_number(name: str) -> int:
    return int(name[-_NUMBER_DIGITS:], 16)


def answer(row: ResultRow) -> RecordAnswer:
    """Return the answer of a child that succeeded.

    Raises:
        DataError: for another output than an answer.
    """
    output = _after_input(row).get("Output")
    try:
        return RecordAnswer.from_json(loads_lenient(str(output)))
    except (ValueError, DataError) as error:
        raise DataError(f"{row.location}: {error}") from None


def reported_failures(row: ResultRow) -> Iterator[tuple[int, Any, Failure]]:
    """Yield index, record and failure of each record that the step's program reported, of a child that succeeded.

    Raises:
        DataError: for another input or output than those of a child over records.
    """
    if not (found := answer(row)).failures:
        return
    records = records_in(row)
    for index, report in sorted({one.index: one for one in found.failures}.items()):
        yield index, records[index], Failure(FailureClass.BAD_INPUT, report.message, stage=found.stage)


def result_lines(result: Any) -> list[bytes]:
    r"""Return the lines of a file of results: one for each element of a list, none for null, else one.

    >>> result_lines([{"a": 1}, None]), result_lines(3)
    ([b'{"a":1}\n'], [b'3\n'])
    """
    values = result if isinstance(result, list) else [result]
    return [dumps(value) + b"\n" for value in values if value is not None]


def records_in(row: ResultRow) -> Sequence[Any]:
    """Return the records in the input of a child.

    Raises:
        DataError: for another input than that of a child over records.
    """
    expected = "the records of a child in Input"
    records: Sequence[Any] = decode(row.input_text(), row.location, expected, _records)
    return records


def _records(text: str) -> Sequence[Any]:
    value = loads_lenient(text)
    items = value["Items"] if "Items" in value else [value["item"]]
    if not isinstance(items, list):
        raise TypeError(items)
    return items


def _after_input(row: ResultRow) -> dict[str, Any]:
    """Return the members of a row after its input, which may be long, and is not decoded."""
    start = row.line.rfind(AFTER_INPUT)
    if start < 0:
        return dict(row.child)
    members: dict[str, Any] = decode(b"{" + row.line[start + 2 :], row.location, "a child's row", loads_lenient)
    return members
