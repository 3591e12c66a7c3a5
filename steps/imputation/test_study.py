"""A small study for the tests of this folder: a panel, and gVCFs of samples whose haplotypes are mosaics of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pysam
from numpy.typing import NDArray

PROGRAM = Path(__file__).with_name("imputation.py")
LENGTH = 60_000
SITES = range(1000, LENGTH, 500)  # SNPs from A to G
PEOPLE = 60
FOUNDERS = 12  # distinct haplotypes, of which the people's are mosaics
GVCF = """##fileformat=VCFv4.2
##contig=<ID=c1,length=60000>
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="Indel">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	"""
PARAMETERS = {
    "panel": None,
    "genetic_map": None,
    "exclude_panel_samples": None,
    "prior": 0.05,
    "min_qual": 20,
    "min_dr2": 0.3,
    "min_probability": 0.9,
    "window_bp": 1_000_000,
    "margin_bp": 250_000,
    "error_rate": 1e-4,
    "max_indel_pl": 30,
    "burn_in": 3,
    "rounds": 5,
    "chains": 2,
    "states": 128,
    "seed": 1,
}
Alleles = NDArray[np.int64]


def bgzip(path: Path, text: str, csi: bool = False) -> str:
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
    return str(path)


def panel_text(haplotypes: Alleles, names: Sequence[str], form: str = "{}|{}") -> str:
    """Return a panel; haplotypes have the shape (people * 2, sites)."""
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=c1>", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines.append("\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *names]))
    for site, pos in enumerate(SITES):
        genotypes = [form.format(*haplotypes[2 * n : 2 * n + 2, site]) for n in range(len(names))]
        lines.append("\t".join(["c1", str(pos), f"rs{pos}", "A", "G", ".", ".", ".", "GT", *genotypes]))
    return "\n".join(lines) + "\n"


def gvcf_text(sample: str, copies: Alleles, depths: Alleles) -> str:
    """Return the gVCF of a sample with a number of reads, of its genotype, at each site; nothing without reads."""
    lines = []
    for pos, count, depth in zip(SITES, copies, depths, strict=True):
        if depth and not count:
            phred = f"0,{3 * depth},{37 * depth}"
            lines.append(f"c1\t{pos}\t.\tA\t<*>\t.\t.\tEND={pos + 3}\tPL:DP\t{phred}:{depth}")
        elif depth:
            phred = (f"{30 * depth},0,{30 * depth}", f"{37 * depth},{3 * depth},0")[count - 1]
            values = f"{phred},255,255,255"
            lines.append(f"c1\t{pos}\t.\tA\tG,<*>\t0\t.\tDP={depth}\tPL:DP\t{values}:{depth}")
    return f"{GVCF}{sample}\n" + "".join(f"{line}\n" for line in lines)


class Study:
    """A folder with a reference, a panel, and samples of which the panel has no haplotype as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, random = folder, np.random.default_rng(5)
        self.founders = (random.random((FOUNDERS, len(SITES))) < 0.35).astype(int)
        self.names = [f"P{number:02d}" for number in range(PEOPLE)]
        half = len(SITES) // 2
        left, right = random.integers(0, FOUNDERS, (2, 2 * PEOPLE))
        self.haplotypes = np.concatenate([self.founders[left][:, :half], self.founders[right][:, half:]], axis=1)
        self.panel = bgzip(folder / "panel.vcf.gz", panel_text(self.haplotypes, self.names))
        self.samples = ["S1", "S2", "S3"]
        self.truth = {name: self.founders[[2 * n, 2 * n + 1]] for n, name in enumerate(self.samples)}
        self.gvcfs = []
        for name in self.samples:
            depths = (random.random(len(SITES)) < 0.3).astype(int) * 2
            text = gvcf_text(name, self.truth[name].sum(0), depths)
            self.gvcfs.append(bgzip(folder / f"{name}.g.vcf.gz", text))
        bases = ["C"] * LENGTH
        for pos in SITES:
            bases[pos - 1] = "A"
        self.reference = folder / "reference.fa"
        self.reference.write_text(f">c1\n{''.join(bases)}\n")
        pysam.faidx(str(self.reference))
        pysam.dict("-o", str(self.reference.with_suffix(".dict")), str(self.reference))
        self.calls = self.joint("calls", ["c1\t777\t.\tC\tT\t60\tPASS\tAC=1;AN=6\tGT\t0/1\t0/0\t0/0"])

    def joint(self, name: str, records: Sequence[str], samples: Sequence[str] = ("S1", "S2", "S3")) -> str:
        """Write the joint calls."""
        header = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=LowDepth,Description="Few reads">
##contig=<ID=c1,length=60000>
##INFO=<ID=AC,Number=A,Type=Integer,Description="Count">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Number">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency among the called genotypes">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	"""
        text = header + "\t".join(samples) + "\n" + "".join(f"{one}\n" for one in records)
        return bgzip(self.folder / f"{name}.vcf.gz", text)

    def run(
        self, out: Path, *, gvcfs: Sequence[str] = (), calls: str = "", vcpus: int = 1, **parameters: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the step's program as the worker runs it."""
        (out / "scratch").mkdir(parents=True)
        task = {
            "step": "imputation",
            "version": "1.1.0",
            "item": {"interval": "00000", "regions": [f"c1:1-{LENGTH}"]},
            "inputs": {
                "gvcfs": list(gvcfs) or self.gvcfs,
                "vcf": calls or self.calls,
                "reference": str(self.reference),
            },
            "outputs": {"vcf": str(out / "out.vcf.gz"), "metrics": str(out / "out.json")},
            "parameters": {**PARAMETERS, "panel": self.panel, **parameters},
            "vcpus": vcpus,
            "scratch": str(out / "scratch"),
            "versions": str(out / "versions.json"),
        }
        (out / "task.json").write_text(json.dumps(task))
        argv = [sys.executable, str(PROGRAM), str(out / "task.json")]
        return subprocess.run(argv, capture_output=True, text=True, check=False)


def genotypes(vcf: Path) -> Mapping[str, list[tuple[int, ...]]]:
    """Return the genotypes of each sample at imputed sites."""
    with pysam.VariantFile(str(vcf)) as file:
        records = [record for record in file if "IMP" in record.info]
        return {name: [record.samples[name]["GT"] for record in records] for name in file.header.samples}
