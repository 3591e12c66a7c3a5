"""The joint records that an interval owns: genotypes over deletions, filters and allele frequencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from evidence import Limits
from gvcf_records import MISSING
from interval import Ownership
from likelihoods import called_alone, from_zero, most_probable, of_two_copies, pairs, with_deleted
from strands import pooled_bias

DELETED = "*"  # the allele of a copy of which an earlier record says that it lacks the site
MANY_CELLS = 1 << 16  # different ones
UNTIL_GENOTYPED = ("AC", "AN", "DP4")  # of `bcftools call`: counted again here; strands of blocks are not known
UNUSED_HEADER = tuple(f"##INFO=<ID={name}," for name in ("DP4", "I16", "QS"))
AF_HEADER = '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency among the called genotypes">\n'


class Filters(NamedTuple):
    """The soft filters, and their limits."""

    limits: Limits

    def header(self) -> str:
        """Return the header lines that declare the filters."""
        limits = self.limits
        return (
            f'##FILTER=<ID=LowQual,Description="QUAL below {limits.min_qual:g}; of an indel, in each carrier alone">\n'
            f'##FILTER=<ID=LowDepth,Description="No carrier with {limits.min_depth} high-quality bases">\n'
            f'##FILTER=<ID=StrandBias,Description="Phred-scaled strand bias above {limits.max_strand_bias} '
            'in every carrier, or of all reads, nearly all of which are on one strand">\n'
        )

    def column(self, qual: float, carriers: Sequence[Genotype], indel: bool, pooled_bias: float) -> str:
        """Return the FILTER column of a record.

        Args:
            qual: Its QUAL.
            carriers: Its carriers.
            indel: It is an indel. Errors in repeats recur in samples: those of several do not add up to evidence.
            pooled_bias: The strand bias of all reads together.
        """
        biases = [one.strand_bias for one in carriers if one.strand_bias is not None]
        if indel:
            qual = min(qual, max(one.quality_alone(self.limits.carrier_prior) for one in carriers))
        names = {
            "LowQual": qual < self.limits.min_qual,
            "LowDepth": all(one.depth < self.limits.min_depth for one in carriers),
            "StrandBias": max(min(biases, default=0), pooled_bias) > self.limits.max_strand_bias,
        }
        return ";".join(name for name, applies in names.items() if applies) or "PASS"


@dataclass(frozen=True, slots=True)
class Genotype:
    """A sample's fields of a record.

    Attributes:
        alleles: Its alleles, by number; None where it is missing.
        phred: The likelihoods of genotypes; of haploid ones, one for each allele; none where there is no copy.
        depth: High-quality bases.
        strand_bias: Phred-scaled; None if not known.
        depths: High-quality bases of each allele.
        quality: The genotype's quality; None if missing.
    """

    alleles: tuple[int | None, ...]
    phred: tuple[int, ...]
    depth: int
    strand_bias: int | None
    depths: tuple[int, ...]
    quality: int | None

    @property
    def is_carrier(self) -> bool:
        """Return whether it has an alternate allele."""
        return any(self.alleles)

    def quality_alone(self, prior: float) -> float:
        """Return the QUAL that the sample has alone."""
        phred = tuple(of_two_copies(self.phred, len(self.depths)))
        return called_alone(phred, self.depths, prior)[1]

    def text(self) -> str:
        """Return the sample's column, GT:PL:DP:SP:AD:GQ."""
        values = [self.phred, (self.depth,), (self.strand_bias,), self.depths, (self.quality,)]
        columns = [",".join(MISSING if one is None else str(one) for one in value) or MISSING for value in values]
        alleles = "/".join(MISSING if one is None else str(one) for one in self.alleles)
        return ":".join([alleles, *columns])


FORMAT = "GT:PL:DP:SP:AD:GQ"


