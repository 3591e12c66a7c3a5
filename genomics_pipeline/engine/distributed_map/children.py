"""The inputs of a Map Run's children, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.engine.distributed_map.source import ItemSource, source_of
from genomics_pipeline.engine.states.map_items import select
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.model.json_text import KeptJson


@dataclass(slots=True)
class ChildInput:
    """A child before it starts.

    Attributes:
        index: Its position among the children, from 0.
        value: Its input.
        items: The number of items in its input.
    """

    index: int
    value: KeptJson
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
        chunks = self._selected() if self._selects else self._source.chunks()
        inputs = _each(chunks) if self._batcher is None else self._batcher.batches(chunks)
        for index, (value, items) in enumerate(inputs):
            if not ended(index):
                yield ChildInput(index, value, items)

    def _selected(self) -> Iterator[ItemChunk]:
        return (ItemChunk.of([select(self._visit, item)]) for item in self._source.items())


def _each(chunks: Iterable[ItemChunk]) -> Iterator[tuple[KeptJson, int]]:
    return ((chunk.item(position), 1) for chunk in chunks for position in range(len(chunk.texts)))
