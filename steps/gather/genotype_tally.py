"""Counts of the whole cohort and of each sample, from one pass over the genotypes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.variants import TRANSITIONS, ratio

REFERENCE = {"0/0", "0|0", "0"}
Kinds = tuple[str, ...]  # of each alternative allele: transition, transversion, other or indel


class Tally:
    """Counts of each sample's genotypes, by kind of variant.

    Genotypes are counted as text and interpreted once for each text that occurs, at the end: with thousands of samples
    the loop over a record's genotypes takes all the time.
    """

    def __init__(self, samples: Sequence[str]) -> None:
        self._samples = samples
        self._cohort: Counter[Kinds] = Counter()
        self._seen: dict[tuple[Kinds, str], Counter[int]] = {}

    def take(self, lines: Iterable[str]) -> None:
        """Count records, given as REF, ALT and all genotypes between tabs."""
        for line in lines:
            ref, alts, *genotypes = line.rstrip("\n").split("\t")
            kinds = tuple(kind(ref.upper(), alt) for alt in alts.upper().split(","))
            self._cohort[kinds] += 1
            for at, genotype in enumerate(genotypes):
                if genotype not in REFERENCE:
                    key = (kinds, genotype)
                    if key not in self._seen:
                        self._seen[key] = Counter()
                    self._seen[key][at] += 1

    def summary(self) -> dict[str, Any]:
        """Return the statistics."""
        cohort: Counter[str] = Counter()
        for kinds, count in self._cohort.items():
            add(cohort, kinds, count)
        counts: list[Counter[str]] = [Counter() for _ in self._samples]
        for (kinds, genotype), seen in self._seen.items():
            for at, count in seen.items():
                add_genotype(counts[at], kinds, genotype, count)
        rows = zip(self._samples, counts, strict=True)
        return {
            **variants(cohort),
            "samples": {name: sample_row(count, cohort["variants"]) for name, count in rows},
        }


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
    """Count a variant with alleles of these kinds."""
    found = list(kinds)
    counts["variants"] += count
    counts["snps"] += count * any(name.startswith("trans") for name in found)
    counts["indels"] += count * ("indel" in found)
    counts["transitions"] += count * found.count("transition")
    counts["transversions"] += count * found.count("transversion")


def add_genotype(counts: Counter[str], kinds: Kinds, genotype: str, count: int) -> None:
    """Count a genotype that has an alternative or a missing allele."""
    alleles = genotype.replace("|", "/").split("/")
    if "." in alleles:
        counts["missing"] += count
        return
    add(counts, [kinds[int(allele) - 1] for allele in sorted(set(alleles) - {"0"})], count)
    if len(alleles) > 1:
        counts["heterozygous" if len(set(alleles)) > 1 else "homozygous"] += count


def variants(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the counts that the cohort and each sample have."""
    found: dict[str, Any] = {name: counts.get(name, 0) for name in ("variants", "snps", "indels")}
    return {**found, "ti_tv": ratio(counts.get("transitions", 0), counts.get("transversions", 0))}


def sample_row(counts: Mapping[str, int], records: int) -> dict[str, Any]:
    """Return the counts of one sample."""
    return {
        **variants(counts),
        "het_hom": ratio(counts.get("heterozygous", 0), counts.get("homozygous", 0)),
        "missing": counts.get("missing", 0),
        "missing_fraction": ratio(counts.get("missing", 0), records) or 0.0,
    }
