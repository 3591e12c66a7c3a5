"""gVCFs of people whose genotypes are known, in the form that the step variant_calling writes them; nothing is aligned.

    python -m benchmarks.cohort_gvcfs PANEL.vcf.gz REFERENCE.fa --samples 1000 --out FOLDER

Depth is that of reads of `READ_BP` that begin anywhere: a mean (`--depth`) times one of people (log-normal, `SPREAD`),
and Poisson numbers of starts. One base in `1 / ERROR` is another one, of quality `QUALITY`. A genotype's reads are
binomial. Likelihoods are those of independent bases of that quality, as far as 255. As in the step, a position at which
the reference is more likely by `MARGIN` joins the blocks around it, which stay within one band of depth; any other has
a record with an unseen allele, and an indel has a record of its own, behind that of its base. Simplifications: a
deletion does not lower the depth of the bases that it lacks, and errors are of single bases, all of one quality: at 8x
three times as many positions have evidence for a false allele as in real gVCFs.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam

DEPTH, SPREAD = 30.0, 0.15
READ_BP = 150
ERROR, QUALITY = 0.001, 30
MARGIN = 30
HALF = 3.01  # Phred-scaled, of a read of one of two alleles
MOST = 255
BANDS = (0, *range(1, 11), 12, 15, 20, 40)  # of `steps/variant_calling/gvcf_blocks.py`
FURTHER = 3  # bases behind an indel that its record has, as mpileup's records have
SEED = 1
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##ALT=<ID=*,Description="Represents allele(s) other than observed.">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="Indicates that the variant is an INDEL.">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Raw read depth">
##INFO=<ID=SGB,Number=1,Type=Float,Description="Segregation based metric, http://samtools.github.io/bcftools/rd-SegBias.pdf">
##INFO=<ID=MQ0F,Number=1,Type=Float,Description="Fraction of MQ0 reads (smaller is better)">
##INFO=<ID=I16,Number=16,Type=Float,Description="Auxiliary tag used for calling">
##INFO=<ID=QS,Number=R,Type=Float,Description="Auxiliary tag used for calling">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="List of Phred-scaled genotype likelihoods">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases">
##FORMAT=<ID=SP,Number=1,Type=Integer,Description="Phred-scaled strand bias P-value">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths (high-quality bases)">
##INFO=<ID=END,Number=1,Type=Integer,Description="End position of the variant described in this record">
##INFO=<ID=MIN_DP,Number=1,Type=Integer,Description="Minimum per-sample depth in this gVCF block">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Most likely genotype of two copies">
##genomics_pipeline_ploidy=2
"""
BASES = "ACGT"


class Variant(NamedTuple):
    """A biallelic record of the panel, and each person's copies of its alternate allele."""

    contig: str
    pos: int  # from 1
    ref: str
    alt: str
    copies: Sequence[int]


class Panel(NamedTuple):
    """The people of a panel, and its variants, sorted."""

    people: Sequence[str]
    variants: Sequence[Variant]


def read_panel(path: str, offset: int) -> Panel:
    """Return the panel of a phased VCF whose positions are `offset` more than those of the reference."""
    with pysam.BGZFile(path, "rb", index=None) as file:
        lines = (line.decode().split("\t") for line in file if not line.startswith(b"##"))
        people = next(lines)[9:]
        variants = [
            Variant(fields[0], int(fields[1]) - offset, fields[3], fields[4], [text.count("1") for text in fields[9:]])
            for fields in lines
        ]
    return Panel(people, [one for one in variants if set(one.ref + one.alt) <= set(BASES)])


def tiled(panel: Panel, reference: Mapping[str, str], times: int) -> tuple[Panel, dict[str, str]]:
    """Return a longer panel and reference: each contig, with its variants, several times in a row.

    Variants that reach the end of a contig are left out.

    Args:
        panel: The panel.
        reference: The bases of each contig.
        times: How often.

    >>> panel = Panel(["A"], [Variant("c", 2, "C", "G", [1]), Variant("c", 7, "A", "T", [0])])
    >>> longer, reference = tiled(panel, {"c": "ACGTGCAT"}, 2)
    >>> [(one.pos, one.ref) for one in longer.variants], reference
    ([(2, 'C'), (10, 'C')], {'c': 'ACGTGCATACGTGCAT'})
    """
    variants = [
        one._replace(pos=one.pos + number * len(bases))
        for contig, bases in reference.items()
        for number in range(times)
        for one in panel.variants
        if one.contig == contig and one.pos + len(one.ref) + FURTHER <= len(bases)
    ]
    return Panel(panel.people, variants), {contig: bases * times for contig, bases in reference.items()}


