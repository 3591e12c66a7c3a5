"""The children of a Map Run: what each is given, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.source import ItemSource, source_of
from genomics_pipeline.engine.states.map_items import select
from genomics_pipeline.engine.visit import Visit


class ChildInput(NamedTuple):
    """One child before it starts: its place among the others, its input, how many items it holds."""

    place: int
    value: Any
    items: int


class Children:
    """The children of a Map state: items, selected, batched."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._source: ItemSource = source_of(visit)
        self._batcher = ItemBatcher.of(visit) if "ItemBatcher" in visit.state else None
        self._selects = "ItemSelector" in visit.state or "Parameters" in visit.state

    @cached_property
    def total_items(self) -> int:
        """How many items there are; they are read when this is asked first.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        return self._source.count()

    def inputs(self, ended: Callable[[int], bool]) -> Iterator[ChildInput]:
        """Yield the children that have not ended."""
        if self._batcher is not None:
            for place, (batch, items) in enumerate(self._batcher.batches(self._values())):
                if not ended(place):
                    yield ChildInput(place, batch, items)
            return
        for place, value in enumerate(self._values()):
            if not ended(place):
                yield ChildInput(place, value, 1)

    def _values(self) -> Iterator[Any]:
        if not self._selects:
            return self._source.values()
        return (select(self._visit, item) for item in self._source.items())
