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
from few_reads import is_of_few

# A block stays within one band, so that a site of low depth does not lower the depth of those around it.
DEPTH_BANDS = (0, *range(1, 11), 12, 15, 20, 40)
REFERENCE_MARGIN = 30  # Phred-scaled, between the reference genotype and every other
HAPLOID = 1
GENOTYPE_HEADER = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Most likely genotype">\n'
UNSEEN = "<*>"  # the symbolic allele for all alleles that were not observed


class Sites(NamedTuple):
    """The values of reference sites.

    Attributes:
        copies: The copies that the sample has of them.
        band: The band of the depth.
        depth: The depth.
        none: The likelihood of no copy of another allele, Phred-scaled.
        one: That of one copy of another; 0 where there is only one.
        all: That of others in all copies.
    """

    copies: int
    band: int
    depth: int
    none: int
    one: int
    all: int


class Block:
    """Reference sites [start, end) of one band that touch each other, with the smallest values of all.

    Args:
        contig: The contig.
        start: The first site, counted from 0.
        end: The site after the last.
        base: The reference's base at the first.
        sites: The values.
    """

    __slots__ = ("all", "band", "base", "contig", "copies", "depth", "end", "none", "one", "start")

    def __init__(self, contig: str, start: int, end: int, base: str, sites: Sites) -> None:
        self.contig, self.start, self.end, self.base = contig, start, end, base
        self.copies, self.band, self.depth, self.none, self.one, self.all = sites

    def extend(self, contig: str, start: int, end: int, sites: Sites) -> bool:
        """Add sites; return False, and do not, unless they follow at once, of the same band and number of copies.

        Args:
            contig: The contig.
            start: The first site.
            end: The site after the last.
            sites: Their values.
        """
        copies, band, depth, none, one, others = sites
        if start != self.end or band != self.band or copies != self.copies or contig != self.contig:
            return False
        self.end = end
        if depth < self.depth:  # comparisons, since `min` takes several times as long
            self.depth = depth
        if none < self.none:
            self.none = none
        if one < self.one:
            self.one = one
        if others < self.all:
            self.all = others
        return True

    def behind(self, start: int, base: str) -> Block:
        """Return the rest of the block from a position on, with the reference's base there."""
        sites = Sites(self.copies, self.band, self.depth, self.none, self.one, self.all)
        return Block(self.contig, start, self.end, base, sites)

    def line(self, start: int, end: int, base: str) -> str:
        """Return a part of the block as a line of a gVCF.

        Args:
            start: The first site of the part.
            end: The site after its last.
            base: The reference's base at its first.
        """
        genotype = "/".join(("0" if self.depth else ".") * self.copies)
        likelihoods = f"{self.none},{self.all}" if self.copies == HAPLOID else f"{self.none},{self.one},{self.all}"
        columns = f"{self.contig}\t{start + 1}\t.\t{base}\t{UNSEEN}\t.\t.\tEND={end};MIN_DP={self.depth};QS=1,0"
        return f"{columns}\tGT:PL:DP\t{genotype}:{likelihoods}:{self.depth}\n"


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
        contig, varies, copies = "", False, 0
        for line in lines:
            name, pos, _, ref, alts, _, _, info, _, sample = line.split("\t")
            start = int(pos) - 1
            if name != contig:
                contig, varies, copies = name, self._ploidy.varies(name), self._ploidy.others
            if varies:
                copies = self._ploidy.at(contig, start)
            unseen, end = alts == UNSEEN, start + 1
            if unseen and info.startswith("END="):
                end = int(info[4 : info.index(";")])
            sites = reference_sites(sample, unseen, copies) if unseen or not info.startswith("INDEL") else None
            if sites is None:
                if copies:
                    self._write_variant(line, copies, is_of_few(info))
                continue
            if not varies:
                self._add(contig, start, end, ref, sites, copies)
                continue
            for part in self._ploidy.parts(contig, start, end):
                self._add(contig, part.start, part.end, ref, sites, part.copies)
        self._flush()

    def _add(self, contig: str, start: int, end: int, base: str, sites: Sites, copies: int) -> None:
        """Add reference sites [start, end) to the open block, or to a new one.

        Args:
            contig: The contig.
            start: The first site, counted from 0.
            end: The site after the last.
            base: The reference's base at the first.
            sites: Their values as of two copies.
            copies: The copies of them.
        """
        if copies == HAPLOID:
            sites = haploid_sites(sites)
        if self._open is None or not copies or not self._open.extend(contig, start, end, sites):
            self._flush()
            self._open = Block(contig, start, end, base, sites) if copies else None

    def _write_variant(self, line: str, copies: int, of_few: bool) -> None:
        contig, pos, name, ref, alts, rest = line.split("\t", 5)
        self._flush((contig, int(pos) - 1))
        line = "\t".join([contig, pos, name, ref.upper(), alts.upper(), rest])  # lower case in soft-masked references
        if not of_few:
            self._sites(line)
        if self._own.parts(contig, int(pos) - 1, int(pos)):
            self._gvcf(with_genotype(line, copies))

    def _flush(self, place: tuple[str, int] | None = None) -> None:
        """Write the open block, or the part of it before a place that has a record of its own.

        Args:
            place: The contig and the site, counted from 0.
        """
        block = self._open
        if block is None:
            return
        contig, site = place or ("", 0)
        end = min(block.end, site) if contig == block.contig else block.end
        parts = self._own.parts(block.contig, block.start, end) if end > block.start else []
        for start, stop in parts:
            base = block.base if start == block.start else self._base(block.contig, start)
            self._gvcf(block.line(start, stop, base))
        rest = max(end + 1, block.start)
        self._open = block.behind(rest, self._base(block.contig, rest)) if rest < block.end else None


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


@lru_cache(maxsize=1 << 16)
def haploid_sites(sites: Sites) -> Sites:
    """Return the values of reference sites of one copy from those of two."""
    none, others = haploid((sites.none, sites.one, sites.all))
    return sites._replace(copies=HAPLOID, none=none, one=0, all=others)


@lru_cache(maxsize=1 << 16)  # most sites have the values of others
def reference_sites(sample: str, unseen: bool, copies: int) -> Sites | None:
    """Return the values, as of two copies, of sites that are not variant; None if they may be.

    Args:
        sample: The sample's column of mpileup's record, which begins with the likelihoods of genotypes and the depth.
        unseen: Whether no other allele was observed.
        copies: The copies that the sample has of the site: of one, it is no heterozygote.
    """
    text, depth, *_ = sample.split(":", 2)
    phred = tuple(map(int, text.split(",")))
    values = DIPLOID, bisect_right(DEPTH_BANDS, int(depth)), int(depth)
    if unseen:
        return Sites(*values, *phred)
    reference, *others = homozygous(phred) if copies == HAPLOID else phred
    least = min(others)
    if least < reference + REFERENCE_MARGIN or (reference and copies != HAPLOID):
        return None
    if copies == HAPLOID:
        return Sites(*values, 0, 0, least - reference)
    with_reference, without = _by_reference(len(phred))
    return Sites(*values, 0, min(phred[place] for place in with_reference), min(phred[place] for place in without))


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
