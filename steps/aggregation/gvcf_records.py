"""The records of one gVCF of bcftools mpileup, with alleles in normal form, as evidence about sites of the cohort."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import pysam
from interval import PADDING_BP, Region
from likelihoods import evident_alleles, of_depth, of_reference, of_two_copies, over_alleles

UNSEEN = {"<*>", "<NON_REF>"}  # the symbolic allele for all alleles that were not observed
MANY_RECORDS = 200  # more than are within reach of a site
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


class Block:
    """Reference sites, or a site at which no variant was looked for."""

    def __init__(self, contig: str, start: int, end: int, phred: Sequence[int], depth: int) -> None:
        self.contig, self.start, self.end = contig, start, end
        self._phred, self._depth = phred, depth
        self._columns: dict[int, Column] = {}

    def column(self, site: Site) -> Column:
        """Return what the block says of a site."""
        alleles = len(site.alts) + 1
        if alleles not in self._columns:
            phred = ",".join(map(str, of_reference(self._phred, alleles)))
            text = f"{phred}:{self._depth}:.:{self._depth}{',0' * (alleles - 1)}"
            shares = (float(self._depth > 0), *[0.0] * (alleles - 1))
            self._columns[alleles] = Column(text, self._depth, shares, (0.0,) * I16)
        return self._columns[alleles]


NO_READS = Block("", 0, 0, (0, 0, 0), 0)


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
        self._info = dict(entry.partition("=")[::2] for entry in info.split(";"))
        self._sample = dict(zip(keys.split(":"), values.split(":"), strict=False))

    @cached_property
    def phred(self) -> list[int]:
        """Return the likelihoods."""
        phred = [int(value) for value in self._sample["PL"].split(",")]
        return of_two_copies(phred, len(self._alts) + 1)

    @cached_property
    def alleles(self) -> dict[tuple[Place, Allele], int]:
        """Return the place of each observed allele among the record's alleles, by its place and normal form."""
        found = {}
        for number, alt in enumerate(self._alts, 1):
            if alt not in UNSEEN:
                pos, allele = normal_form(self.contig, self.pos, Allele(self._ref, alt), self._base)
                found[Place(self.contig, pos, "INDEL" in self._info), allele] = number
        return found

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

    def as_block(self) -> Block:
        """Return what the record says of another kind of variant at its position: all of its reads are without one."""
        depth = int(self._sample["DP"])
        return Block(self.contig, self.pos, self.pos, of_depth(depth), depth)


def _joined(values: Iterable[int]) -> str:
    return ",".join(map(str, values))


def block_of(line: str) -> Block | None:
    """Return the block that a line of a gVCF is; None for a record with observed alleles."""
    contig, pos, _, _, alt, _, _, rest = line.split("\t", 7)
    if alt not in UNSEEN:
        return None
    info, keys, values = rest.rstrip("\n").split("\t")
    sample = dict(zip(keys.split(":"), values.split(":"), strict=False))
    end = int(info[4:].partition(";")[0]) if info.startswith("END=") else int(pos)
    phred = of_two_copies([int(value) for value in sample["PL"].split(",")], 2)
    return Block(contig, int(pos), end, phred, int(sample["DP"]))


def evident_in(gvcf: pysam.TabixFile, span: Region, base: Base) -> Iterator[tuple[Place, Allele]]:
    """Yield the alleles of a span for which a gVCF has evidence, each as often as it has."""
    for line in fetch(gvcf, span):
        if line.split("\t", 5)[4] not in UNSEEN:
            yield from Record(line, base).evident


def fetch(gvcf: pysam.TabixFile, span: Region) -> Iterator[str]:
    """Yield the lines of a gVCF that overlap a span."""
    if span.contig in gvcf.contigs:
        yield from gvcf.fetch(span.contig, span.start - 1, span.end)


class Evidence:
    """The evidence of one gVCF about the sites of a span, which are asked for in order.

    Args:
        lines: The lines that overlap the span, in order.
        base: Returns the base of a contig at a position, from 1.
    """

    def __init__(self, lines: Iterator[str], base: Base) -> None:
        self._lines, self._base = lines, base
        self._blocks: deque[Block] = deque()
        self._records: dict[Place, Record] = {}
        self._read_to = 0

    def column(self, site: Site) -> Column:
        """Return what the gVCF says of a site."""
        # An indel in normal form is at, or left of, the record that has it.
        while self._read_to <= site.place.pos + PADDING_BP and (line := next(self._lines, None)):
            self._add(line)
        if len(self._records) > MANY_RECORDS:
            self._records = {place: one for place, one in self._records.items() if place.pos >= site.place.pos}
        record = self._records.get(site.place)
        if record is not None:
            return record.column(site)
        while self._blocks and self._blocks[0].end < site.place.pos:
            self._blocks.popleft()
        is_covered = bool(self._blocks) and self._blocks[0].start <= site.place.pos
        return (self._blocks[0] if is_covered else NO_READS).column(site)

    def _add(self, line: str) -> None:
        block = block_of(line)
        if block is None:
            record = Record(line, self._base)
            for place, _ in record.alleles:
                other = self._records.get(place)
                if other is None or other.phred[0] < record.phred[0]:
                    self._records[place] = record
            block = record.as_block()
        self._read_to = block.start
        if not self._blocks or self._blocks[-1].start < block.start:
            self._blocks.append(block)  # but an indel's record after the one of the base before it
