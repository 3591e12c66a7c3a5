"""Concatenation of all intervals' joint variants, by copying compressed blocks, and one pass for the statistics."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from common.bcftools_stats import write_stats
from common.bgzf_parts import open_bgzf
from common.fai import needs_csi, read_contigs
from common.forks import ForkFailed, fork, wait_for
from common.program import BadInput, StepError, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, write_versions
from common.variants import MISSING_INTERVALS_KEY
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
    concatenate(inputs, output, Path(task["scratch"]))
    if missing := task.get("missing", {}).get("vcfs"):
        name_missing(output, missing, len(inputs) + len(missing), Path(task["scratch"]))
    write_index(output, csi, inputs[0])
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


def concatenate(paths: Sequence[str], output: str, scratch: Path) -> None:
    """Write the records of all files to one file.

    Args:
        paths: The files, in order.
        output: The file to write.
        scratch: A folder for temporary files.

    Raises:
        StepError: if bcftools failed.
    """
    names = scratch / "vcfs.txt"
    names.write_text("".join(f"{path}\n" for path in paths))
    try:
        pysam.bcftools.concat("--no-version", "--naive", "-Oz", "-o", output, "-f", str(names), catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(str(error)) from None


def name_missing(output: str, missing: Sequence[str], intervals: int, scratch: Path) -> None:
    """Name the intervals that are missing in the header, which is written anew before the blocks of the records.

    Args:
        output: The file.
        missing: The missing intervals, each with its regions.
        intervals: The number of all intervals.
        scratch: A folder for temporary files.

    Raises:
        StepError: if bcftools failed.
    """
    header, renewed = scratch / "header.vcf", scratch / "renewed.vcf.gz"
    line = f"##{MISSING_INTERVALS_KEY}={len(missing)} of {intervals}: {','.join(missing)}\n"
    with open_bgzf(output) as file, header.open("wb") as out:
        for text in file:
            if text.startswith(b"#CHROM"):
                out.write(line.encode() + text + b"\n")
                break
            out.write(text + b"\n")
    try:
        pysam.bcftools.reheader("-h", str(header), "-o", str(renewed), output, catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(str(error)) from None
    shutil.move(renewed, output)


def write_index(output: str, csi: bool, first: str) -> None:
    """Write the index of the joint VCF.

    Args:
        output: The joint VCF.
        csi: The contigs are too long for a TBI index.
        first: The first of the files that it is made of.

    Raises:
        BadInput: if intervals overlap.
    """
    try:
        pysam.tabix_index(output, preset="vcf", force=True, csi=csi)
    except OSError:
        raise BadInput(f"{first}: expected intervals that follow each other, found records out of order") from None


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
