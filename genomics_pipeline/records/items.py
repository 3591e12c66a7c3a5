"""The items of a run, one JSON object per line: `manifest.jsonl`, that of a rerun, and `intervals.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import RunPlace, item_id
from genomics_pipeline.records.fields import ADVICE, UnreadableRecord
from genomics_pipeline.stores.protocol import MissingObject, Store, shown_place

SHOWN_BYTES = 60  # of a line, in a message
ITEM_MEMBERS = {"sample": "lanes", "interval": "regions"}  # that an item lacks which has a file of its own


def read_item_ids(store: Store, uri: str) -> Iterator[str]:
    """Yield the names of the items in a file, in their order.

    Raises:
        UnreadableRecord: if there is no such file; for a line that is no item, with its number.
    """
    for name, _ in _items(store, uri):
        yield name


def read_regions(store: Store, run: RunPlace, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the regions of some intervals of a run, by their names; one may have a file of its own.

    Raises:
        UnreadableRecord: as `read_item_ids`.
        MissingObject: for a file of an interval that is missing.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, item in _items(store, run.uri(run_layout.INTERVALS)):
        if name in names:
            uri = run.uri(run_layout.item_file("interval", name))
            whole = item if "regions" in item else _item(store.read(uri), shown_place(store, uri))[1]
            found[name] = tuple(map(str, whole.get("regions", ())))
    return found


def read_samples(store: Store, run: RunPlace) -> Iterator[Mapping[str, Any]]:
    """Yield the items of the samples of a run; those that are too large for a job are read from their own files.

    Raises:
        UnreadableRecord: as `read_item_ids`; also for a file of its own that is no item.
        MissingObject: for one that is missing.
    """
    for name, item in _items(store, run.uri(run_layout.MANIFEST)):
        if "lanes" in item:
            yield item
            continue
        uri = run.uri(run_layout.item_file("sample", name))
        yield _item(store.read(uri), shown_place(store, uri))[1]


def read_item(store: Store, run: RunPlace, scope: str, name: str) -> Mapping[str, Any]:
    """Return an item of a run, as its tasks get it.

    Args:
        store: The store of the run.
        run: The run.
        scope: sample, interval or cohort.
        name: The name of the item.

    Raises:
        UnreadableRecord: as `read_item_ids`; also if there is no such item.
        MissingObject: for a file of its own that is missing.
    """
    if scope not in run_layout.ITEM_FILES:
        return {scope: name}
    file = run.uri(run_layout.ITEM_FILES[scope])
    item = next((item for one, item in _items(store, file) if one == name), None)
    if item is None:
        raise UnreadableRecord(f"{shown_place(store, file)}: expected the {scope} {name}, found none; {ADVICE}")
    if ITEM_MEMBERS[scope] in item:
        return item
    uri = run.uri(run_layout.item_file(scope, name))
    return _item(store.read(uri), shown_place(store, uri))[1]


def _items(store: Store, uri: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    place = shown_place(store, uri)
    try:
        lines = store.open(uri)
    except MissingObject:
        raise UnreadableRecord(f"{place}: expected the items of a run, found no file; {ADVICE}") from None
    with lines:
        for number, line in enumerate(lines, 1):
            yield _item(line, f"{place}:{number}")


def _item(line: bytes, place: str) -> tuple[str, Mapping[str, Any]]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict):
        found = repr(line[:SHOWN_BYTES].decode(errors="replace"))
        raise UnreadableRecord(f"{place}: expected an item, a JSON object, found {found}; {ADVICE}")
    try:
        return item_id(item), item
    except DataError as error:
        raise UnreadableRecord(f"{place}: {error}; {ADVICE}") from None
