"""ItemBatcher, which puts several items into the input of one child."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import DATA_LIMIT_EXCEEDED, QUERY_EVALUATION, RUNTIME, StatesError
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import KeptJson, dumps


@dataclass(frozen=True, slots=True)
class ItemBatcher:
    """The limits and the common input of batches.

    Attributes:
        max_items: The maximum number of items in a batch; None for no limit.
        max_bytes: The maximum size of a child's input in bytes of UTF-8 JSON.
        batch_input: ``BatchInput``, which every batch contains beside its items; None if there is none.
    """

    max_items: int | None
    max_bytes: int
    batch_input: Any

    @classmethod
    def of(cls, visit: Visit) -> ItemBatcher:
        """Return the batcher of a Map state; its fields are evaluated once for the whole Map Run.

        Raises:
            StatesError: if a limit is not a positive integer, or a field cannot be evaluated.
        """
        node = visit.state["ItemBatcher"]
        template = node.get("BatchInput")
        return cls(
            _limit(visit, node, "MaxItemsPerBatch"),
            min(_limit(visit, node, "MaxInputBytesPerBatch") or quotas.PAYLOAD.value, quotas.PAYLOAD.value),
            None if template is None else visit.template(template, "ItemBatcher/BatchInput"),
        )

    def batches(self, chunks: Iterable[ItemChunk]) -> Iterator[tuple[KeptJson, int]]:
        """Yield each child's input and its number of items; an item over `max_bytes` gets a batch of its own.

        >>> batcher = ItemBatcher(2, quotas.PAYLOAD.value, {"tag": 1})
        >>> [batch.value for batch, _ in batcher.batches([ItemChunk.of([1, 2, 3])])]
        [{'BatchInput': {'tag': 1}, 'Items': [1, 2]}, {'BatchInput': {'tag': 1}, 'Items': [3]}]

        Raises:
            StatesError: ``States.DataLimitExceeded`` if one item alone exceeds AWS's limit on a child's input.
        """
        head = dumps(self._batch([]))[:-2]
        batch, before = _GrowingBatch(self, head), 0
        for chunk in chunks:
            start = 0
            while start < len(chunk.texts):
                if added := batch.add(chunk, start):
                    start += added
                elif batch.items:
                    yield batch.end(), batch.items
                    batch = _GrowingBatch(self, head)
                else:
                    raise StatesError(
                        DATA_LIMIT_EXCEEDED,
                        f"ItemBatcher: expected child inputs of at most {quotas.PAYLOAD}, "
                        f"found that item {before + start + 1:,} requires {len(head) + len(chunk.texts[start]) + 2}",
                    )
            before += len(chunk.texts)
        if batch.items:
            yield batch.end(), batch.items

    def _batch(self, items: list[Any]) -> dict[str, Any]:
        return ({} if self.batch_input is None else {"BatchInput": self.batch_input}) | {"Items": items}

    def input(self, text: bytes, values: list[Any] | None) -> KeptJson:
        """Return a child's input.

        Args:
            text: Its text.
            values: The values of its items; None if they have not been decoded.
        """
        return KeptJson(text) if values is None else KeptJson(text, self._batch(values))


class _GrowingBatch:
    """A batch that is being filled.

    Attributes:
        items: The number of its items.
    """

    def __init__(self, batcher: ItemBatcher, head: bytes) -> None:
        self.items = 0
        self._batcher = batcher
        self._head = head
        self._texts: list[bytes] = []
        self._values: list[Any] | None = None
        self._size = len(head) + 1  # with the two brackets at its end, and one comma less than items

    def add(self, chunk: ItemChunk, start: int) -> int:
        """Add the items of a chunk that fit, from one of them on, and return their number."""
        most = self._batcher.max_items
        end = len(chunk.texts) if most is None else min(start + most - self.items, len(chunk.texts))
        texts = chunk.texts[start:end]
        size = self._size + sum(map(len, texts)) + len(texts)
        if size > self._batcher.max_bytes:
            texts, size = self._fitting(texts)
            end = start + len(texts)
        self._size = size
        self.items += len(texts)
        self._texts += texts
        if chunk.values is not None:
            self._values = (self._values or []) + chunk.values[start:end]
        return len(texts)

    def _fitting(self, texts: list[bytes]) -> tuple[list[bytes], int]:
        """Return the first of the texts, as many as fit, and the size with them."""
        size = self._size
        for number, text in enumerate(texts):
            # The first item of a batch need only be within AWS's limit.
            most = self._batcher.max_bytes if self.items or number else quotas.PAYLOAD.value
            if size + len(text) + 1 > most:
                return texts[:number], size
            size += len(text) + 1
        return texts, size

    def end(self) -> KeptJson:
        """Return the input that it amounts to."""
        return self._batcher.input(b"%b%b]}" % (self._head, b",".join(self._texts)), self._values)


def _limit(visit: Visit, node: Node, name: str) -> int | None:
    """Return a limit, which "MUST be a positive integer" (Amazon States Language).

    `Visit.field` has checked that it is an integer and not negative. AWS's failure for 0 has not been recorded.
    """
    limit: int | None = visit.field(node, name, None, "ItemBatcher/")
    if limit == 0:
        error = RUNTIME if f"{name}Path" in node else QUERY_EVALUATION
        raise StatesError(error, f"Expected positive integer for {name}, got '0' instead.")
    return limit