def by_its_reads(genotype: Genotype, indel: bool) -> Genotype:
    """Return a sample's genotype as its own reads have it, where those of the cohort mislead `bcftools call`.

    That gives a sample of few reads, all of the reference, an allele that most others have. Of an indel, reads that do
    not span it are missing from its share in the cohort's reads, by which genotypes are judged.

    >>> by_its_reads(Genotype((0, 1), (0, 6, 38), 2, None, (2, 0), 3), False).text()
    '0/0:0,6,38:2:.:2,0:6'
    >>> by_its_reads(Genotype((0, 1), (117, 0, 1), 8, None, (1, 7), 20), True).text()
    '1/1:117,0,1:8:.:1,7:6'
    """
    unseen = any(allele and not genotype.depths[allele] for allele in genotype.alleles)
    if None in genotype.alleles or not (unseen or indel):
        return genotype
    place, quality = most_probable(genotype.phred, genotype.depths, len(genotype.alleles))
    alleles = (place,) if len(genotype.alleles) == 1 else pairs(len(genotype.depths))[place]
    return genotype if alleles == genotype.alleles else replace(genotype, alleles=alleles, quality=quality)


def parse_genotype(keys: Sequence[str], column: str) -> Genotype:
    """Parse a sample's column."""
    values = dict(zip(keys, column.split(":"), strict=False))

    def numbers(name: str) -> tuple[int, ...]:
        return tuple(int(value) for value in values[name].split(","))

    def number(name: str) -> int | None:
        value = values.get(name, MISSING)
        return None if value == MISSING else int(value)

    alleles = tuple(None if one == MISSING else int(one) for one in values["GT"].replace("|", "/").split("/"))
    phred = () if values["PL"] == MISSING else tuple(from_zero(numbers("PL")))
    return Genotype(alleles, phred, number("DP") or 0, number("SP"), numbers("AD"), number("GQ"))


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A sample's genotype of a record and its column; most cells of a large cohort are the same object."""

    genotype: Genotype
    text: str
    is_carrier: bool


@lru_cache(MANY_CELLS)
def parse_cell(keys: str, column: str, indel: bool) -> Cell:
    """Return the cell of a sample's column of `bcftools call`, by the sample's own reads where those mislead it."""
    genotype = by_its_reads(parse_genotype(keys.split(":"), column), indel)
    return Cell(genotype, genotype.text(), genotype.is_carrier)


@dataclass(slots=True)
class Deletion:
    """A deletion that a record calls: the last base that it deletes, and its carriers' copies and certainty."""

    end: int
    carriers: dict[int, tuple[int, int]]


@dataclass(slots=True)
class Deletions:
    """The deletions that may span the next records of a contig."""

    contig: str = ""
    spanning: list[Deletion] = field(default_factory=list)

    def at(self, contig: str, pos: int) -> list[Deletion]:
        """Return the deletions that span a position."""
        kept = self.spanning if contig == self.contig else []
        self.contig, self.spanning = contig, [one for one in kept if one.end >= pos]
        return self.spanning

    def add(self, pos: int, ref: str, alts: Sequence[str], cells: Sequence[Cell]) -> None:
        """Add the deletions of a record."""
        for number, alt in enumerate(alts, 1):
            shorter = len(ref) - len(alt)
            if shorter > 0 and alt != DELETED:
                carriers = {
                    sample: (one.genotype.alleles.count(number), one.genotype.quality or 0)
                    for sample, one in enumerate(cells)
                    if one.is_carrier and number in one.genotype.alleles
                }
                self.spanning.append(Deletion(pos + shorter, carriers))


def over_deletions(cells: Sequence[Cell], deletions: Sequence[Deletion]) -> list[Cell] | None:
    """Return the cells with `*`, the last allele, where deletions span the record; None if no sample has any.

    A sample with a deletion on one copy has x/* in place of x/x, and one with deletions on all copies, and no variant,
    has `*` only. Any other genotype contradicts the deletion, and is left as it is.
    """
    spanned: dict[int, tuple[int, int]] = {}
    for one in deletions:
        for sample, carried in one.carriers.items():
            spanned[sample] = max(carried, spanned.get(sample, (0, 0)))
    star = len(cells[0].genotype.depths)
    over = {sample: with_star(cells[sample], *carried) for sample, carried in spanned.items()}
    if not any(star in one.genotype.alleles for one in over.values()):
        return None
    others = {cell: with_star(cell, 0, 0) for cell in set(cells)}
    return [over[sample] if sample in over else others[cell] for sample, cell in enumerate(cells)]


