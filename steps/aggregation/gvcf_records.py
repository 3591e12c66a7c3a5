"""The records of one gVCF of bcftools mpileup, with alleles in normal form, as evidence about sites of the cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import pysam
from interval import PADDING_BP, Region
from likelihoods import evident_alleles, of_depth, of_reference, of_two_copies, over_alleles

UNSEEN = {"<*>", "<NON_REF>"}  # the symbolic allele for all alleles that were not observed
UNSEEN_ONLY = ("\t<*>\t", "\t<NON_REF>\t")  # the alternate alleles of blocks
MANY_COLUMNS = 1 << 16  # different ones of blocks
I16 = 16  # values of mpileup's sums for the tests of `bcftools call`
Base = Callable[[str, int], str]


class Place(NamedTuple):
    """A position of a contig, from 1, with SNPs and indels apart, which mpileup judges by different models."""

    contig: str
    pos: int
    indel: bool


class Allele(NamedTuple):
    """An alternate allele with its reference."""

    ref: str
    alt: str


class Site(NamedTuple):
    """A place with the alleles of the cohort, over one reference allele."""

    place: Place
    ref: str
    alts: tuple[str, ...]

    @property
    def alleles(self) -> list[Allele]:
        """Return the alternate alleles in normal form: without the bases at the end that they share with `ref`."""
        return [Allele(*_trimmed(self.ref, alt)) for alt in self.alts]


def site_of(place: Place, alleles: Iterable[Allele]) -> Site:
    """Return the site of alleles in normal form, over the longest of their references.

    >>> site_of(Place("c", 5, True), [Allele("TA", "T"), Allele("T", "TG"), Allele("TAA", "T")])[1:]
    ('TAA', ('T', 'TA', 'TGAA'))
    """
    alleles = list(alleles)
    ref = max((one.ref for one in alleles), key=len)
    return Site(
        place, ref, tuple(sorted((one.alt + ref[len(one.ref) :] for one in alleles), key=lambda a: (len(a), a)))
    )


def _trimmed(ref: str, alt: str) -> tuple[str, str]:
    end = 0
    while end < min(len(ref), len(alt)) - 1 and ref[-1 - end] == alt[-1 - end]:
        end += 1
    return ref[: len(ref) - end], alt[: len(alt) - end]


def normal_form(contig: str, pos: int, allele: Allele, base: Base) -> tuple[int, Allele]:
    """Return the position and the allele as far left as it goes, with as few bases as it can be written with.

    Args:
        contig: The contig.
        pos: The position, from 1.
        allele: The allele.
        base: Returns the base of a contig at a position, from 1.
    """
    ref, alt = allele
    while ref[-1] == alt[-1]:
        if min(len(ref), len(alt)) > 1:
            ref, alt = ref[:-1], alt[:-1]
        elif pos > 1:
            pos -= 1
            before = base(contig, pos)
            ref, alt = before + ref[:-1], before + alt[:-1]
        else:
            break
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, Allele(ref, alt)


class Column(NamedTuple):
    """A sample's FORMAT column of a site, and its part of the sums over the cohort."""

    text: str  # PL:DP:SP:AD
    depth: int
    quality_shares: tuple[float, ...]  # of the site's alleles
    i16: tuple[float, ...]


@lru_cache(MANY_COLUMNS)
def reference_column(phred: tuple[int, ...], depth: int, alleles: int) -> str:
    """Return the column of a reference site over alleles that were not observed there.

    >>> reference_column((0, 60, 255), 20, 3)
    '0,60,255,60,255,255:20:.:20,0,0'
    """
    return f"{_joined(of_reference(phred, alleles))}:{depth}:.:{depth}{',0' * (alleles - 1)}"


class Block(NamedTuple):
    """The end of reference sites, or of a site at which no variant was looked for, and what is known of each."""

    end: int
    phred: tuple[int, ...]
    depth: int

    def column(self, alleles: int) -> str:
        """Return what the block says of a site with a number of alleles."""
        return reference_column(self.phred, self.depth, alleles)


NO_READS = Block(0, (0, 0, 0), 0)


