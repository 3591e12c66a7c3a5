"""The sites of `bcftools mpileup` as a gVCF with few records.

mpileup ends a block at every base that differs from the reference, which at 30x is every 90 bp; nearly all of these are
errors in single reads. Here a site at which the reference is far more likely than any variant joins the blocks around
it, and a block has the smallest likelihoods within it, as mpileup's own blocks do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from calling_units import Ownership
from common.ploidy import DIPLOID, Ploidy

# A block stays within one band, so that a site of low depth does not lower the depth of those around it.
DEPTH_BANDS = (0, *range(1, 11), 12, 15, 20, 40)
REFERENCE_MARGIN = 30  # Phred-scaled, between the reference genotype and every other
HAPLOID = 1
GENOTYPE_HEADER = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Most likely genotype">\n'
UNSEEN = "<*>"  # the symbolic allele for all alleles that were not observed


class Block(NamedTuple):
    """Reference sites [start, end), counted from 0, with the likelihoods of 0/0, 0/<*> and <*>/<*>, or of 0 and <*>."""

    contig: str
    start: int
    end: int
    base: str
    depth: int
    likelihoods: tuple[int, ...]

    def join(self, other: Block) -> Block | None:
        """Return this block and the next as one; None unless they touch and their depths are in the same band."""
        if self.end != other.start or self.contig != other.contig or len(self.likelihoods) != len(other.likelihoods):
            return None
        if self.depth != other.depth and _band(self.depth) != _band(other.depth):
            return None
        smallest = tuple(map(min, self.likelihoods, other.likelihoods))
        depth = self.depth if self.depth < other.depth else other.depth
        return Block(self.contig, self.start, other.end, self.base, depth, smallest)  # faster than _replace

    def line(self) -> str:
        """Return the block as a line of a gVCF."""
        info = f"END={self.end};MIN_DP={self.depth};QS=1,0"
        likelihoods = ",".join(map(str, self.likelihoods))
        columns = f"{self.contig}\t{self.start + 1}\t.\t{self.base}\t{UNSEEN}"
        copies = DIPLOID if len(self.likelihoods) > DIPLOID else HAPLOID
        genotype = "/".join(("0" if self.depth else ".") * copies)
        return f"{columns}\t.\t.\t{info}\tGT:PL:DP\t{genotype}:{likelihoods}:{self.depth}\n"


def _band(depth: int) -> int:
    return bisect_right(DEPTH_BANDS, depth)


class GvcfWriter:
    """A writer of the part of the gVCF that a unit owns, and of all sites that may be variant, also in the padding.

    Args:
        own: The unit.
        ploidy: The copies that the sample has of the reference; where there is none, nothing is written.
        gvcf: Writes lines of the gVCF.
        sites: Writes lines of sites that may be variant.
        base: Returns the reference's base at a position of a contig, counted from 0.
    """

    def __init__(
        self,
        own: Ownership,
        ploidy: Ploidy,
        *,
        gvcf: Callable[[str], object],
        sites: Callable[[str], object],
        base: Callable[[str, int], str],
    ) -> None:
        self._own = own
        self._ploidy = ploidy
        self._gvcf = gvcf
        self._sites = sites
        self._base = base
        self._open: Block | None = None

    def write(self, lines: Iterable[str]) -> None:
        """Write the gVCF and the sites for mpileup's records, in order."""
        for line in lines:
            columns = line.rstrip("\n").split("\t")
            contig = columns[0]
            copies = self._ploidy.at(contig, int(columns[1]) - 1)
            block = reference_block(columns, copies)
            if block is None and copies:
                self._write_variant(line, copies)
            elif block is not None and self._ploidy.varies(contig):
                for part in self._ploidy.parts(contig, block.start, block.end):
                    self._write_block(block._replace(start=part.start, end=part.end), part.copies)
            elif block is not None:
                self._write_block(block, copies)
        self._flush()

    def _write_block(self, block: Block, copies: int) -> None:
        if copies == HAPLOID:
            block = block._replace(likelihoods=haploid(block.likelihoods))
        if not copies:
            self._flush()
        elif self._open and (joined := self._open.join(block)):
            self._open = joined
        else:
            self._flush()
            self._open = block

    def _write_variant(self, line: str, copies: int) -> None:
        self._flush()
        contig, pos, name, ref, alts, rest = line.split("\t", 5)
        line = "\t".join([contig, pos, name, ref.upper(), alts.upper(), rest])  # lower case in soft-masked references
        self._sites(line)
        if self._own.parts(contig, int(pos) - 1, int(pos)):
            self._gvcf(with_genotype(line, copies))

    def _flush(self) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        for start, end in self._own.parts(block.contig, block.start, block.end):
            base = block.base if start == block.start else self._base(block.contig, start)
            self._gvcf(block._replace(start=start, end=end, base=base).line())


