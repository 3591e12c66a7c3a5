"""The errors of objects that an ItemReader cannot read; the limits are in `model.quotas`."""

from __future__ import annotations

from genomics_pipeline.model import quotas
from genomics_pipeline.stores.compression import compression_of

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class UnreadableItems(Exception):
    """An object whose content is not as declared; the reader puts the object's URI before the message."""


class ItemReaderCause(Exception):
    """An object whose content is not as declared, with AWS's own wording as the complete cause.

    Attributes:
        detail: What was expected, and what was found.
    """

    def __init__(self, cause: str, detail: str) -> None:
        self.detail = detail
        super().__init__(cause)


def not_utf8(error: UnicodeDecodeError, lines: int | None = None) -> UnreadableItems:
    """Return the error of text in another encoding, or compressed under a name that does not say so.

    Args:
        error: The error of the decoder.
        lines: The number of lines before the text that it decoded; None where lines are not counted.
    """
    text, start = error.object, error.start
    before = text.count(b"\n", 0, start)
    where = "" if lines is None else f"line {lines + before + 1}: "
    if form := compression_of(text):
        found = f"content compressed with {form}; names of such objects end in .gz or .zst"
    elif text.startswith(_UTF16):
        found = "UTF-16"
    else:
        found = f"the byte 0x{text[start]:02x} of another encoding"
    return UnreadableItems(f"{where}expected UTF-8, found {found}")


def too_large(number: int) -> UnreadableItems:
    """Return the error of an item, counted from 1, that exceeds AWS's limit on the size of an item."""
    return UnreadableItems(f"item {number}: expected at most {quotas.READER_ITEM}, found more")