class Record:
    """A record with alleles that were observed.

    Args:
        line: The line of the gVCF.
        base: Returns the base of a contig at a position, from 1.
    """

    def __init__(self, line: str, base: Base) -> None:
        self.contig, pos, _, self._ref, alts, _, _, info, keys, values = line.rstrip("\n").split("\t")
        self.pos, self._alts, self._base = int(pos), alts.upper().split(","), base
        self._ref = self._ref.upper()
        self._info_text = info
        self._sample = dict(zip(keys.split(":"), values.split(":"), strict=False))

    @cached_property
    def _info(self) -> dict[str, str]:
        return dict(entry.partition("=")[::2] for entry in self._info_text.split(";"))

    @cached_property
    def phred(self) -> list[int]:
        """Return the likelihoods."""
        phred = [int(value) for value in self._sample["PL"].split(",")]
        return of_two_copies(phred, len(self._alts) + 1)

    @cached_property
    def alleles(self) -> dict[tuple[Place, Allele], int]:
        """Return the place of each observed allele among the record's alleles, by its place and normal form.

        An allele that normalisation moves further than `PADDING_BP` is left out: whether an interval reads its record
        would depend on the interval's borders.
        """
        found = {}
        is_indel = ";INDEL;" in f";{self._info_text};"
        for number, alt in enumerate(self._alts, 1):
            if alt not in UNSEEN:
                pos, allele = normal_form(self.contig, self.pos, Allele(self._ref, alt), self._base)
                if self.pos - pos <= PADDING_BP:
                    found[Place(self.contig, pos, is_indel), allele] = number
        return found

    @property
    def places(self) -> Iterator[Place]:
        """Yield the place of each observed allele."""
        return (place for place, _ in self.alleles)

    @property
    def evident(self) -> Iterator[tuple[Place, Allele]]:
        """Yield the alleles of the most likely genotype."""
        evident = evident_alleles(self.phred)
        if evident:
            yield from (key for key, number in self.alleles.items() if number in evident)

    def column(self, site: Site) -> Column:
        """Return what the record says of a site."""
        places = [0, *(self.alleles.get((site.place, allele)) for allele in site.alleles)]
        unseen = next((number for number, alt in enumerate(self._alts, 1) if alt in UNSEEN), None)
        depths = [int(value) for value in self._sample["AD"].split(",")]
        phred = over_alleles(self.phred, places, unseen, depths)
        chosen = [depths[place] if place is not None else 0 for place in places]
        shares = [float(value) for value in self._info["QS"].split(",")]
        depth = self._sample["DP"]
        text = ":".join([_joined(phred), depth, self._sample.get("SP", "."), _joined(chosen)])
        quality_shares = tuple(shares[place] if place is not None else 0.0 for place in places)
        return Column(text, int(depth), quality_shares, tuple(map(float, self._info["I16"].split(","))))


def _joined(values: Iterable[int]) -> str:
    return ",".join(map(str, values))


def is_block(line: str) -> bool:
    """Return whether a line of a gVCF is a block, which has no observed alleles."""
    return UNSEEN_ONLY[0] in line or UNSEEN_ONLY[1] in line


def end_of(line: str) -> int:
    """Return the last position of a block, or the position of a record."""
    _, pos, _, _, _, _, _, info, _ = line.split("\t", 8)
    return int(info[4:].partition(";")[0]) if info.startswith("END=") else int(pos)


def parse_block(line: str) -> Block:
    """Return the block that a line of a gVCF is, or what a record says of another kind of variant at its position.

    Of that, all of the record's reads are without a variant.
    """
    _, keys, values = line.rstrip("\n").rsplit("\t", 2)
    phred, depth = parse_reference(keys, values, is_block(line))
    return Block(end_of(line), phred, depth)


@lru_cache(MANY_COLUMNS)
def parse_reference(keys: str, values: str, of_block: bool) -> tuple[tuple[int, ...], int]:
    """Return the likelihoods of a block's columns and their depth; of a record's, those of reads of the reference."""
    sample = dict(zip(keys.split(":"), values.split(":"), strict=False))
    depth = int(sample["DP"])
    if not of_block:
        return tuple(of_depth(depth)), depth
    return tuple(of_two_copies([int(value) for value in sample["PL"].split(",")], 2)), depth


def evident_in(lines: Iterable[str], base: Base) -> Iterator[tuple[Place, Allele]]:
    """Yield the alleles for which lines of a gVCF have evidence, each as often as they have."""
    for line in lines:
        if not is_block(line):
            yield from Record(line, base).evident


def fetch(gvcf: pysam.TabixFile, span: Region) -> Iterator[str]:
    """Yield the lines of a gVCF that overlap a span."""
    if span.contig in gvcf.contigs:
        yield from gvcf.fetch(span.contig, span.start - 1, span.end)
