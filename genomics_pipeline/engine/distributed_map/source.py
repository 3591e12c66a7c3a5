"""The source of a Map's items: the state's data or the objects that ItemReader reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.engine.states.map_items import items
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.query_language import Node


class ItemSource(Protocol):
    """Items that can be iterated over any number of times."""

    def count(self) -> int:
        """Return the number of items.

        Raises:
            StatesError: if they cannot be read; no child has started then.
        """

    def chunks(self) -> Iterator[ItemChunk]:
        """Yield the items."""

    def items(self) -> Iterator[Node]:
        """Yield ``Map.Item`` of the context object for each item."""


class StateData:
    """Items in the state's data."""

    def __init__(self, visit: Visit) -> None:
        self._items = [{**item, "Source": "STATE_DATA"} for item in items(visit)]

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def chunks(self) -> Iterator[ItemChunk]:
        """Yield the items."""
        yield ItemChunk.of([item["Value"] for item in self._items])

    def items(self) -> Iterator[Node]:
        """Yield ``Map.Item`` of each item."""
        return iter(self._items)


def source_of(visit: Visit) -> ItemSource:
    """Return the source of a Map state's items.

    Raises:
        StatesError: if the fields that refer to the items are invalid.
    """
    if "ItemReader" not in visit.state:
        return StateData(visit)
    from genomics_pipeline.engine.distributed_map.item_reader import ItemReader

    return ItemReader.of(visit)
