"""A simulated set: a trio and five more people with haplotypes of the 1000 Genomes project, reads with errors.

Real sets of this size have no trio. The variants are real, indels in repeats among them; the reads are not, and their
indels are all true, where real reads slip in repeats.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pysam

from benchmarks.agreement import FAMILY
from benchmarks.real_sets import SETS, RealSet
from genomics_pipeline.simulation.qualities import READ_BP
from genomics_pipeline.simulation.reads import write_reads

NAME = "simulated-family"
OTHERS = ("other1", "other2", "other3", "other4", "other5")
DEPTH = 30
SEED = 1
PANEL = "panel.3202-people.vcf.gz"
OFFSET = 16_569_999  # of the panel's positions, from those of the set's contigs

Copies = tuple[int, int]


def simulated_family(cache: Path) -> RealSet:
    """Return the set, made in the cache if it is not there."""
    real = SETS["1000g-3sample-chr21-chr22"]
    family = replace(real, name=NAME, root=cache, truth="truth.vcf.gz", regions=real.regions)
    if not (family.folder / "truth.vcf.gz.tbi").exists():
        shutil.rmtree(family.folder, ignore_errors=True)
        family.folder.mkdir(parents=True)
        for name in ("reference.fa.gz", str(real.regions)):
            shutil.copy(real.folder / name, family.folder / name)
        _simulate(real.folder / PANEL, family.folder)
    return family


def _simulate(panel: Path, folder: Path) -> None:
    """Write reads and truth."""
    plain = folder / "reference.fa"
    plain.write_bytes(gzip.decompress((folder / "reference.fa.gz").read_bytes()))
    with pysam.FastaFile(str(plain)) as fasta:
        bases = {name: fasta.fetch(name).upper() for name in fasta.references}
    with pysam.VariantFile(str(panel)) as vcf:
        rng = Random(SEED)
        people = rng.sample(list(vcf.header.samples), 2 + len(OTHERS))
        records = [record.copy() for record in vcf]
    carried = _carried(records, people, {contig: rng.randrange(2) for contig in bases})
    _write_truth(folder / "truth.vcf", records, carried, bases)
    for number, (sample, genotypes) in enumerate(carried.items(), 1):
        haplotypes = [
            _haplotype(bases[contig], contig, records, genotypes, copy) for contig in bases for copy in (0, 1)
        ]
        files = folder / f"{sample}_R1.fastq.gz", folder / f"{sample}_R2.fastq.gz"
        pairs = round(DEPTH * sum(map(len, bases.values())) / (2 * READ_BP))
        write_reads([files], haplotypes, pairs, Random(f"{SEED}:{sample}"), run=number)


def _carried(
    records: Sequence[pysam.VariantRecord], people: Sequence[str], passed: Mapping[str, int]
) -> dict[str, list[Copies]]:
    """Return the alleles of each member on its two haplotypes; a parent passes on one haplotype of each contig."""
    called = {person: [_alleles(record, person) for record in records] for person in people}
    father, mother, *others = (called[person] for person in people)
    child = [
        (one[passed[record.chrom]], other[1 - passed[record.chrom]])
        for record, one, other in zip(records, father, mother, strict=True)
    ]
    return dict(zip((*FAMILY, *OTHERS), (father, mother, child, *others), strict=True))


def _alleles(record: pysam.VariantRecord, person: str) -> Copies:
    first, second = record.samples[person]["GT"]
    return int(first or 0), int(second or 0)


def _haplotype(
    bases: str, contig: str, records: Sequence[pysam.VariantRecord], genotypes: Sequence[Copies], copy: int
) -> str:
    """Return one copy of a contig; of variants that overlap, the first."""
    parts, end = [], 0
    for record, alleles in zip(records, genotypes, strict=True):
        start = record.pos - OFFSET - 1
        if record.chrom == contig and alleles[copy] and start >= end:
            parts += [bases[end:start], str((record.alts or ())[alleles[copy] - 1])]
            end = start + len(str(record.ref))
    return "".join([*parts, bases[end:]])


def _write_truth(
    path: Path,
    records: Sequence[pysam.VariantRecord],
    carried: Mapping[str, Sequence[Copies]],
    bases: Mapping[str, str],
) -> None:
    contigs = [f"##contig=<ID={name},length={len(text)}>" for name, text in bases.items()]
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *carried]
    lines = ["##fileformat=VCFv4.2", *contigs, '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines.append("\t".join(fixed))
    for record, *genotypes in zip(records, *carried.values(), strict=True):
        if any(map(any, genotypes)):
            columns = [record.chrom, str(record.pos - OFFSET), ".", str(record.ref), ",".join(record.alts or ())]
            lines.append("\t".join([*columns, ".", "PASS", ".", "GT", *(f"{one}|{two}" for one, two in genotypes)]))
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