def phred(counts: Sequence[int]) -> list[int]:
    """Return the likelihoods of the genotypes of two copies, given the reads of each allele.

    >>> phred([20, 0]), phred([10, 10]), phred([0, 20])
    ([0, 60, 255], [240, 0, 240], [255, 60, 0])
    """
    depth = sum(counts)
    values = []
    for second in range(len(counts)):
        for first in range(second + 1):
            here = counts[first] + (counts[second] if first != second else 0)
            values.append(QUALITY * (depth - here) + (HALF * here if first != second else 0))
    least = min(values)
    return [min(MOST, round(value - least)) for value in values]


class Person:
    """A person's reads.

    Args:
        number: The number of the person in the panel.
        panel: The panel.
        reference: The bases of each contig.
        depth: The mean depth of people.
    """

    def __init__(self, number: int, panel: Panel, reference: Mapping[str, str], depth: float) -> None:
        self._rng = np.random.default_rng([SEED, number])
        self._reads = random.Random(f"{SEED} {number}")  # faster one at a time
        self._reference = reference
        self._mean = depth * float(self._rng.lognormal(0, SPREAD))
        self._variants: dict[str, dict[int, list[tuple[Variant, int]]]] = {name: {} for name in reference}
        for one in panel.variants:
            if one.copies[number]:
                self._variants[one.contig].setdefault(one.pos, []).append((one, one.copies[number]))

    def lines(self) -> Iterator[str]:
        """Yield the lines of the gVCF."""
        for contig, bases in self._reference.items():
            starts = self._rng.poisson(self._mean / READ_BP, len(bases) + READ_BP)
            sums = np.concatenate([[0], np.cumsum(starts)])
            yield from self._contig(contig, bases, sums[READ_BP:-1] - sums[: -READ_BP - 1])

    def _contig(self, contig: str, bases: str, depths: np.ndarray) -> Iterator[str]:
        errors = self._rng.binomial(depths, ERROR)
        shown = np.flatnonzero((errors > 0) & (HALF * depths - QUALITY * errors < MARGIN)) + 1
        sites = dict.fromkeys(map(int, shown)) | dict.fromkeys(self._variants[contig])
        start = 1
        for pos in sorted(sites):
            records = list(self._records(contig, bases, pos, int(depths[pos - 1]), int(errors[pos - 1])))
            is_snp = any("INDEL" not in one for one in records)
            yield from _blocks(contig, bases, depths, start, pos - 1 if is_snp else pos)
            yield from records
            start = pos + 1
        yield from _blocks(contig, bases, depths, start, len(bases))

    def _records(self, contig: str, bases: str, pos: int, depth: int, errors: int) -> Iterator[str]:
        here = self._variants[contig].get(pos, ())
        snps = [(one.alt, copies) for one, copies in here if len(one.ref) == len(one.alt) == 1]
        base = bases[pos - 1]
        if not snps and not here:
            other = self._reads.choice([one for one in BASES if one != base])
            yield _line(contig, pos, base, [other], [depth - errors, errors], snp=True)
        elif snps:
            counts = self._counts(depth, [copies for _, copies in snps])
            yield _line(contig, pos, base, [alt for alt, _ in snps], counts, snp=True)
        for one, copies in here:
            if len(one.ref) != len(one.alt):
                further = bases[pos - 1 + len(one.ref) : pos - 1 + len(one.ref) + FURTHER]
                counts = self._counts(depth, [copies])
                yield _line(contig, pos, one.ref + further, [one.alt + further], counts, snp=False)

    def _counts(self, depth: int, copies: Sequence[int]) -> list[int]:
        """Return the reads of the reference and of each alternate allele, of which the person has copies."""
        alleles = [0] * max(0, 2 - sum(copies)) + [number for number, many in enumerate(copies, 1) for _ in range(many)]
        reads = [self._reads.choice(alleles) for _ in range(depth)]
        return [reads.count(number) for number in range(len(copies) + 1)]


