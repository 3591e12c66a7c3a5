"""Counts of the whole cohort and of each sample, from one pass over the genotypes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pysam
from common.ploidy import Stretch, parse_region
from common.variants import TRANSITIONS, ratio
from relatedness import Sites
from sample_lines import sample_lines

REFERENCE = {"0/0", "0|0", "0"}
Kinds = tuple[str, ...]  # of the alternative alleles: transition, transversion, other or indel each


class Tally:
    """Counts of each sample's genotypes, by kind of variant.

    Genotypes are counted as text, and each distinct text is interpreted once, at the end: with thousands of samples
    nearly all the time is spent in the loop over a record's genotypes.

    Args:
        samples: The samples.
        absent: The stretches of which a sample has no copy, by sample: genotypes are not missing there.
    """

    def __init__(self, samples: Sequence[str], absent: Mapping[str, Sequence[Stretch]]) -> None:
        self.sites = Sites(samples)
        self._absent: dict[str, list[tuple[int, Stretch]]] = {}
        for index, sample in enumerate(samples):
            for one in absent.get(sample, ()):
                self._absent.setdefault(one.contig, []).append((index, one))
        self._samples = samples
        self._cohort: Counter[Kinds] = Counter()
        self._genotypes: dict[tuple[Kinds, str], Counter[int]] = {}

    def add_records(self, lines: Iterable[str]) -> None:
        """Count the records of lines that hold CHROM, POS, REF, ALT and all genotypes, separated by tabs."""
        for line in lines:
            contig, position, ref, alts, *genotypes = line.rstrip("\n").split("\t")
            if contig in self._absent:
                self._leave_out(contig, int(position), genotypes)
            kinds = tuple(kind(ref.upper(), alt) for alt in alts.upper().split(","))
            self._cohort[kinds] += 1
            if len(kinds) == 1 and kinds[0].startswith("trans"):
                self.sites.add(contig, int(position), genotypes)
            for index, genotype in enumerate(genotypes):
                if genotype not in REFERENCE:
                    key = (kinds, genotype)
                    if key not in self._genotypes:
                        self._genotypes[key] = Counter()
                    self._genotypes[key][index] += 1

    def _leave_out(self, contig: str, position: int, genotypes: list[str]) -> None:
        """Replace genotypes of samples that have no copy of a position by the reference, which is not counted."""
        for index, stretch in self._absent[contig]:
            if genotypes[index] == "." and stretch.start < position <= stretch.end:
                genotypes[index] = "0"

    def summary(self) -> dict[str, Any]:
        """Return the statistics."""
        cohort: Counter[str] = Counter()
        for kinds, count in self._cohort.items():
            add(cohort, kinds, count)
        counts: list[Counter[str]] = [Counter() for _ in self._samples]
        for (kinds, genotype), by_sample in self._genotypes.items():
            for index, count in by_sample.items():
                add_genotype(counts[index], kinds, genotype, count)
        rows = zip(self._samples, counts, strict=True)
        return {
            **variants(cohort),
            "samples": {name: sample_row(count, cohort["variants"]) for name, count in rows},
        }


def read_absent(header: pysam.VariantHeader) -> dict[str, list[Stretch]]:
    """Return the stretches of which samples have no copy, by sample, as the header says (lines SAMPLE)."""
    lines = sample_lines(header)
    regions = {line["ID"]: line["Absent"].strip('"').split(",") for line in lines if "Absent" in line}
    return {sample: [Stretch(*parse_region(one), 0) for one in found] for sample, found in regions.items()}


def kind(ref: str, alt: str) -> str:
    """Return the kind of an alternative allele.

    >>> kind("A", "G"), kind("A", "C"), kind("AT", "GC"), kind("A", "AT")
    ('transition', 'transversion', 'other', 'indel')
    """
    if len(ref) != len(alt):
        return "other" if alt in ("*", ".") else "indel"
    if len(ref) > 1:
        return "other"
    return "transition" if (ref, alt) in TRANSITIONS else "transversion"


def add(counts: Counter[str], kinds: Iterable[str], count: int) -> None:
    """Count `count` variants with alleles of these kinds."""
    alleles = list(kinds)
    counts["variants"] += count
    counts["snps"] += count * any(name.startswith("trans") for name in alleles)
    counts["indels"] += count * ("indel" in alleles)
    counts["transitions"] += count * alleles.count("transition")
    counts["transversions"] += count * alleles.count("transversion")


def add_genotype(counts: Counter[str], kinds: Kinds, genotype: str, count: int) -> None:
    """Count `count` genotypes with an alternative or a missing allele."""
    alleles = genotype.replace("|", "/").split("/")
    if "." in alleles:
        counts["missing"] += count
        return
    add(counts, [kinds[int(allele) - 1] for allele in sorted(set(alleles) - {"0"})], count)
    if len(alleles) > 1:
        counts["heterozygous" if len(set(alleles)) > 1 else "homozygous"] += count


def variants(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the statistics that both the cohort and each sample have."""
    numbers: dict[str, Any] = {name: counts.get(name, 0) for name in ("variants", "snps", "indels")}
    return {**numbers, "ti_tv": ratio(counts.get("transitions", 0), counts.get("transversions", 0))}


def sample_row(counts: Mapping[str, int], records: int) -> dict[str, Any]:
    """Return the statistics of one sample."""
    return {
        **variants(counts),
        "het_hom": ratio(counts.get("heterozygous", 0), counts.get("homozygous", 0)),
        "missing": counts.get("missing", 0),
        "missing_fraction": ratio(counts.get("missing", 0), records) or 0.0,
    }
