"""Rates of alignments, and scores of variants against truth, pooled over the samples of a set."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pysam

from benchmarks.real_sets import DATA, RealSet

KINDS = ("SNP", "INDEL")
DOUBTLESS = " without doubt"  # behind a kind: the F1 without alleles that truth may lack
MIN_QUAL = 20  # of the scorer


def alignment_rates(alignments: Mapping[str, Path]) -> dict[str, float]:
    """Return which part of the reads is mapped, and properly paired, in per cent."""
    total: Counter[str] = Counter()
    for path in alignments.values():
        counts = json.loads(str(pysam.flagstat("-O", "json", str(path))))["QC-passed reads"]
        total.update({name: counts[name] for name in ("primary", "primary mapped", "properly paired")})
    reads = total["primary"] or 1
    return {
        "mapped": 100 * total["primary mapped"] / reads,
        "properly_paired": 100 * total["properly paired"] / reads,
    }


def mean_depths(alignments: Mapping[str, Path]) -> dict[str, float]:
    """Return the mean depth of each sample, without duplicates."""
    depths = {}
    for sample, path in alignments.items():
        rows = [line.split("\t") for line in str(pysam.coverage("-H", str(path))).splitlines()]
        depths[sample] = sum(float(row[6]) * int(row[2]) for row in rows) / sum(int(row[2]) for row in rows)
    return depths


@cache
def scorer() -> ModuleType:
    """Return the independent scorer that lies beside the data."""
    spec = importlib.util.spec_from_file_location("score_vcf", DATA.parent / "tools" / "score_vcf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Truth:
    """The true variants of a set.

    Args:
        real: The set, whose truth is known.
        reference: Its reference.
    """

    def __init__(self, real: RealSet, reference: Path) -> None:
        assert real.truth is not None
        self._truth, self._regions = real.folder / real.truth, real.regions and real.folder / real.regions
        with pysam.FastaFile(str(reference)) as fasta:
            self._bases = {name: fasta.fetch(name).upper() for name in fasta.references}
        self._doubtful: dict[str, set[Any]] = {}
        with pysam.VariantFile(str(self._truth)) as vcf:
            self._is_of_one = len(vcf.header.samples) == 1  # under whatever name

    def doubt(self, calls: Mapping[str, Path]) -> None:
        """Take note of alleles that direct calling of all reads has and truth lacks, which may be real.

        Args:
            calls: The VCF of each sample.
        """
        for sample, path in calls.items():
            truth, found = self._loaded(sample, path)
            self._doubtful[sample] = found.keys() - truth.keys()

    def f1(self, calls: Mapping[str, Path]) -> dict[str, float]:
        """Return the F1 of SNPs and indels, counts pooled over the samples; after `doubt`, also without such alleles.

        Args:
            calls: The VCF of each sample.
        """
        pooled: dict[str, Counter[str]] = defaultdict(Counter)
        for sample, path in calls.items():
            truth, found = self._loaded(sample, path)
            versions = {"": found}
            if sample in self._doubtful:
                versions[DOUBTLESS] = {one: each for one, each in found.items() if one not in self._doubtful[sample]}
            for name, kept in versions.items():
                scores = scorer().score(truth, kept, self._confident, self._bases)
                for kind in KINDS:
                    pooled[kind + name].update({count: scores[kind][count] for count in ("TP", "FN", "FP", "calls")})
        return {kind: _f1(counts) for kind, counts in pooled.items()}

    def _loaded(self, sample: str, path: Path) -> tuple[Any, Any]:
        """Return the true alleles of a sample, and those of a VCF."""
        truth = scorer().load(str(self._truth), None if self._is_of_one else sample, None, self._bases)
        return truth, scorer().load(str(path), sample, MIN_QUAL, self._bases)

    @cached_property
    def _confident(self) -> Any:
        if self._regions:
            return scorer().read_bed(str(self._regions))
        return {name: [(0, len(bases))] for name, bases in self._bases.items()}


def _f1(counts: Mapping[str, int]) -> float:
    found = counts["calls"] - counts["FP"]
    if not found or not counts["TP"]:
        return 0.0
    precision, recall = found / counts["calls"], counts["TP"] / (counts["TP"] + counts["FN"])
    return 2 * precision * recall / (precision + recall)
