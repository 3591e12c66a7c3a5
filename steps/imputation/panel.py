"""A reference panel: phased genotypes in an indexed VCF or BCF file, read over one region."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from common.program import BadInput
from common.tabix_file import open_tabix
from numpy.typing import NDArray

TAB, COLON, BAR, ZERO, NINE = b"\t:|09"
FIXED_COLUMNS = 9  # before the genotypes
BASES = frozenset("ACGTN")
REFERENCE_BASES = frozenset("ACGT")
HAPLOID = "haploid genotypes"


class NotDiploid(Exception):
    """The error of a region with haploid genotypes, which are not imputed."""


class Site(NamedTuple):
    """An alternate allele of the panel.

    Attributes:
        pos: The position, from 1.
        ref: The reference allele.
        alt: The alternate allele.
        name: The record's ID.
    """

    pos: int
    ref: str
    alt: str
    name: str


@dataclass
class PanelRegion:
    """The sites of a region that at least one haplotype carries.

    Attributes:
        sites: The sites, in the file's order.
        carriers: Of each site, the haplotypes with its minor allele.
        flipped: Of each site, True if its minor allele is the reference's.
        haplotypes: The number of haplotypes.
        fixed: The alleles that all haplotypes carry.
        symbolic: The number of alleles that are no sequences.
    """

    haplotypes: int
    sites: list[Site] = field(default_factory=list)
    carriers: list[NDArray[np.int64]] = field(default_factory=list)
    flipped: list[bool] = field(default_factory=list)
    fixed: list[Site] = field(default_factory=list)
    symbolic: int = 0

    def add(self, site: Site, carries: NDArray[np.bool_]) -> None:
        """Add a site; only alleles that some haplotypes have, and others not, are imputed."""
        count = int(carries.sum())
        if count == self.haplotypes:
            self.fixed.append(site)
        elif count:
            flipped = 2 * count > self.haplotypes
            self.sites.append(site)
            self.flipped.append(flipped)
            self.carriers.append(np.flatnonzero(~carries if flipped else carries))

    def frequency(self, number: int) -> float:
        """Return the frequency of the alternate allele of a site."""
        minor = len(self.carriers[number]) / self.haplotypes
        return 1 - minor if self.flipped[number] else minor

    @property
    def copies(self) -> NDArray[np.int64]:
        """Return the copies of each site's alternate allele."""
        minor = np.array([len(rows) for rows in self.carriers], dtype=np.int64)
        return np.where(np.array(self.flipped, dtype=bool), self.haplotypes - minor, minor)


