"""The sites of `bcftools mpileup` as a gVCF with few records.

mpileup ends a block at every base that differs from the reference, which at 30x is every 90 bp: nearly all of them
errors of single reads. Here a site whose likelihoods say "reference" by a wide margin joins the blocks around it, and
the block's likelihoods are the least certain ones within it, as those of mpileup's own blocks are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple

from calling_units import Ownership

# A block stays within one band, so that a site of low depth does not lower the depth of those around it.
DEPTH_BANDS = (0, 1, 5, 10, 20, 40)
REFERENCE_MARGIN = 30  # phred by which the reference genotype must beat every other
UNSEEN = "<*>"  # the allele that stands for all alleles not seen


class Block(NamedTuple):
    """Reference sites [start, end), counted from 0, with the likelihoods of 0/0, 0/<*> and <*>/<*>."""

    contig: str
    start: int
    end: int
    base: str
    depth: int
    likelihoods: tuple[int, ...]

    def join(self, other: Block) -> Block | None:
        """Return this block and the next as one; None unless they touch and their depths are in the same band."""
        if self.end != other.start or self.contig != other.contig or _band(self.depth) != _band(other.depth):
            return None
        least = tuple(map(min, self.likelihoods, other.likelihoods))
        return self._replace(end=other.end, depth=min(self.depth, other.depth), likelihoods=least)

    def line(self) -> str:
        """Return the block as a line of a gVCF."""
        info = f"END={self.end};MIN_DP={self.depth};QS=1,0"
        likelihoods = ",".join(map(str, self.likelihoods))
        place = f"{self.contig}\t{self.start + 1}\t.\t{self.base}\t{UNSEEN}"
        return f"{place}\t.\t.\t{info}\tPL:DP\t{likelihoods}:{self.depth}\n"


def _band(depth: int) -> int:
    return bisect_right(DEPTH_BANDS, depth)


class GvcfWriter:
    """A writer of a unit's own part of the gVCF, and of the sites that may be variant, in the padding too.

    Args:
        own: The unit.
        gvcf: Takes lines of the gVCF.
        sites: Takes lines of sites that may be variant.
        base: Returns the reference's base at a place of a contig, counted from 0.
    """

    def __init__(
        self,
        own: Ownership,
        *,
        gvcf: Callable[[str], object],
        sites: Callable[[str], object],
        base: Callable[[str, int], str],
    ) -> None:
        self._own = own
        self._gvcf = gvcf
        self._sites = sites
        self._base = base
        self._open: Block | None = None

    def take(self, lines: Iterable[str]) -> None:
        """Write the gVCF and the sites of mpileup's records, which come in order."""
        for line in lines:
            block = reference_block(line)
            if block is None:
                self._variant(line)
            elif self._open and (both := self._open.join(block)):
                self._open = both
            else:
                self._flush()
                self._open = block
        self._flush()

    def _variant(self, line: str) -> None:
        self._flush()
        self._sites(line)
        contig, pos, _ = line.split("\t", 2)
        if self._own.parts(contig, int(pos) - 1, int(pos)):
            self._gvcf(line)

    def _flush(self) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        for start, end in self._own.parts(block.contig, block.start, block.end):
            base = block.base if start == block.start else self._base(block.contig, start)
            self._gvcf(block._replace(start=start, end=end, base=base).line())


def reference_block(line: str) -> Block | None:
    """Return the block that one of mpileup's records is or can be made; None for one that may be variant."""
    contig, pos, _, ref, alt, _, _, info, _, sample = line.rstrip("\n").split("\t")
    likelihoods, depth, *_ = sample.split(":")
    phred = [int(value) for value in likelihoods.split(",")]
    start = int(pos) - 1
    if alt == UNSEEN:
        end = int(info[4 : info.index(";")]) if info.startswith("END=") else start + 1
        return Block(contig, start, end, ref, int(depth), (phred[0], phred[1], phred[2]))
    if info.startswith("INDEL") or phred[0] or min(phred[1:]) < REFERENCE_MARGIN:
        return None
    # Genotypes come as 0/0, 0/1, 1/1, 0/2, 1/2, 2/2, ...: those with one reference allele at 1, 3, 6, ...
    one_reference = [phred[at * (at + 1) // 2] for at in range(1, alt.count(",") + 2)]
    return Block(contig, start, start + 1, ref, int(depth), (0, min(one_reference), min(_without_reference(phred))))


def _without_reference(phred: list[int]) -> list[int]:
    with_reference = {at * (at + 1) // 2 for at in range(len(phred))}
    return [value for at, value in enumerate(phred) if at not in with_reference]
