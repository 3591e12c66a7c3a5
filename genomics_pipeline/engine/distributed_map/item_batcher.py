"""ItemBatcher: several items to one child."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.visit import Visit

MAX_PAYLOAD_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class ItemBatcher:
    """How items are put together.

    Attributes:
        max_items: At most so many a batch; None for no limit.
        max_bytes: At most so many bytes of child input, as UTF-8 JSON.
        batch_input: What every batch is given beside its items; None for nothing.
    """

    max_items: int | None
    max_bytes: int
    batch_input: Any

    @classmethod
    def of(cls, visit: Visit) -> ItemBatcher:
        """The batcher of a Map state, its fields evaluated once for the whole Map Run."""
        found = visit.template(visit.state["ItemBatcher"], "ItemBatcher")
        max_bytes = min(found.get("MaxInputBytesPerBatch") or MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES)
        return cls(found.get("MaxItemsPerBatch"), max_bytes, found.get("BatchInput"))

    def batches(self, items: Iterable[Any]) -> Iterator[tuple[dict[str, Any], int]]:
        """Each child's input and how many items it holds. An item that is too large alone has a batch of its own.

        >>> batcher = ItemBatcher(2, MAX_PAYLOAD_BYTES, {"tag": 1})
        >>> [batch for batch, _ in batcher.batches("abc")]
        [{'BatchInput': {'tag': 1}, 'Items': ['a', 'b']}, {'BatchInput': {'tag': 1}, 'Items': ['c']}]
        """
        empty = _size(self._batch([]))
        held: list[Any] = []
        size = empty
        for item in items:
            added = _size(item) + 1  # its comma
            full = len(held) == self.max_items or size + added - 1 > self.max_bytes
            if held and full:
                yield self._batch(held), len(held)
                held, size = [], empty
            held.append(item)
            size += added
        if held:
            yield self._batch(held), len(held)

    def _batch(self, items: list[Any]) -> dict[str, Any]:
        return ({} if self.batch_input is None else {"BatchInput": self.batch_input}) | {"Items": items}


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
