"""CIGARs with their clipped ends, as BAM and tags hold them; most reads have one of a few, so they are kept.

A record of BAM counts its operations in 16 bits. A longer CIGAR is in the tag CG, and the record has another in its
place: a soft clip of all bases, and a gap as long as the alignment (SAM specification, 4.2.2).
"""

from __future__ import annotations

import re
from array import array
from struct import pack
from typing import NamedTuple

_OPERATION = re.compile(r"(\d+)([MIDNSHP=X])")
_CODES = "MIDNSHP=X"  # in BAM's order (SAM specification, 4.2)
_SOFT_CLIP, _GAP = _CODES.index("S"), _CODES.index("N")
_ON_READ = tuple(_CODES.index(code) for code in "MIS=X")
_ON_REFERENCE = tuple(_CODES.index(code) for code in "MDN=X")
MOST_OPERATIONS = (1 << 16) - 1  # of a record
_KEPT = 1 << 15


class Cigar(NamedTuple):
    """A CIGAR.

    Attributes:
        packed: The operations that a record of BAM has.
        operations: Their number.
        text: Its text, ``*`` for none.
        mate_tag: The tag of the mate that holds it, MC.
        tag: The tag that holds it if it is too long for a record, CG; else empty.
    """

    packed: bytes
    operations: int
    text: str
    mate_tag: bytes
    tag: bytes


class Cigars(dict[tuple[str, int, int], Cigar]):
    """CIGARs with soft clips at their ends, made when they are first asked for.

    A key is the CIGAR of the aligned part, ``*`` for none, and the numbers of clipped bases before and behind it.
    """

    def __missing__(self, key: tuple[str, int, int]) -> Cigar:
        if len(self) >= _KEPT:
            self.clear()
        cigar = self[key] = make_cigar(*key)
        return cigar


def make_cigar(aligned: str, before: int, behind: int) -> Cigar:
    """Make a CIGAR.

    >>> make_cigar("5M", 2, 0).text, make_cigar("5M", 2, 0).packed.hex(), make_cigar("*", 0, 0).operations
    ('2S5M', '2400000050000000', 0)
    """
    operations = [(int(length), _CODES.index(code)) for length, code in _OPERATION.findall(aligned)]
    if operations:
        clips = (before, _SOFT_CLIP), (behind, _SOFT_CLIP)
        operations = [operation for operation in (clips[0], *operations, clips[1]) if operation[0]]
    text = "".join(f"{length}{_CODES[code]}" for length, code in operations) or "*"
    packed = array("I", [length << 4 | code for length, code in operations])
    mate_tag = b"MCZ%b\0" % text.encode()
    if len(packed) <= MOST_OPERATIONS:
        return Cigar(packed.tobytes(), len(packed), text, mate_tag, b"")
    short, tag = long_cigar(packed)
    return Cigar(short.tobytes(), len(short), text, mate_tag, tag)


def long_cigar(operations: array[int]) -> tuple[array[int], bytes]:
    """Return the operations that a record has in the place of too many, and the tag that holds these.

    >>> short, tag = long_cigar(array("I", [5 << 4, 2 << 4 | 1, 3 << 4 | 2]))
    >>> [(operation >> 4, _CODES[operation & 15]) for operation in short], len(tag)
    ([(7, 'S'), (8, 'N')], 20)
    """
    bases = sum(operation >> 4 for operation in operations if operation & 15 in _ON_READ)
    length = sum(operation >> 4 for operation in operations if operation & 15 in _ON_REFERENCE)
    short = array("I", [bases << 4 | _SOFT_CLIP, length << 4 | _GAP])
    return short, b"CGBI" + pack("<I", len(operations)) + operations.tobytes()
