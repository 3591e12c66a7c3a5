"""The items of a run, one JSON object per line: `manifest.jsonl`, that of a rerun, and `intervals.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import item_id
from genomics_pipeline.records.fields import ADVICE, UnreadableRecord
from genomics_pipeline.stores.protocol import MissingObject, Store, shown_place

SHOWN_BYTES = 60  # of a line, in a message


def read_item_ids(store: Store, uri: str) -> Iterator[str]:
    """Yield the names of the items in a file, in their order.

    Raises:
        UnreadableRecord: if there is no such file; for a line that is no item, with its number.
    """
    place = shown_place(store, uri)
    try:
        lines = store.open(uri)
    except MissingObject:
        raise UnreadableRecord(f"{place}: expected the items of a run, found no file; {ADVICE}") from None
    with lines:
        for number, line in enumerate(lines, 1):
            yield _name(line, f"{place}:{number}")


def _name(line: bytes, place: str) -> str:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict):
        found = repr(line[:SHOWN_BYTES].decode(errors="replace"))
        raise UnreadableRecord(f"{place}: expected an item, a JSON object, found {found}; {ADVICE}")
    try:
        return item_id(item)
    except DataError as error:
        raise UnreadableRecord(f"{place}: {error}; {ADVICE}") from None
