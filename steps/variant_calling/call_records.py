"""The called records of a unit: those that it owns, with filters, and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from calling_units import Ownership
from common.variants import TRANSITIONS, ratio


class Filters(NamedTuple):
    """The limits of the soft filters."""

    min_qual: float
    min_depth: int
    max_strand_bias: int

    def header(self) -> str:
        """Return the header lines that declare the filters."""
        return (
            f'##FILTER=<ID=LowQual,Description="QUAL below {self.min_qual:g}">\n'
            f'##FILTER=<ID=LowDepth,Description="Fewer than {self.min_depth} high-quality bases">\n'
            f'##FILTER=<ID=StrandBias,Description="Phred-scaled strand bias above {self.max_strand_bias}">\n'
        )

    def column(self, qual: str, sample: Mapping[str, str]) -> str:
        """Return the FILTER column of a record, from its QUAL and its sample's fields."""
        names = []
        if float(qual) < self.min_qual:
            names.append("LowQual")
        if _number(sample, "DP") < self.min_depth:
            names.append("LowDepth")
        if _number(sample, "SP") > self.max_strand_bias:
            names.append("StrandBias")
        return ";".join(names) or "PASS"


def _number(sample: Mapping[str, str], name: str) -> int:
    value = sample.get(name, ".")
    return 0 if value == "." else int(value)


def write_own(lines: Iterable[str], own: Ownership, filters: Filters, write: Callable[[str], None]) -> Counter[str]:
    """Write the records that start within the unit, with their filters, and count those that pass.

    Args:
        lines: Records of a VCF of one sample.
        own: The unit.
        filters: The soft filters.
        write: Writes text to the output.
    """
    counts: Counter[str] = Counter()
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        pos = int(fields[1])
        if not own.parts(fields[0], pos - 1, pos):
            continue
        sample = dict(zip(fields[8].split(":"), fields[9].split(":"), strict=False))
        fields[3:5] = fields[3].upper(), fields[4].upper()  # normalisation takes bases as the reference has them
        fields[6] = filters.column(fields[5], sample)
        write("\t".join(fields) + "\n")
        if fields[6] == "PASS":
            counts.update(_count_names(fields[3], fields[4].split(","), sample["GT"]))
    return counts


def _count_names(ref: str, alts: list[str], genotype: str) -> list[str]:
    """Return the names of the counts that a record adds to."""
    alleles = genotype.replace("|", "/").split("/")
    snps = [alt for number, alt in enumerate(alts, 1) if len(alt) == len(ref) == 1 and str(number) in alleles]
    names = ["variants", *("transitions" if (ref, alt) in TRANSITIONS else "transversions" for alt in snps)]
    if any(len(alt) == len(ref) for alt in alts):
        names.append("snps")
    if any(len(alt) != len(ref) for alt in alts):
        names.append("indels")
    if len(alleles) > 1:
        names.append("heterozygous" if len(set(alleles)) > 1 else "homozygous")
    return names


def summarise(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the metrics of a sample."""
    metrics: dict[str, Any] = {name: counts.get(name, 0) for name in ("variants", "snps", "indels")}
    metrics["ti_tv"] = ratio(counts.get("transitions", 0), counts.get("transversions", 0))
    metrics["het_hom"] = ratio(counts.get("heterozygous", 0), counts.get("homozygous", 0))
    return metrics
