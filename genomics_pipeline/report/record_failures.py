"""Records without a result, as rows that people and programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.printable import indented, table_cell
from genomics_pipeline.report.run_state import PENDING

COLUMNS = ("record", "stage", "class", "message", "value")


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record without a result.

    Attributes:
        record: Its number in the run; on AWS, where nothing numbers records, the child execution and its number there.
        failure: The failure.
        value: The record itself.
        pending: Whether its batch never started.
    """

    record: int | str
    failure: Failure
    value: Any
    pending: bool = False

    @property
    def label(self) -> str:
        """The class of the failure, or `PENDING`."""
        return PENDING if self.pending else str(self.failure.failure_class)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``results --failed --json`` prints."""
        failure = self.failure
        members = {"record": self.record, "stage": failure.stage, "class": self.label, "message": failure.message}
        return {**members, "value": self.value}

    def text(self) -> str:
        """Return the row for people.

        >>> from genomics_pipeline.model.failure import FailureClass
        >>> RecordRow(1200, Failure(FailureClass.BAD_INPUT, "no amount", stage="score"), {}).text()
        'record 1,200  score  bad input: no amount'
        """
        number = f"{self.record:,}" if isinstance(self.record, int) else self.record
        words = filter(None, (f"record {number}", self.failure.stage, self.label.replace("_", " ")))
        return f"{'  '.join(words)}: {indented(self.failure.message)}"

    def line(self) -> str:
        """Return the row of the table."""
        failure = self.failure
        cells = (str(self.record), failure.stage or "", self.label, failure.message, compact(self.value))
        return "\t".join(map(table_cell, cells)) + "\n"


def record_table(rows: Iterable[RecordRow]) -> Iterator[str]:
    r"""Yield the header, then a line for each row; tabs, line ends and backslashes are escaped as in C.

    >>> from genomics_pipeline.model.failure import FailureClass
    >>> failure = Failure(FailureClass.BAD_INPUT, "no\tamount", stage="score")
    >>> list(record_table([RecordRow(7, failure, {"id": 1})]))[1]
    '7\tscore\tbad_input\tno\\tamount\t{"id":1}\n'
    """
    yield "\t".join(COLUMNS) + "\n"
    for row in rows:
        yield row.line()
