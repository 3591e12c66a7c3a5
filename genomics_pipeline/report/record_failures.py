"""Records without a result, as rows that people and programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.printable import indented, table_cell
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.report.run_state import PENDING, ItemFailure

COLUMNS = ("record", "stage", "class", "message", "value")


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A record without a result.

    Attributes:
        number: Its place, from 1, among the records of the run; on AWS, where nothing numbers these, in its batch.
        value: The record itself.
        failure: The failure: that of its batch, or the one that the step's program reported.
        child: On AWS, the name of its child execution, by which the console finds it.
        of_batch: Whether its batch failed as a whole, and has other records.
        pending: Whether its batch never started.
    """

    number: int
    value: Any
    failure: Failure
    child: str = ""
    of_batch: bool = False
    pending: bool = False

    @property
    def name(self) -> int | str:
        """The name in the run: the number, on AWS behind that of the child."""
        return f"{self.child}:{self.number}" if self.child else self.number

    @property
    def label(self) -> str:
        """The class of the failure, or `PENDING`."""
        return PENDING if self.pending else str(self.failure.failure_class)

    def item(self) -> ItemFailure:
        """Return it as one of the items of a run."""
        return ItemFailure(str(self.name), self.failure, RECORD, of_batch=self.of_batch, pending=self.pending)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``results --failed --json`` prints."""
        failure = self.failure
        members = {"record": self.name, "stage": failure.stage, "class": self.label, "message": failure.message}
        return {**members, "value": self.value}

    def text(self) -> str:
        """Return the row for people.

        >>> from genomics_pipeline.model.failure import FailureClass
        >>> FailedRecord(1200, {}, Failure(FailureClass.BAD_INPUT, "no amount", stage="score")).text()
        'record 1,200  score  bad input: no amount'
        """
        name = self.name if self.child else f"{self.number:,}"
        words = filter(None, (f"record {name}", self.failure.stage, self.label.replace("_", " ")))
        return f"{'  '.join(words)}: {indented(self.failure.message)}"

    def line(self) -> str:
        """Return the row of the table."""
        failure = self.failure
        cells = (str(self.name), failure.stage or "", self.label, failure.message, compact(self.value))
        return "\t".join(map(table_cell, cells)) + "\n"


def record_table(rows: Iterable[FailedRecord]) -> Iterator[str]:
    r"""Yield the header, then a line for each row; tabs, line ends and backslashes are escaped as in C.

    >>> from genomics_pipeline.model.failure import FailureClass
    >>> failure = Failure(FailureClass.BAD_INPUT, "no\tamount", stage="score")
    >>> list(record_table([FailedRecord(7, {"id": 1}, failure)]))[1]
    '7\tscore\tbad_input\tno\\tamount\t{"id":1}\n'
    """
    yield "\t".join(COLUMNS) + "\n"
    for row in rows:
        yield row.line()