def with_genotype(line: str, copies: int) -> str:
    r"""Return one of mpileup's records, whose likelihoods are of two copies, with its most likely genotype.

    >>> with_genotype("c\t1\t.\tA\tC,<*>\t0\t.\tDP=9\tPL:DP\t60,0,50,70,55,90:9", 2)
    'c\t1\t.\tA\tC,<*>\t0\t.\tDP=9\tGT:PL:DP\t0/1:60,0,50,70,55,90:9'
    >>> with_genotype("c\t1\t.\tA\tC,<*>\t0\t.\tDP=9\tPL:DP\t60,0,50,70,55,90:9", 1)
    'c\t1\t.\tA\tC,<*>\t0\t.\tDP=9\tGT:PL:DP\t1:10,0,40:9'
    """
    *columns, keys, values = line.split("\t")
    text, _, rest = values.partition(":")
    phred = tuple(map(int, text.split(",")))
    if copies == HAPLOID:
        phred = haploid(phred)
    genotype = "/".join("." * copies)
    if any(phred):
        best, high = phred.index(min(phred)), 0
        while copies == DIPLOID and (high + 1) * (high + 2) // 2 <= best:
            high += 1
        genotype = str(best) if copies == HAPLOID else f"{best - high * (high + 1) // 2}/{high}"
    return "\t".join([*columns, f"GT:{keys}", f"{genotype}:{','.join(map(str, phred))}:{rest}"])


def haploid(phred: Sequence[int]) -> tuple[int, ...]:
    """Return the likelihoods of one copy of each allele, the least of them 0, from those of two copies.

    >>> haploid([60, 0, 50, 70, 55, 90])
    (10, 0, 40)
    """
    of_one = homozygous(phred)
    least = min(of_one)
    return tuple(value - least for value in of_one)


def homozygous(phred: Sequence[int]) -> list[int]:
    """Return the likelihoods of the genotypes with two copies of one allele, at 0, 2, 5, 9, ... in VCF's order."""
    places, alleles = [0], 1
    while (place := places[-1] + alleles + 1) < len(phred):
        places.append(place)
        alleles += 1
    return [phred[place] for place in places]


def reference_block(columns: Sequence[str], copies: int) -> Block | None:
    """Return one of mpileup's records as a block; None if the site may be variant.

    Args:
        columns: The columns of the record.
        copies: The copies that the sample has of the site: of one, it is no heterozygote.
    """
    contig, pos, _, ref, alt, _, _, info, _, sample = columns
    likelihoods, depth, *_ = sample.split(":", 2)
    phred = list(map(int, likelihoods.split(",")))
    start = int(pos) - 1
    if alt == UNSEEN:
        end = int(info[4 : info.index(";")]) if info.startswith("END=") else start + 1
        return Block(contig, start, end, ref, int(depth), (phred[0], phred[1], phred[2]))
    reference, *others = homozygous(phred) if copies == HAPLOID else phred
    least = min(others)
    if info.startswith("INDEL") or least < reference + REFERENCE_MARGIN or (reference and copies != HAPLOID):
        return None
    if copies == HAPLOID:
        return Block(contig, start, start + 1, ref, int(depth), (0, 0, least - reference))
    with_reference, without = _by_reference(len(phred))
    one_reference, none = min([phred[place] for place in with_reference]), min([phred[place] for place in without])
    return Block(contig, start, start + 1, ref, int(depth), (0, one_reference, none))


@lru_cache
def _by_reference(genotypes: int) -> tuple[list[int], list[int]]:
    """Return the places of the genotypes with one reference allele, and of those without, among all of two copies.

    In the order 0/0, 0/1, 1/1, 0/2, 1/2, 2/2, ... those with the reference are at 0, 1, 3, 6, ...

    >>> _by_reference(6)
    ([1, 3], [2, 4, 5])
    """
    alleles = range(1, genotypes)
    of_reference = [place for allele in alleles if (place := allele * (allele + 1) // 2) < genotypes]
    return of_reference, [place for place in alleles if place not in of_reference]
