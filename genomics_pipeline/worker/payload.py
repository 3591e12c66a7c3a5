"""The payload of a job: JSON in its environment, or the URI of that JSON if it is too large for the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload
from genomics_pipeline.stores.protocol import Store

ITEM_URI = "uri"  # an item with its name and only this member stands for the object at that URI


def read_payload(text: str, store: Store) -> TaskPayload:
    """Read the payload of a job.

    Args:
        text: A JSON object, or the ``s3://`` URI of one.
        store: The store of the URIs.

    Raises:
        DataError: if the payload, or an item that it names by URI, is missing or wrong.
    """
    source = text if text.startswith("s3://") else PAYLOAD_VARIABLE
    payload = TaskPayload.from_json(_json(store.read(text) if source == text else text.encode(), source))
    return replace(payload, items=tuple(_full_item(item, store) for item in payload.items))


def _full_item(item: Mapping[str, Any], store: Store) -> Mapping[str, Any]:
    """Return an item, read from its URI if it has one."""
    if ITEM_URI not in item:
        return item
    full = _json(store.read(item[ITEM_URI]), item[ITEM_URI])
    names = {name: value for name, value in item.items() if name != ITEM_URI}
    if {name: full.get(name) for name in names} != names:
        raise DataError(f"{item[ITEM_URI]}: expected the item {names}, found another one")
    return full


def _json(text: bytes, source: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise DataError(f"{source}: expected JSON: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"{source}: expected a JSON object, found {type(value).__name__}")
    return value
