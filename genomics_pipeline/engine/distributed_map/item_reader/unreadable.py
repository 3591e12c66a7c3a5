"""What an ItemReader may read (developer guide, "ItemReader (Map)" and "Service quotas")."""

from __future__ import annotations

from genomics_pipeline.model import quotas


class UnreadableItems(Exception):
    """An object does not hold items as it should; told with the object's name before it."""


class ItemReaderCause(Exception):
    """The same, in the words that AWS uses, to which nothing is added."""


def too_large(number: int) -> UnreadableItems:
    """Item number so-and-so, counted from 1, is larger than an item may be."""
    return UnreadableItems(f"item {number}: expected at most {quotas.READER_ITEM}, found more")
