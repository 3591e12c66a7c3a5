"""The source of a Map's items: its state's data, or what ItemReader reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from genomics_pipeline.engine.states.map_items import items
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.query_language import Node


class ItemSource(Protocol):
    """Items, as often as they are asked for."""

    def count(self) -> int:
        """Return the number of items.

        Raises:
            StatesError: if they cannot be read: nothing has begun then.
        """

    def values(self) -> Iterator[Any]:
        """Yield the items' values."""

    def items(self) -> Iterator[Node]:
        """Yield ``Map.Item`` of the context object for each item."""


class StateData:
    """The items in the state's data."""

    def __init__(self, visit: Visit) -> None:
        self._items = [{**item, "Source": "STATE_DATA"} for item in items(visit)]

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def values(self) -> Iterator[Any]:
        """Yield the items' values."""
        return (item["Value"] for item in self._items)

    def items(self) -> Iterator[Node]:
        """Yield ``Map.Item`` of each item."""
        return iter(self._items)


def source_of(visit: Visit) -> ItemSource:
    """Return the items of a Map state.

    Raises:
        StatesError: if its fields do not say where they are.
    """
    if "ItemReader" not in visit.state:
        return StateData(visit)
    from genomics_pipeline.engine.distributed_map.item_reader import ItemReader

    return ItemReader.of(visit)
