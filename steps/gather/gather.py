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
from genotype_tally import Tally
from pysam.utils import SamtoolsError

BAD_INPUT = 65  # EX_DATAERR of sysexits.h


class BadInput(Exception):
    """``FILE: what was expected, found``."""


class QueryFailed(Exception):
    """bcftools could not read what this step wrote."""


def main(task_file: str) -> int:
    """Run the step; 0 when its outputs are written."""
    task = json.loads(Path(task_file).read_text())
    pysam.set_verbosity(0)
    output = task["outputs"]["vcf"]
    try:
        inputs = in_order(task["inputs"]["vcfs"], Path(task["inputs"]["reference"] + ".fai"))
        concatenate(inputs, output, Path(task["scratch"]))
        statistics = count(output)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except (SamtoolsError, QueryFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    Path(task["outputs"]["metrics"]).write_text(json.dumps(statistics, indent=2) + "\n")
    return 0


def in_order(paths: Sequence[str], fai: Path) -> list[str]:
    """The files in the reference's order, empty ones first.

    Raises:
        BadInput: for one that is no VCF, or of other samples than the first.
    """
    rank = {line.split("\t")[0]: at for at, line in enumerate(fai.read_text().splitlines())}
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
    """
    names = scratch / "vcfs.txt"
    names.write_text("".join(f"{path}\n" for path in paths))
    pysam.bcftools.concat("--no-version", "--naive", "-Oz", "-o", output, "-f", str(names), catch_stdout=False)
    try:
        pysam.tabix_index(output, preset="vcf", force=True)
    except OSError:
        raise BadInput(f"{paths[0]}: expected intervals that follow each other, found records out of order") from None


def count(path: str) -> dict[str, Any]:
    """The statistics of the records that pass every filter; bcftools reads them in a fork, this process counts."""
    with pysam.VariantFile(path) as vcf:
        tally = Tally(list(vcf.header.samples))
    reads, writes = os.pipe()
    process = os.fork()
    if not process:
        os.close(reads)  # so that this process's end is the query's too
        _query(path, writes)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as lines:
        tally.take(lines)
    if os.waitpid(process, 0)[1]:
        raise QueryFailed(f"bcftools query failed on {path}")
    return tally.summary()


def _query(path: str, writes: int) -> None:
    status = 1
    try:
        passing = 'FILTER="PASS" || FILTER="."'
        # To a named file, for query frees standard output twice in pysam 0.24.
        options = ["-i", passing, "-f", "%REF\t%ALT[\t%GT]\n", "-o", f"/dev/fd/{writes}"]
        pysam.bcftools.query(*options, path, catch_stdout=False)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
