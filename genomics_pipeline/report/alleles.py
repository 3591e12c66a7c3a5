"""Alleles in normal form: multi-nucleotide variants split, trimmed, and left-aligned to the reference.

Trimming and left alignment follow Tan, Abecasis and Kang, "Unified representation of genetic variants",
Bioinformatics 2015.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOCK_BP = 1 << 16
BLOCKS = 64


@dataclass(frozen=True, slots=True, order=True)
class Allele:
    """A difference from the reference; an indel has one anchor base before it.

    Attributes:
        contig: The contig's name.
        start: The 0-based position of the first base of `ref`.
        ref: The bases of the reference.
        alt: The bases of the allele.
    """

    contig: str
    start: int
    ref: str
    alt: str

    @property
    def kind(self) -> str:
        """The kind of the allele: ``snp`` or ``indel``."""
        return "snp" if len(self.ref) == len(self.alt) else "indel"


class Reference:
    """Bases of a reference in upper case, read in blocks; the `BLOCKS` most recently used ones are kept in memory."""

    def __init__(self, fetch: Callable[[str, int, int], str]) -> None:
        self._fetch = fetch
        self._blocks: OrderedDict[tuple[str, int], str] = OrderedDict()

    def base(self, contig: str, position: int) -> str:
        """Return the base at a 0-based position; an empty string beyond the end of the contig."""
        number, offset = divmod(position, BLOCK_BP)
        return self._block(contig, number)[offset : offset + 1]

    def bases(self, contig: str, start: int, length: int) -> str:
        """Return consecutive bases; fewer at the end of the contig.

        Args:
            contig: The contig's name.
            start: The 0-based position of the first base.
            length: The number of bases.
        """
        return "".join(self.base(contig, position) for position in range(start, start + length))

    def _block(self, contig: str, number: int) -> str:
        key = contig, number
        if key not in self._blocks:
            self._blocks[key] = self._fetch(contig, number * BLOCK_BP, (number + 1) * BLOCK_BP).upper()
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return self._blocks[key]


def normalise(contig: str, start: int, ref: str, alt: str, reference: Reference) -> Iterator[Allele]:
    """Yield the normal form of an alternate allele: several SNPs for an MNP, none for the allele of the reference.

    Args:
        contig: The contig's name.
        start: The 0-based position of the first base of `ref`.
        ref: The bases of the reference.
        alt: The bases of the allele.
        reference: The reference, for the bases before the allele.
    """
    if len(ref) == len(alt):
        for offset, (old, new) in enumerate(zip(ref, alt, strict=True)):
            if old != new:
                yield Allele(contig, start + offset, old, new)
        return
    ref, alt = _trim_common_end(ref, alt)
    while ref and alt and ref[0] == alt[0]:
        start, ref, alt = start + 1, ref[1:], alt[1:]
    yield _add_anchor(contig, *_shift_left(contig, start, ref, alt, reference), reference)


def _trim_common_end(ref: str, alt: str) -> tuple[str, str]:
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return ref, alt


def _shift_left(contig: str, start: int, ref: str, alt: str, reference: Reference) -> tuple[int, str, str]:
    """Shift a pure insertion or deletion as far left as possible; leave anything else in place."""
    while start > 0 and not (ref and alt) and (before := reference.base(contig, start - 1)) == (ref or alt)[-1]:
        start -= 1
        ref, alt = (before + ref)[:-1] if ref else ref, (before + alt)[:-1] if alt else alt
    return start, ref, alt


def _add_anchor(contig: str, start: int, ref: str, alt: str, reference: Reference) -> Allele:
    if ref and alt:
        return Allele(contig, start, ref, alt)
    if start == 0:  # VCF anchors an indel at the start of a contig to the base after it
        after = reference.base(contig, len(ref))
        return Allele(contig, 0, ref + after, alt + after)
    anchor = reference.base(contig, start - 1)
    return Allele(contig, start - 1, anchor + ref, anchor + alt)
