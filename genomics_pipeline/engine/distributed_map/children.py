"""The inputs of a Map Run's children, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.source import ItemSource, source_of
from genomics_pipeline.engine.states.map_items import select
from genomics_pipeline.engine.visit import Visit


@dataclass(slots=True)
class ChildInput:
    """A child before it starts.

    Attributes:
        index: Its position among the children, from 0.
        value: Its input.
        items: The number of items in its input.
    """

    index: int
    value: Any
    items: int


class Children:
    """The children of a Map state: its items after ItemSelector and ItemBatcher."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._source: ItemSource = source_of(visit)
        self._batcher = ItemBatcher.of(visit) if "ItemBatcher" in visit.state else None
        self._selects = "ItemSelector" in visit.state or "Parameters" in visit.state

    @cached_property
    def total_items(self) -> int:
        """The number of items; on first access they are all read.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        return self._source.count()

    def inputs(self, ended: Callable[[int], bool]) -> Iterator[ChildInput]:
        """Yield the children that have not ended, which `ended` decides by their index."""
        if self._batcher is not None:
            for index, (batch, items) in enumerate(self._batcher.batches(self._values())):
                if not ended(index):
                    yield ChildInput(index, batch, items)
            return
        for index, value in enumerate(self._values()):
            if not ended(index):
                yield ChildInput(index, value, 1)

    def _values(self) -> Iterator[Any]:
        if not self._selects:
            return self._source.values()
        return (select(self._visit, item) for item in self._source.items())
