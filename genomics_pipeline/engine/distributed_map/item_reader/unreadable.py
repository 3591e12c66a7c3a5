"""The errors of objects that an ItemReader cannot read; the limits are in `model.quotas`."""

from __future__ import annotations

from genomics_pipeline.model import quotas


class UnreadableItems(Exception):
    """An object whose content is not as declared; the reader puts the object's URI before the message."""


class ItemReaderCause(Exception):
    """An object whose content is not as declared, with AWS's own wording as the complete cause."""


def too_large(number: int) -> UnreadableItems:
    """Return the error of an item, counted from 1, that exceeds AWS's limit on the size of an item."""
    return UnreadableItems(f"item {number}: expected at most {quotas.READER_ITEM}, found more")
