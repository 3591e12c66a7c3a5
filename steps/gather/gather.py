"""Concatenation of all intervals' joint variants, by copying compressed blocks, and one pass for the statistics."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from common.bcftools_stats import write_stats
from common.fai import needs_csi, read_contigs
from common.forks import ForkFailed, fork, wait_for
from common.program import BadInput, StepError, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, write_versions
from pysam.utils import SamtoolsError

PASSING = 'FILTER="PASS" || FILTER="."'


def main(task: dict[str, Any]) -> None:
    """Concatenate the VCFs of all intervals and write statistics of their variants.

    Raises:
        BadInput: for VCFs that cannot be concatenated.
        StepError: if bcftools failed.
    """
    output = task["outputs"]["vcf"]
    inputs = in_order(task["inputs"]["vcfs"], task["inputs"]["reference"])
    csi = needs_csi(read_contigs(task["inputs"]["reference"]).values())
    concatenate(inputs, output, Path(task["scratch"]), csi)
    statistics = count(output)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(statistics, indent=2) + "\n")
    write_stats(output, task["outputs"]["bcftools_stats"])
    log_commands([f"bcftools concat --naive -Oz -o {Path(output).name} ({len(inputs)} files)"])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def in_order(paths: Sequence[str], reference: str) -> list[str]:
    """Return the files in the reference's order, empty ones first.

    Raises:
        BadInput: for a file that is no VCF, or has other samples than the first.
    """
    rank = {contig: index for index, contig in enumerate(read_contigs(reference))}
    samples: list[str] | None = None
    positions = []
    for path in paths:
        try:
            with pysam.VariantFile(path) as vcf:
                names = list(vcf.header.samples)
                first = next(iter(vcf), None)
        except (OSError, ValueError):
            raise BadInput(f"{path}: expected a VCF, found one that is cut off or of another kind") from None
        samples = samples or names
        if names != samples:
            raise BadInput(f"{path}: expected the samples of {paths[0]}, found others")
        if first is not None and first.chrom not in rank:
            raise BadInput(f"{path}: expected contigs of the reference, found {first.chrom}")
        positions.append((-1, 0) if first is None else (rank[first.chrom], first.pos))
    return [path for _, path in sorted(zip(positions, paths, strict=True))]


def concatenate(paths: Sequence[str], output: str, scratch: Path, csi: bool) -> None:
    """Write the records of all files to one indexed file.

    Args:
        paths: The files, in order.
        output: The file to write.
        scratch: A folder for temporary files.
        csi: The contigs are too long for a TBI index.

    Raises:
        BadInput: if intervals overlap.
        StepError: if bcftools failed.
    """
    names = scratch / "vcfs.txt"
    names.write_text("".join(f"{path}\n" for path in paths))
    try:
        pysam.bcftools.concat("--no-version", "--naive", "-Oz", "-o", output, "-f", str(names), catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(str(error)) from None
    try:
        pysam.tabix_index(output, preset="vcf", force=True, csi=csi)
    except OSError:
        raise BadInput(f"{paths[0]}: expected intervals that follow each other, found records out of order") from None


def count(path: str) -> dict[str, Any]:
    """Return the statistics of the records that pass every filter, which bcftools reads in a fork.

    Raises:
        ForkFailed: if bcftools failed.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts a thread for each core
    from genotype_tally import Tally, read_absent
    from relatedness import compare, read_patients
    from sexes import sex_conflicts

    with pysam.VariantFile(path) as vcf:
        tally = Tally(list(vcf.header.samples), read_absent(vcf.header))
        patients, sexes = read_patients(vcf.header), sex_conflicts(vcf.header)
    reader, writer = os.pipe()

    def query() -> None:
        os.close(reader)  # else the query would not end when this process ends
        # To a named file, since query frees standard output twice in pysam 0.24.
        options = ["-i", PASSING, "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", "-o", f"/dev/fd/{writer}"]
        pysam.bcftools.query(*options, path, catch_stdout=False)

    process = fork(query, "bcftools query")
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as lines:
        tally.add_records(lines)
    if code := wait_for(process):
        raise ForkFailed(f"bcftools query of {path}", code)
    return {**tally.summary(), **compare(tally.sites, patients), **sexes}


if __name__ == "__main__":
    sys.exit(run_program(main))
