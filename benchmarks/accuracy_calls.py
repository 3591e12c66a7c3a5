"""Ways from reads to variants: our pipeline with each aligner, plain bcftools on its alignments, and native tools."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pysam

from benchmarks.direct_calls import BCFTOOLS
from benchmarks.real_sets import Reads, RealSet

COMMAND = Path(sys.executable).with_name("genomics-pipeline")
NATIVE = "native bwa"
NATIVE_TOOLS = ("bwa", "samtools", "bcftools")
ALIGN = """set -euo pipefail
bwa mem -R "@RG\\tID:$SAMPLE\\tSM:$SAMPLE" "$REFERENCE" "$FIRST" "$SECOND" | samtools fixmate -m -u - - \
  | samtools sort -u - > "$SAMPLE.sorted.bam"
if [ "$MARK" = True ]; then samtools markdup "$SAMPLE.sorted.bam" "$SAMPLE.bam"
else mv "$SAMPLE.sorted.bam" "$SAMPLE.bam"; fi
samtools index "$SAMPLE.bam"
"""


@dataclass(frozen=True, slots=True)
class Called:
    """The alignments and variants of a set's samples.

    Attributes:
        aligner: What aligned the reads.
        alignments: The BAM file of each sample.
        calls: The VCF of each sample, by the way of calling.
    """

    aligner: str
    alignments: dict[str, Path]
    calls: dict[str, dict[str, Path]] = field(default_factory=dict)


def has_native_tools() -> bool:
    """Return whether bwa, samtools and bcftools are on the PATH."""
    return all(map(shutil.which, NATIVE_TOOLS))


def plain_reference(real: RealSet, folder: Path) -> Path:
    """Write the reference of a set, decompressed and indexed."""
    reference = folder / "reference.fa"
    reference.write_bytes(gzip.decompress((real.folder / "reference.fa.gz").read_bytes()))
    pysam.faidx(str(reference))
    return reference


def run_pipeline(
    reads: Reads, aligner: str, parameters: Sequence[str], folder: Path, pipeline: str = "germline"
) -> Called:
    """Run a pipeline, and plain bcftools over its alignments.

    Args:
        reads: The reads.
        aligner: The value of alignment's parameter, or "" if it has none.
        parameters: More parameters, as ``STAGE.NAME=VALUE``.
        folder: A new folder.
        pipeline: The pipeline, which ends with a joint VCF.

    Raises:
        subprocess.CalledProcessError: if the run fails.
    """
    rows = [f"{sample},{first},{second}" for sample, (first, second) in reads.files.items()]
    (folder / "cohort.csv").write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    argv = [str(COMMAND), "run", "cohort.csv", "--reference", str(reads.set.folder / "reference.fa.gz"), "--out", "run"]
    assignments = [*reads.set.parameters, *parameters, *([f"alignment.aligner={aligner}"] if aligner else [])]
    argv += ["--pipeline", pipeline, "--json", *(word for one in assignments for word in ("--param", one))]
    process = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv, process.stdout, process.stderr)
    summary = json.loads(process.stdout)
    files = {row["sample"]: row["files"] for row in summary["samples"]}
    called = Called(aligner or "bwa", {one: Path(each["alignment.alignment"]) for one, each in files.items()})
    called.calls["single"] = {one: Path(each["variant_calling.vcf"]) for one, each in files.items()}
    called.calls["joint"] = dict.fromkeys(files, Path(summary["cohort"]["files"]["gather.vcf"]))
    add_plain_calls(called, reads.set, plain_reference(reads.set, folder), BCFTOOLS, folder)
    return called


def run_native(reads: Reads, folder: Path) -> Called:
    """Run ``bwa mem | samtools fixmate | sort | markdup`` and plain bcftools, all native.

    Raises:
        subprocess.CalledProcessError: if one fails.
    """
    reference = plain_reference(reads.set, folder)
    subprocess.run(["bwa", "index", str(reference)], capture_output=True, check=True)

    def align(sample: str) -> None:
        first, second = map(str, reads.files[sample])
        names = {"SAMPLE": sample, "REFERENCE": str(reference), "FIRST": first, "SECOND": second}
        environment = {**os.environ, **names, "MARK": str(reads.set.mark_duplicates)}
        subprocess.run(["bash", "-c", ALIGN], env=environment, cwd=folder, capture_output=True, check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(align, reads.files))
    called = Called(NATIVE, {sample: folder / f"{sample}.bam" for sample in reads.files})
    add_plain_calls(called, reads.set, reference, ["bcftools"], folder)
    return called


def add_plain_calls(called: Called, real: RealSet, reference: Path, bcftools: Sequence[str], folder: Path) -> None:
    """Add the calls of ``bcftools mpileup | call | norm`` with its own defaults, of each sample and of all together.

    Args:
        called: The alignments.
        real: Their set.
        reference: Its reference.
        bcftools: The words that run bcftools.
        folder: A folder for the files.
    """

    def call(name: str, alignments: Sequence[Path]) -> Path:
        sites, genotypes, normal = (folder / f"{name}.plain.{kind}" for kind in ("sites.bcf", "called.bcf", "vcf"))
        inputs = list(map(str, alignments))
        for words in (
            ["mpileup", "-f", str(reference), "-a", "AD,DP", "-Ob", "-o", str(sites), *inputs],
            ["call", "-mv", "--ploidy", str(real.ploidy), "-Ob", "-o", str(genotypes), str(sites)],
            ["norm", "-f", str(reference), "-Ov", "-o", str(normal), str(genotypes)],
        ):
            subprocess.run([*bcftools, *words], capture_output=True, check=True)
        return normal

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = pool.map(lambda item: call(item[0], [item[1]]), called.alignments.items())
        called.calls["plain bcftools"] = dict(zip(called.alignments, files, strict=True))
    joint = call("all samples", list(called.alignments.values()))
    called.calls["plain bcftools, joint"] = dict.fromkeys(called.alignments, joint)
