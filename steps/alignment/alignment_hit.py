"""Hits of reads: those of minibwa, and those of the same shape that it does not report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import minibwa


class AlignmentHit(NamedTuple):
    """A hit; without arguments, that of a read that is aligned nowhere. For the fields, see minibwa's `Hit`."""

    contig: str | None = None
    ref_start: int = -1
    ref_end: int = 0
    query_start: int = 0
    query_end: int = 0
    reverse: bool = False
    mapq: int = 0
    proper_pair: bool = False
    cigar_string: str = "*"
    cigar: Sequence[tuple[str, int]] = ()
    mlen: int = -1
    is_secondary: bool = False
    is_supplementary: bool = False


Hit: TypeAlias = "minibwa.Hit | AlignmentHit"
