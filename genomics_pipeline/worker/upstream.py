"""Which items of an earlier Map Run succeeded: read from its result manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
    for file in _read(store.read(uri), _shards, uri):
        with store.open(f"s3://{bucket}/{file}") as lines:
            for number, line in enumerate(lines, 1):
                found += _read(line, _items, f"s3://{bucket}/{file}:{number}")
    return sorted(found)


def _shards(manifest: Mapping[str, Any]) -> list[str]:
    return [shard["Key"] for shard in manifest["ResultFiles"]["SUCCEEDED"]]


def _items(row: Mapping[str, Any]) -> list[str]:
    given = json.loads(row["Input"])
    return [item_id(held["item"]) for held in given.get("Items", [given])]


def _read(text: bytes, meaning: Callable[[Any], list[str]], place: str) -> list[str]:
    try:
        return meaning(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise DataError(
            f"{place}: expected ResultWriter's JSON, found {text[:40].decode('utf-8', 'replace')!r}"
        ) from None
