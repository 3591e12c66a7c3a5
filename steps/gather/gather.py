"""Joint variants of all intervals as one file: blocks copied as they are, then one pass for the statistics."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # where `common` lies
from common.fai import read_contigs
from common.forks import ForkFailed, fork, wait_for
from common.program import BadInput, StepError, run_program
from genotype_tally import Tally
from pysam.utils import SamtoolsError

PASSING = 'FILTER="PASS" || FILTER="."'


def main(task: dict[str, Any]) -> None:
    """Join the VCFs of all intervals and count what is in them.

    Raises:
        BadInput: for VCFs that cannot be joined.
        StepError: if bcftools failed.
    """
    output = task["outputs"]["vcf"]
    inputs = in_order(task["inputs"]["vcfs"], task["inputs"]["reference"])
    concatenate(inputs, output, Path(task["scratch"]))
    statistics = count(output)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(statistics, indent=2) + "\n")


def in_order(paths: Sequence[str], reference: str) -> list[str]:
    """Return the files in the reference's order, empty ones first.

    Raises:
        BadInput: for one that is no VCF, or of other samples than the first.
    """
    rank = {contig: place for place, contig in enumerate(read_contigs(reference))}
    samples: list[str] | None = None
    places = []
    for path in paths:
        try:
            with pysam.VariantFile(path) as vcf:
                found = list(vcf.header.samples)
                first = next(iter(vcf), None)
        except (OSError, ValueError):
            raise BadInput(f"{path}: expected a VCF, found one that is cut off or of another kind") from None
        samples = samples or found
        if found != samples:
            raise BadInput(f"{path}: expected the samples of {paths[0]}, found others")
        if first is not None and first.chrom not in rank:
            raise BadInput(f"{path}: expected contigs of the reference, found {first.chrom}")
        places.append((-1, 0) if first is None else (rank[first.chrom], first.pos))
    return [path for _, path in sorted(zip(places, paths, strict=True))]


def concatenate(paths: Sequence[str], output: str, scratch: Path) -> None:
    """Write all records to one indexed file.

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
        pysam.tabix_index(output, preset="vcf", force=True)
    except OSError:
        raise BadInput(f"{paths[0]}: expected intervals that follow each other, found records out of order") from None


def count(path: str) -> dict[str, Any]:
    """Count the records that pass every filter: bcftools reads them in a fork, this process counts.

    Raises:
        ForkFailed: if bcftools failed.
    """
    with pysam.VariantFile(path) as vcf:
        tally = Tally(list(vcf.header.samples))
    reads, writes = os.pipe()

    def query() -> None:
        os.close(reads)  # so that the end of this process is the query's too
        # To a named file, for query frees standard output twice in pysam 0.24.
        options = ["-i", PASSING, "-f", "%REF\t%ALT[\t%GT]\n", "-o", f"/dev/fd/{writes}"]
        pysam.bcftools.query(*options, path, catch_stdout=False)

    process = fork(query, "bcftools query")
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as lines:
        tally.take(lines)
    if code := wait_for(process):
        raise ForkFailed(f"bcftools query of {path}", code)
    return tally.summary()


if __name__ == "__main__":
    sys.exit(run_program(main))