@lru_cache(MANY_CELLS)
def with_star(cell: Cell, copies: int, certainty: int) -> Cell:
    """Return a cell with `*` as the last allele.

    Args:
        cell: The cell.
        copies: Copies that deletions of earlier records delete.
        certainty: Phred-scaled certainty of that.
    """
    genotype = cell.genotype
    star = len(genotype.depths)
    called = _spanned(genotype.alleles, copies, star)
    quality = genotype.quality
    if star in called:
        quality = certainty if quality is None else min(quality, certainty)
    phred = _extended(genotype, copies if star in called else 0, certainty)
    made = replace(genotype, alleles=called, phred=phred, depths=(*genotype.depths, 0), quality=quality)
    return Cell(made, made.text(), made.is_carrier)


def _spanned(alleles: tuple[int | None, ...], copies: int, star: int) -> tuple[int | None, ...]:
    if copies == 0:
        return alleles
    if copies >= len(alleles):
        return alleles if any(alleles) else (star,) * len(alleles)
    first, second = alleles
    return (first, star) if first == second and first is not None else alleles


def _extended(genotype: Genotype, copies: int, certainty: int) -> tuple[int, ...]:
    """Return the likelihoods with those of the genotypes with `*`."""
    if not genotype.phred:
        return ()
    if len(genotype.alleles) == 1:
        worst = max(genotype.phred)
        if copies:
            return tuple(from_zero([*(value + certainty for value in genotype.phred), 0]))
        return (*genotype.phred, worst)
    return tuple(with_deleted(genotype.phred, genotype.depths, copies, certainty if copies else max(genotype.phred)))


def joint_line(line: str, filters: Filters, deletions: Deletions) -> str | None:
    """Return a record of `bcftools call` as one of the joint VCF; None if no sample carries a variant.

    Args:
        line: The record.
        filters: The soft filters.
        deletions: The deletions of earlier records, to which those of this record are added.
    """
    contig, pos, name, ref, alts, qual, _, info, keys, *columns = line.rstrip("\n").split("\t")
    alleles = alts.split(",")
    indel = any(len(alt) != len(ref) for alt in alleles)
    different = {column: parse_cell(keys, column, indel) for column in set(columns)}
    carriers = [one.genotype for one in different.values() if one.is_carrier]
    if not carriers:
        return None
    spanning = deletions.at(contig, int(pos))
    cells = list(map(different.__getitem__, columns))
    deletions.add(int(pos), ref, alleles, cells)
    over = over_deletions(cells, spanning) if spanning else None
    column = filters.column(float(qual), carriers, indel, pooled_bias(info))
    if over is not None:
        cells, alleles = over, [*alleles, DELETED]
    fields = [
        contig,
        pos,
        name,
        ref,
        ",".join(alleles),
        qual,
        column,
        with_counts(info, len(alleles), Counter(cells)),
    ]
    return "\t".join([*fields, FORMAT, *[one.text for one in cells]]) + "\n"


def with_counts(info: str, alts: int, cells: Mapping[Cell, int]) -> str:
    """Return an INFO column with AC, AN and AF of the genotypes.

    Args:
        info: The column.
        alts: The number of alternate alleles.
        cells: How many samples have each cell.
    """
    copies = [0] * (alts + 1)
    for cell, samples in cells.items():
        for allele in cell.genotype.alleles:
            if allele is not None:
                copies[allele] += samples
    called, counts = sum(copies), copies[1:]
    kept = [entry for entry in info.split(";") if entry.partition("=")[0] not in UNTIL_GENOTYPED]
    kept += [f"AC={','.join(map(str, counts))}", f"AN={called}"]
    if called:
        kept.append(f"AF={','.join(f'{count / called:.6g}' for count in counts)}")
    return ";".join(kept)


def write_joint(lines: Iterable[str], own: Ownership, filters: Filters, write: Callable[[str], None]) -> list[str]:
    """Write the joint records that start within the interval, and return the lines of the header.

    Args:
        lines: The VCF of `bcftools call`.
        own: The interval.
        filters: The soft filters.
        write: Writes text to the output.
    """
    header: list[str] = []
    deletions = Deletions()
    for line in lines:
        if line.startswith("#"):
            if not line.startswith(UNUSED_HEADER):
                header.append(line)
        else:
            joint = joint_line(line, filters, deletions)
            contig, pos, _ = line.split("\t", 2)
            if joint is not None and (contig, int(pos)) in own:
                write(joint)
    return header