def _line(contig: str, pos: int, ref: str, alts: Sequence[str], counts: Sequence[int], snp: bool) -> str:
    depth = sum(counts)
    counts = [*counts, 0] if snp else counts
    alts = [*alts, "<*>"] if snp else alts
    reads = (counts[0], depth - counts[0])
    strands = [part for many in reads for part in (many // 2, many - many // 2)]
    sums = [value for scale in (QUALITY, 60, 15) for many in reads for value in (scale * many, scale * scale * many)]
    shares = ",".join(f"{one / max(depth, 1):.6g}" for one in counts)
    info = f"{'' if snp else 'INDEL;'}DP={depth};I16={','.join(map(str, strands + sums))};QS={shares};SGB=-0.69;MQ0F=0"
    values = phred(counts)
    best = values.index(0)
    second = next(one for one in range(len(counts)) if (one + 1) * (one + 2) // 2 > best)
    genotype = f"{best - second * (second + 1) // 2}/{second}" if depth else "./."
    columns = f"{genotype}:{','.join(map(str, values))}:{depth}:0:{','.join(map(str, counts))}"
    return f"{contig}\t{pos}\t.\t{ref}\t{','.join(alts)}\t0\t.\t{info}\tGT:PL:DP:SP:AD\t{columns}\n"


def _blocks(contig: str, bases: str, depths: np.ndarray, start: int, end: int) -> Iterator[str]:
    """Yield the blocks of the positions `start` to `end`."""
    if start > end:
        return
    part = depths[start - 1 : end]
    bands = np.searchsorted(BANDS, part, side="right")
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(bands)) + 1])
    lasts = [*(firsts[1:] + start - 1), end]
    for first, last, depth in zip(firsts + start, lasts, np.minimum.reduceat(part, firsts), strict=True):
        values = ",".join(map(str, phred([int(depth), 0])))
        genotype = "0/0" if depth else "./."
        columns = f"{contig}\t{first}\t.\t{bases[first - 1]}\t<*>\t.\t."
        yield f"{columns}\tEND={last};MIN_DP={depth};QS=1,0\tGT:PL:DP\t{genotype}:{values}:{depth}\n"


def write_gvcf(folder: Path, number: int, panel: Panel, reference: Mapping[str, str], depth: float) -> Path:
    """Write the gVCF of a person and its index, unless they exist, and return its path.

    Args:
        folder: Its folder.
        number: The number of the person in the panel.
        panel: The panel.
        reference: The bases of each contig.
        depth: The mean depth of people.
    """
    name = panel.people[number]
    path = folder / f"{name}.g.vcf.gz"
    if Path(f"{path}.tbi").exists():
        return path
    contigs = "".join(f"##contig=<ID={contig},length={len(bases)}>\n" for contig, bases in reference.items())
    patient = f"##SAMPLE=<ID={name},Patient={name}>\n"
    columns = f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n"
    text = "".join([HEADER, contigs, patient, columns, *Person(number, panel, reference, depth).lines()])
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def write_cohort(panel: Panel, reference: Mapping[str, str], samples: int, depth: float, folder: Path) -> list[Path]:
    """Write the gVCFs of people chosen by the seed: a larger cohort has those of a smaller one first.

    Args:
        panel: The panel.
        reference: The bases of each contig.
        samples: The number of people.
        depth: The mean depth of people.
        folder: The folder of the gVCFs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = random.Random(SEED).sample(range(len(panel.people)), len(panel.people))
    return [write_gvcf(folder, number, panel, reference, depth) for number in order[:samples]]


def read_reference(path: str) -> dict[str, str]:
    """Return the bases of each contig, in upper case."""
    with pysam.FastaFile(path) as fasta:
        return {contig: fasta.fetch(contig).upper() for contig in fasta.references}


def main() -> None:
    """Write the gVCFs of a cohort."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel")
    parser.add_argument("reference")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--depth", type=float, default=DEPTH)
    parser.add_argument(
        "--offset", type=int, default=16_569_999, help="position in the panel less that in the reference"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    panel, reference = read_panel(options.panel, options.offset), read_reference(options.reference)
    write_cohort(panel, reference, options.samples, options.depth, options.out)


if __name__ == "__main__":
    main()
