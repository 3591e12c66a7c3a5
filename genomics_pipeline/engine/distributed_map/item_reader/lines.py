"""Whole lines of a text object, in parts of many lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model import quotas


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the content in parts that end with a line end, except the last one.

    Not more than a block and the longest line are held in memory.

    >>> list(whole_lines([b"a\nb", b"b", b"b\nc\nd"]))
    [b'a\n', b'bbb\nc\n', b'd']

    Raises:
        UnreadableItems: if a line is longer than an item may be.
    """
    held: list[bytes] = []
    held_bytes = 0
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield _check_lengths(b"".join([*held, block[:end]]))
            held, held_bytes = [], 0
        held.append(block[end:])
        held_bytes += len(block) - end
        if held_bytes > quotas.READER_ITEM.value:
            raise _too_long()
    if held_bytes:
        yield b"".join(held)


def _check_lengths(part: bytes) -> bytes:
    if len(part) > quotas.READER_ITEM.value and max(map(len, part.split(b"\n"))) > quotas.READER_ITEM.value:
        raise _too_long()
    return part


def _too_long() -> UnreadableItems:
    return UnreadableItems(f"expected lines of at most {quotas.READER_ITEM}, found a longer one")
