"""Direct calling: one pileup of all samples' alignments, which joint calling from gVCFs is compared with."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

STEP = Path(__file__).resolve().parents[1] / "steps" / "variant_calling" / "step.toml"
# In the wheel bcftools is a function, which needs a process.
RUN = "import sys, pysam.bcftools as b; getattr(b, sys.argv[1])(*sys.argv[2:], catch_stdout=False)"
BCFTOOLS = (sys.executable, "-c", RUN)
MIN_INDEL_READS = 2  # of all samples together
KEPT_ALTS = 2  # of a group of samples, by `bcftools call -m`


def call_directly(alignments: Sequence[Path], reference: Path, ploidy: int, folder: Path) -> Path:
    """Call samples together with the options of variant_calling for one, and return the VCF.

    Args:
        alignments: The BAM file of each sample.
        reference: The FASTA file.
        ploidy: Copies of each chromosome.
        folder: A folder for the files.
    """
    called = folder / "direct.called.vcf"
    _call(_pileup(alignments, reference, (), folder / "direct.pileup.vcf"), ploidy, (), called)
    return _normalised(called, reference, folder / "direct.vcf")


def call_all_alleles(alignments: Sequence[Path], reference: Path, ploidy: int, folder: Path) -> Path:
    """Call samples together as `call_directly`, but so that no allele of a single sample is left out.

    An indel is considered if it is in a twentieth of one sample's reads, not of all; and where there are more than two
    alternate alleles, of which `call` would keep two, each sample is a group of its own.

    Args:
        alignments: The BAM file of each sample.
        reference: The FASTA file.
        ploidy: Copies of each chromosome.
        folder: A folder for the files.
    """
    pileup = _pileup(alignments, reference, ("-p",), folder / "all.pileup.vcf")
    parts = []
    for name, options in (("few", ()), ("many", ("-G", "-"))):
        part = folder / f"{name}.vcf"
        with pileup.open() as lines, part.open("w") as out:
            out.writelines(line for line in lines if line.startswith("#") or _has_many(line) == bool(options))
        parts.append(folder / f"{name}.called.vcf")
        _call(part, ploidy, options, parts[-1])
    both, called = folder / "both.vcf", folder / "all.called.vcf"
    with both.open("w") as out, parts[1].open() as many:
        out.write(parts[0].read_text())
        out.writelines(line for line in many if not line.startswith("#"))
    _bcftools("sort", "-Ov", "-o", str(called), str(both))
    return _normalised(called, reference, folder / "all.vcf")


def _pileup(alignments: Sequence[Path], reference: Path, more: Sequence[str], output: Path) -> Path:
    declared = tomllib.loads(STEP.read_text())["parameters"]
    value = {name: str(each.get("default")) for name, each in declared.items()}
    options = ["-X", "illumina", "-q", value["min_mapq"], "-Q", value["min_baseq"], "-m", str(MIN_INDEL_READS), *more]
    options += ["-d", value["max_depth"], "-L", value["max_depth"]]
    files = ["-a", "AD,DP,SP", "-Ov", "-o", str(output), *map(str, alignments)]
    _bcftools("mpileup", "-f", str(reference), *options, *files)
    return output


def _call(pileup: Path, ploidy: int, more: Sequence[str], output: Path) -> None:
    prior = str(tomllib.loads(STEP.read_text())["parameters"]["prior"]["default"])
    _bcftools("call", "-mv", *more, "-P", prior, "--ploidy", str(ploidy), "-Ov", "-o", str(output), str(pileup))


def _normalised(called: Path, reference: Path, output: Path) -> Path:
    _bcftools("norm", "-f", str(reference), "-Ov", "-o", str(output), str(called))
    return output


def _has_many(line: str) -> bool:
    return len([alt for alt in line.split("\t", 5)[4].split(",") if not alt.startswith("<")]) > KEPT_ALTS


def _bcftools(*words: str) -> None:
    subprocess.run([*BCFTOOLS, *words], capture_output=True, check=True)
