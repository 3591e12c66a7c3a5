"""The rows of a CSV file that have not as many fields as its header: no error on AWS, but seldom meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.model.quantity import quantity


@dataclass(slots=True)
class MisfitRows:
    """Rows that are too short, or those that are too long.

    Attributes:
        number: Their number.
        line: The line on which the first of them begins.
        fields: The number of its fields.
    """

    number: int = 0
    line: int = 0
    fields: int = 0

    def add(self, line: int, fields: int) -> None:
        """Count a row."""
        if not self.number:
            self.line, self.fields = line, fields
        self.number += 1


@dataclass(slots=True)
class RowWidths:
    """The widths of the rows of a file, found out while they are counted.

    Attributes:
        columns: The names of its columns.
        short: Rows with fewer fields than columns.
        long: Rows with more.
    """

    columns: Sequence[str] = ()
    short: MisfitRows = field(default_factory=MisfitRows)
    long: MisfitRows = field(default_factory=MisfitRows)

    def add(self, misfits: Iterable[tuple[int, int]]) -> None:
        """Count rows of another width than the header, given the line and the number of fields of each."""
        for line, fields in misfits:
            (self.short if fields < len(self.columns) else self.long).add(line, fields)

    def notes(self) -> Iterator[str]:
        """Yield a sentence about each kind of misfit rows.

        Both are as in the AWS Step Functions developer guide, page example-csv-parse-dist-map.
        """
        for rows, does in (
            (self.short, "takes empty strings for the missing fields"),
            (self.long, "leaves out the fields beyond the header"),
        ):
            if rows.number:
                expected = f"expected {len(self.columns)} fields, as many as the header has, found {rows.fields}"
                others = f" and of {quantity(rows.number - 1, 'other row', ',')}" if rows.number > 1 else ""
                yield f"line {rows.line}: {expected}; Step Functions {does} of this row{others}"
