"""ItemBatcher: several items to one child."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import DATA_LIMIT_EXCEEDED, QUERY_EVALUATION, RUNTIME, StatesError
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps


@dataclass(frozen=True, slots=True)
class ItemBatcher:
    """The batches that items are put into.

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
        """Return the batcher of a Map state, its fields evaluated once for the whole Map Run.

        Raises:
            StatesError: if a limit is no positive integer, or a field cannot be evaluated.
        """
        node = visit.state["ItemBatcher"]
        shared = node.get("BatchInput")
        return cls(
            _limit(visit, node, "MaxItemsPerBatch"),
            min(_limit(visit, node, "MaxInputBytesPerBatch") or quotas.PAYLOAD.value, quotas.PAYLOAD.value),
            None if shared is None else visit.template(shared, "ItemBatcher/BatchInput"),
        )

    def batches(self, items: Iterable[Any]) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield each child's input and how many items it holds. An item over `max_bytes` has a batch of its own.

        >>> batcher = ItemBatcher(2, quotas.PAYLOAD.value, {"tag": 1})
        >>> [batch for batch, _ in batcher.batches("abc")]
        [{'BatchInput': {'tag': 1}, 'Items': ['a', 'b']}, {'BatchInput': {'tag': 1}, 'Items': ['c']}]

        Raises:
            StatesError: ``States.DataLimitExceeded`` if one item is more than any child may be given.
        """
        empty = len(dumps(self._batch([])))
        held: list[Any] = []
        size = empty
        for item in items:
            added = len(dumps(item)) + 1  # its comma
            full = len(held) == self.max_items or size + added - 1 > self.max_bytes
            if held and full:
                yield self._batch(held), len(held)
                held, size = [], empty
            if size + added - 1 > quotas.PAYLOAD.value:
                raise StatesError(
                    DATA_LIMIT_EXCEEDED,
                    f"ItemBatcher: expected child inputs of at most {quotas.PAYLOAD}, "
                    f"found an item that makes one of {size + added - 1}",
                )
            held.append(item)
            size += added
        if held:
            yield self._batch(held), len(held)

    def _batch(self, items: list[Any]) -> dict[str, Any]:
        return ({} if self.batch_input is None else {"BatchInput": self.batch_input}) | {"Items": items}


def _limit(visit: Visit, node: Node, name: str) -> int | None:
    """Return a limit, which "MUST be a positive integer" (States Language).

    What an expression or a path leads to is whole and not negative; how AWS fails for 0 is not recorded.
    """
    found: int | None = visit.field(node, name, None, "ItemBatcher/")
    if found == 0:
        error = RUNTIME if f"{name}Path" in node else QUERY_EVALUATION
        raise StatesError(error, f"Expected positive integer for {name}, got '0' instead.")
    return found
