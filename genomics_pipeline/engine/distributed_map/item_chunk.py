"""Items on their way from their source to the children: in chunks, as JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.json_text import KeptJson, dumps_each


@dataclass(frozen=True, slots=True)
class ItemChunk:
    """Items that follow each other.

    Attributes:
        texts: Each as compact JSON.
        values: Their values; None if they have not been decoded.
    """

    texts: list[bytes]
    values: list[Any] | None = None

    @classmethod
    def of(cls, values: list[Any]) -> ItemChunk:
        """Return the chunk of values.

        >>> ItemChunk.of([1, "a"]).texts
        [b'1', b'"a"']
        """
        return cls(dumps_each(values), values)

    def slice(self, start: int, end: int) -> ItemChunk:
        """Return a part of the chunk."""
        return ItemChunk(self.texts[start:end], None if self.values is None else self.values[start:end])

    def item(self, position: int) -> KeptJson:
        """Return one of the items."""
        text = self.texts[position]
        return KeptJson(text) if self.values is None else KeptJson(text, self.values[position])
