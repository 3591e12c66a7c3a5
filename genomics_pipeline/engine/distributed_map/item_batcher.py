"""ItemBatcher, which puts several items into the input of one child."""

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

    def batches(self, items: Iterable[Any]) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield each child's input and its number of items; an item over `max_bytes` gets a batch of its own.

        >>> batcher = ItemBatcher(2, quotas.PAYLOAD.value, {"tag": 1})
        >>> [batch for batch, _ in batcher.batches("abc")]
        [{'BatchInput': {'tag': 1}, 'Items': ['a', 'b']}, {'BatchInput': {'tag': 1}, 'Items': ['c']}]

        Raises:
            StatesError: ``States.DataLimitExceeded`` if one item alone exceeds AWS's limit on a child's input.
        """
        empty_size = len(dumps(self._batch([])))
        batched: list[Any] = []
        size = empty_size
        for item in items:
            added = len(dumps(item)) + 1  # and its comma
            full = len(batched) == self.max_items or size + added - 1 > self.max_bytes
            if batched and full:
                yield self._batch(batched), len(batched)
                batched, size = [], empty_size
            if size + added - 1 > quotas.PAYLOAD.value:
                raise StatesError(
                    DATA_LIMIT_EXCEEDED,
                    f"ItemBatcher: expected child inputs of at most {quotas.PAYLOAD}, "
                    f"found an item that requires {size + added - 1}",
                )
            batched.append(item)
            size += added
        if batched:
            yield self._batch(batched), len(batched)

    def _batch(self, items: list[Any]) -> dict[str, Any]:
        return ({} if self.batch_input is None else {"BatchInput": self.batch_input}) | {"Items": items}


def _limit(visit: Visit, node: Node, name: str) -> int | None:
    """Return a limit, which "MUST be a positive integer" (Amazon States Language).

    `Visit.field` has checked that it is an integer and not negative. AWS's failure for 0 has not been recorded.
    """
    limit: int | None = visit.field(node, name, None, "ItemBatcher/")
    if limit == 0:
        error = RUNTIME if f"{name}Path" in node else QUERY_EVALUATION
        raise StatesError(error, f"Expected positive integer for {name}, got '0' instead.")
    return limit
