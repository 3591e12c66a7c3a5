"""ResultWriter's files of one Map Run, read a row at a time.

Source: Step Functions developer guide, "ResultWriter"; layout and members as recorded from AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import items_of
from genomics_pipeline.stores.protocol import Store

EXAMPLE_BYTES = 40
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One child execution.

    Attributes:
        place: File and line.
        line: The line.
        child: What it holds.
    """

    place: str
    line: bytes
    child: Mapping[str, Any]

    def items(self) -> list[Mapping[str, Any]]:
        """The items it was given: one, or those of its batch.

        Raises:
            DataError: if its input is not one of our definitions'.
        """
        return _read(self.line, self.place, lambda _: items_of(self.child["Input"]))


def rows(store: Store, details: Mapping[str, str], kind: str) -> Iterator[ResultRow]:
    """The rows of one kind, in the order of their files.

    Args:
        store: Where the files lie.
        details: ``ResultWriterDetails`` of the Map Run: ``Bucket``, and ``Key`` of its ``manifest.json``.
        kind: SUCCEEDED, FAILED or PENDING.

    Raises:
        DataError: for files that are missing or not ResultWriter's.
    """
    bucket = details["Bucket"]
    manifest = f"s3://{bucket}/{details['Key']}"
    files = _read(
        store.read(manifest), manifest, lambda found: [str(file["Key"]) for file in found["ResultFiles"][kind]]
    )
    for file in files:
        uri = f"s3://{bucket}/{file}"
        with store.open(uri) as lines:
            for number, line in enumerate(lines, 1):
                place = f"{uri}:{number}"
                yield ResultRow(place, line, _read(line, place, dict))


def _read(text: bytes, place: str, meaning: Callable[[Any], T]) -> T:
    try:
        return meaning(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError):
        example = text[:EXAMPLE_BYTES].decode("utf-8", "replace")
        raise DataError(f"{place}: expected ResultWriter's JSON, found {example!r}") from None
