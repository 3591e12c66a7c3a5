"""Whole lines of a text object, many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genomics_pipeline.engine.distributed_map.item_reader.limits import MAX_ITEM_BYTES, UnreadableItems


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The content again, every part but the last ending with a line; at most a block and the longest line are held.

    >>> list(whole_lines([b"a\\nb", b"b", b"b\\nc\\nd"]))
    [b'a\\n', b'bbb\\nc\\n', b'd']

    Raises:
        UnreadableItems: if a line is longer than an item may be.
    """
    held: list[bytes] = []
    held_bytes = 0
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield _checked(b"".join([*held, block[:end]]))
            held, held_bytes = [], 0
        held.append(block[end:])
        held_bytes += len(block) - end
        if held_bytes > MAX_ITEM_BYTES:
            raise _too_long()
    if held_bytes:
        yield b"".join(held)


def _checked(part: bytes) -> bytes:
    if len(part) > MAX_ITEM_BYTES and max(map(len, part.split(b"\n"))) > MAX_ITEM_BYTES:
        raise _too_long()
    return part


def _too_long() -> UnreadableItems:
    return UnreadableItems(f"expected lines of at most {MAX_ITEM_BYTES} bytes, found a longer one")
