"""A task's payload as a job is given it: JSON, or where the JSON lies when it is too large for a job's environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload
from genomics_pipeline.stores.protocol import Store

ELSEWHERE = "uri"  # an item that is only its name and this stands for the object there


def read_payload(text: str, store: Store) -> TaskPayload:
    """The payload of a job.

    Args:
        text: A JSON object, or the ``s3://`` URI of one.
        store: Where URIs are read.

    Raises:
        DataError: if it, or an item that it only points to, is missing or wrong.
    """
    place = text if text.startswith("s3://") else PAYLOAD_VARIABLE
    found = _json(store.read(text) if place == text else text.encode(), place)
    payload = TaskPayload.from_json(found)
    return replace(payload, items=tuple(_whole(item, store) for item in payload.items))


def _whole(item: Mapping[str, Any], store: Store) -> Mapping[str, Any]:
    """An item, read from where it lies if it is not here."""
    if ELSEWHERE not in item:
        return item
    found = _json(store.read(item[ELSEWHERE]), item[ELSEWHERE])
    names = {name: value for name, value in item.items() if name != ELSEWHERE}
    if {name: found.get(name) for name in names} != names:
        raise DataError(f"{item[ELSEWHERE]}: expected the item {names}, found another one")
    return found


def _json(text: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DataError(f"{place}: expected JSON: {error}") from None
    if not isinstance(found, dict):
        raise DataError(f"{place}: expected a JSON object, found {type(found).__name__}")
    return found
