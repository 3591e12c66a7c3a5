"""CIGARs with their clipped ends, as BAM and tags hold them; most reads have one of a few, so they are kept."""

from __future__ import annotations

import re
from array import array
from typing import NamedTuple

_OPERATION = re.compile(r"(\d+)([MIDNSHP=X])")
_CODES = "MIDNSHP=X"  # in BAM's order (SAM specification, 4.2)
_SOFT_CLIP = _CODES.index("S")
_KEPT = 1 << 15


class Cigar(NamedTuple):
    """A CIGAR.

    Attributes:
        packed: Its operations as BAM stores them.
        operations: Their number.
        text: Its text, ``*`` for none.
        mate_tag: The tag of the mate that holds it, MC.
    """

    packed: bytes
    operations: int
    text: str
    mate_tag: bytes


class Cigars:
    """The CIGARs that were asked for."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, int], Cigar] = {}

    def clipped(self, aligned: str, before: int, behind: int) -> Cigar:
        """Return a CIGAR with soft clips at its ends.

        Args:
            aligned: The CIGAR of the aligned part, ``*`` for none.
            before: The number of clipped bases before it.
            behind: The number of clipped bases behind it.
        """
        key = (aligned, before, behind)
        if (known := self._kept.get(key)) is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            known = self._kept[key] = _make(aligned, before, behind)
        return known


def _make(aligned: str, before: int, behind: int) -> Cigar:
    """Make a CIGAR.

    >>> _make("5M", 2, 0).text, _make("5M", 2, 0).packed.hex(), _make("*", 0, 0).operations
    ('2S5M', '2400000050000000', 0)
    """
    operations = [(int(length), _CODES.index(code)) for length, code in _OPERATION.findall(aligned)]
    if operations:
        clips = (before, _SOFT_CLIP), (behind, _SOFT_CLIP)
        operations = [operation for operation in (clips[0], *operations, clips[1]) if operation[0]]
    text = "".join(f"{length}{_CODES[code]}" for length, code in operations) or "*"
    packed = array("I", [length << 4 | code for length, code in operations]).tobytes()
    return Cigar(packed, len(operations), text, b"MCZ%b\0" % text.encode())
