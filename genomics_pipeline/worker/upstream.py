"""Which items of an earlier Map Run succeeded: read from its result manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import item_id
from genomics_pipeline.stores.protocol import Store


def succeeded(store: Store, details: Mapping[str, str]) -> list[str]:
    """The ids of the items whose children succeeded, sorted: intervals in reference order, samples by name.

    Args:
        store: Where the result files lie.
        details: ``ResultWriterDetails`` of the Map Run.

    Raises:
        DataError: for result files that are missing or not ResultWriter's.
    """
    bucket = details["Bucket"]
    uri = f"s3://{bucket}/{details['Key']}"
    found: list[str] = []
    for shard in _json(store.read(uri), uri)["ResultFiles"]["SUCCEEDED"]:
        file = f"s3://{bucket}/{shard['Key']}"
        with store.open(file) as lines:
            for number, line in enumerate(lines, 1):
                found += [item_id(item) for item in _items(_json(line, f"{file}:{number}"))]
    return sorted(found)


def _items(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    given = json.loads(row["Input"])
    for held in given.get("Items", [given]):
        yield held["item"]


def _json(text: bytes, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise DataError(f"{place}: expected ResultWriter's JSON, found something else") from None
