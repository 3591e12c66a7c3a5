"""Alleles in their one normal form: split, trimmed and left-aligned against the reference."""

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
        start: 0-based place of the first base of `ref`.
        ref: The reference's bases.
        alt: What is there instead.
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
    """Bases of a reference, in upper case, read in blocks of which the latest are kept."""

    def __init__(self, fetch: Callable[[str, int, int], str]) -> None:
        self._fetch = fetch
        self._blocks: OrderedDict[tuple[str, int], str] = OrderedDict()

    def base(self, contig: str, place: int) -> str:
        """Return one base; empty behind the contig's end."""
        number, offset = divmod(place, BLOCK_BP)
        return self._block(contig, number)[offset : offset + 1]

    def bases(self, contig: str, start: int, length: int) -> str:
        """Return some bases; fewer at the contig's end."""
        return "".join(self.base(contig, place) for place in range(start, start + length))

    def _block(self, contig: str, number: int) -> str:
        key = contig, number
        if key not in self._blocks:
            self._blocks[key] = self._fetch(contig, number * BLOCK_BP, (number + 1) * BLOCK_BP).upper()
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return self._blocks[key]


def normalise(contig: str, start: int, ref: str, alt: str, reference: Reference) -> Iterator[Allele]:
    """Return the normal form of an alternate allele: nothing if it is the reference's, several SNPs if it is an MNP."""
    if len(ref) == len(alt):
        for offset, (old, new) in enumerate(zip(ref, alt, strict=True)):
            if old != new:
                yield Allele(contig, start + offset, old, new)
        return
    ref, alt = _without_common_end(ref, alt)
    while ref and alt and ref[0] == alt[0]:
        start, ref, alt = start + 1, ref[1:], alt[1:]
    yield _anchored(contig, *_shifted(contig, start, ref, alt, reference), reference)


def _without_common_end(ref: str, alt: str) -> tuple[str, str]:
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return ref, alt


def _shifted(contig: str, start: int, ref: str, alt: str, reference: Reference) -> tuple[int, str, str]:
    """Shift a pure insertion or deletion as far left as it goes; anything else stays."""
    while start > 0 and not (ref and alt) and (before := reference.base(contig, start - 1)) == (ref or alt)[-1]:
        start -= 1
        ref, alt = (before + ref)[:-1] if ref else ref, (before + alt)[:-1] if alt else alt
    return start, ref, alt


def _anchored(contig: str, start: int, ref: str, alt: str, reference: Reference) -> Allele:
    if ref and alt:
        return Allele(contig, start, ref, alt)
    if start == 0:  # no base before it: as VCF says, the one behind it
        after = reference.base(contig, len(ref))
        return Allele(contig, 0, ref + after, alt + after)
    anchor = reference.base(contig, start - 1)
    return Allele(contig, start - 1, anchor + ref, anchor + alt)
