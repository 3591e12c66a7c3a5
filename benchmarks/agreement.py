"""Joint genotypes beside those of direct calling, and Mendelian consistency of a trio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pysam

from benchmarks.accuracy_scores import KINDS, MIN_QUAL, scorer
from benchmarks.accuracy_tables import AGREES, ALL_ALLELES, DIRECT, INHERITED, JOINT, Counts

UNCALLED = -1  # copies of a genotype that is missing


class Atom(NamedTuple):
    """A substitution of one base, or an indel as far left as it goes; `pos` from 1."""

    contig: str
    pos: int
    ref: str
    alt: str

    @property
    def kind(self) -> str:
        """Return whether it is an SNP or an indel."""
        return KINDS[len(self.ref) != len(self.alt)]


@dataclass(slots=True)
class Genotyped:
    """The copies of each atom that samples have by a VCF.

    Attributes:
        samples: The samples.
        copies: The copies by atom and sample; an atom that the VCF lacks has none.
        confident: The atoms of records whose QUAL is at least that of the scorer.
    """

    samples: Sequence[str]
    copies: dict[Atom, list[int]] = field(default_factory=dict)
    confident: set[Atom] = field(default_factory=set)

    def of(self, atom: Atom) -> list[int]:
        """Return the copies of an atom, by sample."""
        return self.copies.get(atom, [0] * len(self.samples))


def read_genotypes(vcf: Path, samples: Sequence[str], bases: Mapping[str, str]) -> Genotyped:
    """Read the genotypes of samples, whatever filters their records fail.

    Args:
        vcf: The VCF.
        samples: The samples.
        bases: The reference's bases by contig.
    """
    genotyped = Genotyped(samples)
    with pysam.VariantFile(str(vcf)) as records:
        for record in records:
            genotypes = [record.samples[sample]["GT"] for sample in samples]
            for number, alt in enumerate((record.alts or ()), 1):
                for atom in _atoms(record, alt, bases):
                    found = [_copies(genotype, number) for genotype in genotypes]
                    before = genotyped.of(atom)
                    genotyped.copies[atom] = list(map(max, before, found)) if atom in genotyped.copies else found
                    if (record.qual or 0) >= MIN_QUAL:
                        genotyped.confident.add(atom)
    return genotyped


def _atoms(record: pysam.VariantRecord, alt: str, bases: Mapping[str, str]) -> Iterator[Atom]:
    if set(alt) <= set("ACGTacgt"):
        for offset, ref, changed in scorer().split(str(record.ref).upper(), alt.upper()):
            yield Atom(*scorer().left_align(record.chrom, record.start + offset, ref, changed, bases[record.chrom]))


def _copies(genotype: Sequence[int | None], number: int) -> int:
    return UNCALLED if None in genotype else genotype.count(number)


def agreement(one: Genotyped, other: Genotyped) -> dict[str, Counts]:
    """Return by kind how many genotypes are the same, and of how many, at all sites of which either is confident."""
    same: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for atom in one.confident | other.confident:
        pairs = list(zip(one.of(atom), other.of(atom), strict=True))
        total[atom.kind] += len(pairs)
        same[atom.kind] += sum(first == second for first, second in pairs)
    return {kind: (same[kind], total[kind]) for kind in KINDS}


class Trio(NamedTuple):
    """The samples of a family."""

    father: str
    mother: str
    child: str


FAMILY = Trio("father", "mother", "child")


def mendelian(genotyped: Genotyped, trio: Trio) -> dict[str, Counts]:
    """Return by kind how many confident sites that vary in the trio are as inherited, and of how many.

    A site with a missing genotype is not as inherited.
    """
    places = [genotyped.samples.index(sample) for sample in trio]
    consistent: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for atom in genotyped.confident:
        father, mother, child = (genotyped.of(atom)[place] for place in places)
        if father > 0 or mother > 0 or child > 0:
            total[atom.kind] += 1
            consistent[atom.kind] += is_inherited(father, mother, child)
    return {kind: (consistent[kind], total[kind]) for kind in KINDS}


def is_inherited(father: int, mother: int, child: int) -> bool:
    """Return whether a child can have the copies of an allele, from parents with theirs; not if one is unknown.

    >>> [is_inherited(1, 0, 1), is_inherited(2, 0, 1), is_inherited(1, 1, 2)]
    [True, True, True]
    >>> [is_inherited(0, 0, 1), is_inherited(2, 0, 0), is_inherited(2, 0, 2), is_inherited(1, -1, 1)]
    [False, False, False, False]
    """
    if UNCALLED in (father, mother, child):
        return False
    passed = [{0} if copies == 0 else {1} if copies == 2 else {0, 1} for copies in (father, mother)]
    return child in {first + second for first in passed[0] for second in passed[1]}


def genotype_counts(calls: Mapping[str, Mapping[str, Path]], reference: Path) -> dict[str, dict[str, Counts]]:
    """Return, by way of calling, how many genotypes agree with direct calling, and how many of a trio are as inherited.

    Args:
        calls: The VCF of each sample, by way of calling; of joint ways one VCF.
        reference: The FASTA file.
    """
    with pysam.FastaFile(str(reference)) as fasta:
        bases = {name: fasta.fetch(name).upper() for name in fasta.references}
    samples = list(calls[JOINT])
    ways = [name for name in (JOINT, DIRECT, ALL_ALLELES) if name in calls]
    read = {name: read_genotypes(calls[name][samples[0]], samples, bases) for name in ways}
    counts: dict[str, dict[str, Counts]] = {name: {} for name in ways}
    for name in ways[1:]:
        found = agreement(read[JOINT], read[name])
        counts[JOINT].update({f"{AGREES} {name} {kind}": value for kind, value in found.items()})
    if set(FAMILY) <= set(samples):
        for name in ways:
            counts[name].update({f"{INHERITED} {kind}": value for kind, value in mendelian(read[name], FAMILY).items()})
    return counts
