"""What an ItemReader may read (developer guide, "ItemReader (Map)" and "Service quotas")."""

from __future__ import annotations

MAX_ITEMS = 100_000_000
MAX_ITEM_BYTES = 8 * 1024**2
MAX_OBJECT_BYTES = 10 * 1024**3
MAX_HEADER_BYTES = 10 * 1024
MAX_BYTES_BEFORE_ITEMS = 16 * 1024**2  # a JSON array begins within so many bytes
MAX_ROW_GROUP_BYTES = 256 * 1024**2
MAX_FOOTER_BYTES = 5 * 1024**2


class UnreadableItems(Exception):
    """An object does not hold items as it should; told with the object's name before it."""


class ItemReaderCause(Exception):
    """The same, in the words that AWS uses, to which nothing is added."""


def too_large(number: int) -> UnreadableItems:
    """Item number so-and-so, counted from 1, is larger than an item may be."""
    return UnreadableItems(f"item {number}: expected at most {MAX_ITEM_BYTES} bytes, found more")
