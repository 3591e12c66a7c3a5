"""Imputation on real reads of low depth, from the panel of the set without its people, their relatives and neighbours.

F1 is that of alleles that the panel has, before and after: truth is a subset of the panel's own genotypes, made of the
same reads at full depth, so that all other calls count as wrong, whether they are or not, in the row of all alleles.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pysam
import pysam.bcftools

from benchmarks.accuracy_calls import Called, run_pipeline
from benchmarks.real_sets import DATA, Reads, RealSet

SET = "1000g-3sample-chr21-chr22"
PIPELINE = "germline-lowpass"
SHIFT = 16_569_999  # of the panel's positions (GRCh38) to those of the set's reference
NUMBERS = 15  # people whose numbers are no further apart may be of one family
COLUMNS = 5  # as may those beside each other in the panel
FIXED_COLUMNS = 9
BINS = (0.0, 0.001, 0.01, 0.05, 0.5)  # of minor allele frequencies in the panel


class Panel(NamedTuple):
    """A panel without people who may be related to those of the set.

    Attributes:
        path: The panel, with its index.
        excluded: The file of the names of those who are left out.
    """

    path: Path
    excluded: Path

    @property
    def parameters(self) -> list[str]:
        """Return the parameters of a run, as ``STAGE.NAME=VALUE``."""
        return [f"imputation.panel={self.path}", f"imputation.exclude_panel_samples={self.excluded}"]


def write_panel(samples: Sequence[str], folder: Path) -> Panel:
    """Write the panel of the set with the positions of its reference, and the names of those to leave out.

    Args:
        samples: The people of the set.
        folder: A folder for the files.
    """
    panel = Panel(folder / "panel.vcf.gz", folder / "excluded.txt")
    with (
        gzip.open(DATA / SET / "panel.3202-people.vcf.gz", "rt") as lines,
        pysam.BGZFile(str(panel.path), "wb", index=None) as out,
    ):
        for line in lines:
            if line.startswith("#CHROM"):
                names = line.rstrip("\n").split("\t")[FIXED_COLUMNS:]
                panel.excluded.write_text("".join(f"{name}\n" for name in related(names, samples)))
            if not line.startswith("#"):
                contig, pos, rest = line.split("\t", 2)
                line = f"{contig}\t{int(pos) - SHIFT}\t{rest}"
            out.write(line.encode())
    pysam.tabix_index(str(panel.path), preset="vcf", force=True)
    return panel


def related(names: Sequence[str], samples: Sequence[str]) -> list[str]:
    """Return the people of a panel who may be relatives of samples, by their numbers, and their neighbours.

    >>> related([f"NA{number:05}" for number in (1, 2, 3, 4, 5, 6, 7, 40, 41, 99)], ["NA00041"])
    ['NA00003', 'NA00004', 'NA00005', 'NA00006', 'NA00007', 'NA00040', 'NA00041', 'NA00099']
    """
    places = [names.index(sample) for sample in samples if sample in names]
    return [
        name
        for place, name in enumerate(names)
        if any(abs(place - own) <= COLUMNS for own in places)
        or any(name[:2] == own[:2] and abs(int(name[2:]) - int(own[2:])) <= NUMBERS for own in samples)
    ]


def alleles_of(panel: Path) -> set[tuple[str, int, str, str]]:
    """Return the contig, position, REF and ALT of all alleles of a panel."""
    with gzip.open(panel, "rt") as lines:
        rows = [line.split("\t", 5)[:5] for line in lines if not line.startswith("#")]
    return {(contig, int(pos), ref, alt) for contig, pos, _, ref, alts in rows for alt in alts.split(",")}


def of_panel(calls: Path, panel: Path, to: Path) -> Path:
    """Write those calls whose alleles the panel has, one alternate allele a record."""
    known = alleles_of(panel)
    split = Path(f"{to}.split.vcf")
    pysam.bcftools.norm("-m", "-any", "-Ov", "-o", str(split), str(calls), catch_stdout=False)
    with split.open() as lines, to.open("w") as out:
        for line in lines:
            fields = line.split("\t", 5)
            if line.startswith("#") or (fields[0], int(fields[1]), fields[3].upper(), fields[4].upper()) in known:
                out.write(line)
    return to


def run_imputed(reads: Reads, panel: Panel, folder: Path) -> Called:
    """Run the pipeline `germline-lowpass`, and keep its calls, and those of alleles that the panel has, also before it.

    Args:
        reads: The reads.
        panel: The panel.
        folder: A new folder.

    Raises:
        subprocess.CalledProcessError: if the run fails.
    """
    called = run_pipeline(reads, "minibwa", panel.parameters, folder, PIPELINE)
    imputed = next(iter(called.calls["joint"].values()))
    plain = next(iter(called.calls["plain bcftools, joint"].values()))
    (joint,) = folder.glob("run/results/variant_calling/joint/intervals/*.vcf.gz")  # the set has one interval
    found = {
        "imputed, all alleles": imputed,
        "imputed": of_panel(imputed, panel.path, folder / "imputed.vcf"),
        "joint, sites of the panel": of_panel(joint, panel.path, folder / "joint.vcf"),
        "plain bcftools, sites of the panel": of_panel(plain, panel.path, folder / "plain.vcf"),
    }
    calls = {way: dict.fromkeys(reads.files, path) for way, path in found.items()}
    return Called(called.aligner, called.alignments, calls)


def imputing(real: RealSet, folder: Path) -> list[Callable[[Reads, Path], Called]]:
    """Return a function from reads and a new folder to calls for a set that has a panel; none for others.

    Args:
        real: The set.
        folder: A folder for the panel.
    """
    if real.name != SET:
        return []
    panel = write_panel(list(real.reads), folder)
    return [lambda reads, out: run_imputed(reads, panel, out)]


def concordance(calls: Path, truth: Path) -> Mapping[str, tuple[int, int]]:
    """Return right and all genotypes with an alternate allele in calls or truth, by the panel's minor frequency.

    Args:
        calls: Imputed calls.
        truth: The true genotypes of the same samples.
    """
    with pysam.VariantFile(str(truth)) as vcf:
        known = {
            (one.chrom, one.pos, one.ref, (one.alts or ("",))[0]): {
                name: sum(allele or 0 for allele in sample["GT"]) for name, sample in one.samples.items()
            }
            for one in vcf
        }
    counts: dict[str, tuple[int, int]] = {}
    with pysam.VariantFile(str(calls)) as vcf:
        for one in vcf:
            if "IMP" not in one.info:
                continue
            frequency = min(one.info["RAF"][0], 1 - one.info["RAF"][0])
            upper = next(bound for bound in BINS[1:] if frequency <= bound)
            truths = known.get((one.chrom, one.pos, one.ref, (one.alts or ("",))[0]), {})
            for name, sample in one.samples.items():
                own, true = sum(allele or 0 for allele in sample["GT"]), truths.get(name, 0)
                if own or true:
                    right, total = counts.get(f"<= {upper:g}", (0, 0))
                    counts[f"<= {upper:g}"] = right + (own == true), total + 1
    return counts