class PanelFile:
    """A panel without some of its people.

    Args:
        path: The file, with its index beside it.
        excluded: Names of people to leave out, as far as the panel has them.

    Raises:
        BadInput: for a file that is no panel, or of which nobody is left.
    """

    def __init__(self, path: str, excluded: Collection[str]) -> None:
        self._path = path
        try:
            self._file = pysam.VariantFile(path)
        except (OSError, ValueError):
            raise BadInput(
                f"{path}: expected an indexed VCF or BCF file, found one that is cut off or of another kind"
            ) from None
        people = list(self._file.header.samples)
        left_out = frozenset(excluded)
        self.excluded = [name for name in people if name in left_out]
        self._kept = np.array([name not in left_out for name in people], dtype=bool)
        self._people = people
        if not self._kept.any():
            found = f"all {len(people)} are samples of the cohort, or excluded" if people else "none"
            raise BadInput(f"{path}: expected phased genotypes of people outside of the cohort, found {found}")
        self.haplotypes = 2 * int(self._kept.sum())

    def region(self, contig: str, start: int, end: int, reference: str) -> PanelRegion:
        """Return the sites of a region.

        Args:
            contig: The contig.
            start: The first base, from 1.
            end: The last base.
            reference: The bases of the reference from `start` on, beyond `end` as far as alleles reach.

        Raises:
            BadInput: for records that no panel of this reference has.
            NotDiploid: for haploid genotypes.
        """
        region = PanelRegion(self.haplotypes)
        for line in self._lines(contig, start, end):
            fixed = line.split("\t", FIXED_COLUMNS)
            pos, ref, alts = int(fixed[1]), fixed[3].upper(), fixed[4].upper().split(",")
            if not start <= pos <= end:
                continue
            self._check_reference(contig, pos, ref, reference[pos - start : pos - start + len(ref)].upper())
            alleles = self._alleles(line, f"{contig}:{pos}", len(alts))
            for number, alt in enumerate(alts, 1):
                if set(alt) <= BASES:
                    region.add(Site(pos, ref, alt, fixed[2]), alleles == number)
                else:
                    region.symbolic += 1
        return region

    def _lines(self, contig: str, start: int, end: int) -> Iterator[str]:
        if contig not in self._file.header.contigs:
            return
        try:
            if self._file.is_bcf:
                yield from (str(record).rstrip("\n") for record in self._file.fetch(contig, start - 1, end))
                return
            with open_tabix(self._path) as lines:
                if contig in lines.contigs:
                    yield from lines.fetch(contig, start - 1, end)
        except (OSError, ValueError) as error:
            raise BadInput(f"{self._path}: expected a whole file with its index, found: {error}") from None

    def _check_reference(self, contig: str, pos: int, ref: str, bases: str) -> None:
        if len(bases) != len(ref) or any(a != b and {a, b} <= REFERENCE_BASES for a, b in zip(ref, bases, strict=True)):
            found = f"found {ref}; is the panel of another assembly?"
            raise BadInput(f"{self._path}: {contig}:{pos}: expected the reference's {bases or 'bases'} as REF, {found}")

    def _alleles(self, line: str, place: str, alts: int) -> NDArray[np.uint8]:
        """Return the alleles of all haplotypes; each genotype is the first three characters of its column.

        Raises:
            BadInput: for a genotype that is not phased, or missing.
            NotDiploid: for haploid genotypes.
        """
        data = np.frombuffer(f"{line}\t\t\t\t".encode(), np.uint8)
        tabs = np.flatnonzero(data == TAB)[FIXED_COLUMNS - 1 : -4]
        if len(tabs) != len(self._kept):
            raise BadInput(f"{self._path}: {place}: expected {len(self._kept)} genotypes, found {len(tabs)}")
        tabs = tabs[self._kept]
        first, bar, second, after = (data[tabs + offset] for offset in (1, 2, 3, 4))
        plain = (bar == BAR) & _is_digit(first) & _is_digit(second) & ((after == TAB) | (after == COLON))
        if plain.all() and max(first.max(), second.max()) <= ZERO + alts:
            return np.stack([first, second], axis=1).reshape(-1) - ZERO
        columns = np.array(line.split("\t")[FIXED_COLUMNS:], dtype=object)[self._kept]
        return self._slowly([column.partition(":")[0] for column in columns], place, alts)

    def _slowly(self, genotypes: Sequence[str], place: str, alts: int) -> NDArray[np.uint8]:
        people = (name for name, kept in zip(self._people, self._kept, strict=True) if kept)
        alleles: list[int] = []
        for name, genotype in zip(people, genotypes, strict=True):
            if genotype.isdigit():
                raise NotDiploid(f"the panel has {HAPLOID}, such as {genotype} of {name} at {place}")
            pair = genotype.split("|")
            if len(pair) != 2 or not all(one.isdigit() and int(one) <= alts for one in pair):
                expected = "expected phased genotypes without missing alleles, such as 0|1"
                raise BadInput(f"{self._path}: {place}: {expected}, found {genotype} of {name}; phase the panel first")
            alleles += map(int, pair)
        return np.array(alleles, dtype=np.uint8)


def _is_digit(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (characters >= ZERO) & (characters <= NINE)


def read_names(path: str | None) -> list[str]:
    """Return the names of a file with one on each line.

    Raises:
        BadInput: for a file that is no text, or has several words on a line.
    """
    if path is None:
        return []
    try:
        names = [line.strip() for line in Path(path).read_text("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise BadInput(
            f"{path}: expected the names of people, one on each line, found a file that is no text"
        ) from None
    for number, name in enumerate(names, 1):
        if len(name.split()) > 1:
            raise BadInput(f"{path}: line {number}: expected the name of a person, found {name[:60]!r}")
    return names
