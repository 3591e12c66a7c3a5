"""Joint genotyping of a cohort over one interval: its gVCFs are merged at its variants, then called like one pileup."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pysam

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from cohort_ploidy import ploidy_options
from cohort_sites import Cohort, merged_header
from common.bed import read_regions
from common.calling_reference import CallingReference
from common.fai import needs_csi, read_contigs
from common.program import BadInput, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, shown, write_versions
from common.variants import MISSING_KEY
from common.vcf_header import LOCAL, VcfHeader
from genotyping import Calling
from interval import Ownership, Region, padded, parse_regions, targets_within
from joint_records import AF_HEADER, Filters, write_joint
from pipe import Command

QUIET = "--no-version"  # no versions, dates or paths of this machine in the header


def main(task: dict[str, Any]) -> None:
    """Genotype the cohort over the task's interval.

    Raises:
        BadInput: for gVCFs that cannot be used together.
        ForkFailed: if bcftools failed.
    """
    check_samples(task["inputs"]["gvcfs"])
    aggregate(task)


def check_samples(gvcfs: Sequence[str]) -> None:
    """Refuse files that are no VCF, or whose sample is in another file too.

    Raises:
        BadInput: for the first such file.
    """
    holders: dict[str, str] = {}
    for path in gvcfs:
        try:
            with pysam.VariantFile(path) as gvcf:
                samples = list(gvcf.header.samples)
        except (OSError, ValueError):
            raise BadInput(f"{path}: expected a gVCF, found one that is cut off or of another kind") from None
        for sample in samples:
            if sample in holders:
                expected = "expected a sample that no other file holds"
                raise BadInput(f"{path}: {expected}, found {sample}, which {holders[sample]} holds too")
            holders[sample] = path


def aggregate(task: dict[str, Any]) -> None:
    """Genotype all samples over the interval.

    Raises:
        BadInput: for a gVCF that cannot be read.
        ForkFailed: if bcftools failed.
    """
    parameters, output = task["parameters"], task["outputs"]["vcf"]
    contigs = read_contigs(task["inputs"]["reference"])
    regions = own_regions(task, contigs)
    spans = padded(regions or parse_regions(task["item"]["regions"])[:1], contigs)
    names = {span.contig for span in spans}
    reference = CallingReference(task["inputs"]["reference"], [names], Path(task["scratch"])).path(names)
    cohort = Cohort(task["inputs"]["gvcfs"], spans, reference, parameters["batch_size"])
    header = merged_header(cohort.gvcfs, contigs)
    limits = ("min_qual", "min_depth", "max_strand_bias", "carrier_prior")
    filters = Filters(*(parameters[name] for name in limits))
    ploidy = ploidy_options(cohort, parameters["ploidy"], Path(task["scratch"]))
    whole = call_commands(task["inputs"]["reference"], ploidy, parameters["prior"])  # all intervals have one header
    describe = VcfHeader(task, [], whole).describe
    more = filters.header() + missing_header(task) + AF_HEADER
    calling = Calling(header, call_commands(reference, ploidy, parameters["prior"]), Path(task["scratch"]))
    with calling.records(cohort) as lines, pysam.BGZFile(output, "wb", index=None) as file:

        def write(text: str) -> None:
            file.write(text.encode())

        write_joint(lines, Ownership(regions), filters, lambda found: [*describe(found), more], write)
    pysam.tabix_index(output, preset="vcf", force=True, csi=needs_csi(contigs.values()))
    log_commands([f"bcftools {shown(command, LOCAL)}" for command in whole])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def own_regions(task: dict[str, Any], contigs: Mapping[str, int]) -> list[Region]:
    """Return the regions whose variants the task writes: the interval, or the targets in it.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name, in the reference's order.

    Raises:
        BadInput: for targets that are no BED file.
    """
    regions, bed = parse_regions(task["item"]["regions"]), task["parameters"]["regions"]
    return targets_within(regions, read_regions(bed, contigs)) if bed else regions


def call_commands(reference: str, ploidy: Sequence[str], prior: float) -> list[Command]:
    """Return the commands that genotype from likelihoods, then left-align and normalise."""
    return [
        ["call", QUIET, "-mv", "-a", "GQ", "-P", str(prior), *ploidy, "-Ou", "-"],
        ["norm", QUIET, "-f", reference, "-Ov", "-"],
    ]


def missing_header(task: dict[str, Any]) -> str:
    """Return the header line that names the samples of the cohort without a gVCF; empty if there are none."""
    missing = task.get("missing", {}).get("gvcfs", [])
    samples = len(missing) + len(task["inputs"]["gvcfs"])
    return f"##{MISSING_KEY}={len(missing)} of {samples}: {','.join(missing)}\n" if missing else ""


if __name__ == "__main__":
    sys.exit(run_program(main))
