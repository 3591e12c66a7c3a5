"""The records of one gVCF of bcftools mpileup, with alleles in normal form, as evidence about sites of the cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from interval import PADDING_BP
from likelihoods import of_depth, of_two_copies

UNSEEN = {"<*>", "<NON_REF>"}  # the symbolic allele for all alleles that were not observed
UNSEEN_ONLY = ("\t<*>\t", "\t<NON_REF>\t")  # the alternate alleles of blocks
MANY_COLUMNS = 1 << 16  # different ones of blocks
MISSING = "."
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


def has_deletion(alleles: Sequence[str]) -> bool:
    """Return whether one of a record's alleles is shorter than the reference, the first one."""
    return min(map(len, alleles)) < len(alleles[0])


def without_common_end(alleles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the alleles of a record without the bases at the end that all of them share, of each at least one left.

    A site whose alleles are in normal form, and of which some are left out, is in normal form again.

    >>> without_common_end(("TAA", "TA")), without_common_end(("TAA", "T", "TA"))
    (('TA', 'T'), ('TAA', 'T', 'TA'))
    """
    most, end = min(map(len, alleles)) - 1, 0
    while end < most and len({allele[-1 - end] for allele in alleles}) == 1:
        end += 1
    return tuple(allele[: len(allele) - end] for allele in alleles) if end else alleles


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
    def is_of_few(self) -> bool:
        """Return whether it is of so few reads that it makes no site: see `FEW` in the header of a gVCF."""
        return "FEW" in self._info

    @property
    def quality_shares(self) -> list[float]:
        """Return the share of each allele in the qualities of the reads."""
        return [float(value) for value in self._info["QS"].split(",")]

    @property
    def sums(self) -> list[int]:
        """Return mpileup's 16 sums.

        Raises:
            ValueError: if there are more or fewer.
        """
        sums = [int(float(value)) for value in self._info["I16"].split(",")]
        if len(sums) != I16:
            raise ValueError(f"expected {I16} values of I16, found {len(sums)}")
        return sums

    @property
    def body(self) -> str:
        """Return PL, DP, SP, AD and the number of the unseen allele, 0 without one, tab-separated."""
        unseen = next((number for number, alt in enumerate(self._alts, 1) if alt in UNSEEN), 0)
        sample = self._sample
        columns = [",".join(map(str, self.phred)), sample["DP"], sample.get("SP", MISSING), sample["AD"], str(unseen)]
        return "\t".join(columns)


class Body(NamedTuple):
    """A record's values: see `Record.body`.

    Attributes:
        phred: The likelihoods of genotypes of two copies.
        depth: The depth.
        bias: The strand bias; None if not known.
        depths: The depth of each allele.
        unseen: The number of the unseen allele; 0 without one.
    """

    phred: tuple[int, ...]
    depth: int
    bias: int | None
    depths: tuple[int, ...]
    unseen: int


def parse_body(text: str) -> Body:
    r"""Parse `Record.body`.

    Raises:
        ValueError: if it is damaged.

    >>> parse_body("90,0,60\t8\t.\t4,4\t0")
    Body(phred=(90, 0, 60), depth=8, bias=None, depths=(4, 4), unseen=0)
    """
    phred, depth, bias, depths, unseen = text.split("\t")
    values, of_alleles = (tuple(map(int, one.split(","))) for one in (phred, depths))
    if len(values) != len(of_alleles) * (len(of_alleles) + 1) // 2:
        raise ValueError(f"expected likelihoods of {len(of_alleles)} alleles, found {len(values)}")
    return Body(values, int(depth), None if bias == MISSING else int(bias), of_alleles, int(unseen))


def is_block(line: str) -> bool:
    """Return whether a line of a gVCF is a block, which has no observed alleles."""
    return UNSEEN_ONLY[0] in line or UNSEEN_ONLY[1] in line


def end_of(line: str) -> int:
    """Return the last position of a block, or the position of a record."""
    _, pos, _, _, _, _, _, info, _ = line.split("\t", 8)
    return int(info[4:].partition(";")[0]) if info.startswith("END=") else int(pos)


@lru_cache(MANY_COLUMNS)
def parse_reference(keys: str, values: str, of_block: bool) -> tuple[tuple[int, ...], int]:
    """Return the likelihoods of a block's columns and their depth; of a record's, those of reads of the reference."""
    sample = dict(zip(keys.split(":"), values.split(":"), strict=False))
    depth = int(sample["DP"])
    if not of_block:
        return tuple(of_depth(depth)), depth
    return tuple(of_two_copies([int(value) for value in sample["PL"].split(",")], 2)), depth
