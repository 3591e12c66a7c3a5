"""Joint genotyping of a cohort over one interval: its gVCFs are merged in batches, then called like one pileup."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pysam

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from common.bed import read_regions
from common.calling_reference import CallingReference
from common.fai import needs_csi, read_contigs
from common.program import BadInput, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, shown, write_versions
from common.variants import MISSING_KEY, PLOIDY_KEY
from common.vcf_header import LOCAL, VcfHeader
from interval import Ownership, Region, padded_bed, parse_regions, targets_within
from joint_records import write_joint
from pipe import Command, pipe, run

DIPLOID = 2
QUIET = "--no-version"  # no versions, dates or paths of this machine in the header


def main(task: dict[str, Any]) -> None:
    """Genotype the cohort over the task's interval.

    Raises:
        BadInput: for gVCFs that cannot be used together.
        ForkFailed: if bcftools failed.
    """
    ploidies = check_samples(task["inputs"]["gvcfs"])
    aggregate(task, task["parameters"]["ploidy"] or common_ploidy(ploidies))


def check_samples(gvcfs: Sequence[str]) -> dict[int, str]:
    """Refuse files that are no VCF, or whose sample is in another file too, and return their ploidies.

    Returns:
        The ploidies that the files were called with, each with the first such file.

    Raises:
        BadInput: for the first such file.
    """
    holders: dict[str, str] = {}
    ploidies: dict[int, str] = {}
    for path in gvcfs:
        try:
            with pysam.VariantFile(path) as gvcf:
                samples = list(gvcf.header.samples)
                values = [record.value for record in gvcf.header.records if record.key == PLOIDY_KEY]
        except (OSError, ValueError):
            raise BadInput(f"{path}: expected a gVCF, found one that is cut off or of another kind") from None
        for sample in samples:
            if sample in holders:
                expected = "expected a sample that no other file holds"
                raise BadInput(f"{path}: {expected}, found {sample}, which {holders[sample]} holds too")
            holders[sample] = path
        ploidies.setdefault(int(values[0] or DIPLOID) if values else DIPLOID, path)
    return ploidies


def common_ploidy(ploidies: Mapping[int, str]) -> int:
    """Return the ploidy that all files were called with.

    Raises:
        BadInput: if they differ.
    """
    (first, file), *others = ploidies.items()
    for ploidy, other in others:
        advice = "call all samples with one ploidy, or set aggregation's parameter ploidy"
        raise BadInput(f"{other}: expected ploidy {first} as in {file}, found {ploidy}; {advice}")
    return first


def aggregate(task: dict[str, Any], ploidy: int) -> None:
    """Genotype all samples over the interval.

    Raises:
        ForkFailed: if bcftools failed.
    """
    parameters, output = task["parameters"], task["outputs"]["vcf"]
    contigs = read_contigs(task["inputs"]["reference"])
    regions = own_regions(task, contigs)
    own = Ownership(regions)
    bed = Path(task["scratch"]) / "padded.bed"
    bed.write_text(padded_bed(regions or parse_regions(task["item"]["regions"])[:1], contigs))
    names = {line.partition("\t")[0] for line in bed.read_text().splitlines()}
    reference = CallingReference(task["inputs"]["reference"], [names], Path(task["scratch"])).path(names)
    commands = [merge_in_batches(task, reference, bed), *call_commands(reference, ploidy), *filter_commands(parameters)]
    with (
        pipe(commands) as lines,
        pysam.BGZFile(output, "wb", index=None) as file,
    ):

        def write(text: str) -> None:
            file.write(text.encode())

        whole = task["inputs"]["reference"]  # all intervals have the same header
        described = VcfHeader(task, [], [merge_command(whole), *call_commands(whole, ploidy)])
        write_joint(lines, own, described.describe, filter_header(parameters) + missing_header(task), write)
    for batch in Path(task["scratch"]).glob("batch-*.bcf"):
        batch.unlink()
    pysam.tabix_index(output, preset="vcf", force=True, csi=needs_csi(contigs.values()))
    log_commands([f"bcftools {shown(command, LOCAL)}" for command in commands])
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


def merge_in_batches(task: dict[str, Any], reference: str, bed: Path) -> Command:
    """Return the command that merges the whole cohort, after merging each of several batches into a file.

    Args:
        task: The task.
        reference: The FASTA file to call against.
        bed: The padded interval.
    """
    gvcfs, size = task["inputs"]["gvcfs"], task["parameters"]["batch_size"]
    scratch = Path(task["scratch"])
    merge = merge_command(reference)
    if len(gvcfs) <= size:
        return [*merge, "-R", str(bed), "-Ou", "-l", write_list(scratch / "gvcfs.txt", gvcfs)]
    batches = []
    for start in range(0, len(gvcfs), size):
        batches.append(str(scratch / f"batch-{start}.bcf"))
        files = write_list(scratch / "gvcfs.txt", gvcfs[start : start + size])
        run([*merge, "-R", str(bed), "-Ob1", "-o", batches[-1], "-l", files])
    return [*merge, "--no-index", "-Ou", "-l", write_list(scratch / "batches.txt", batches)]


def merge_command(reference: str) -> list[str]:
    """Return the command that merges gVCFs, without their names."""
    return ["merge", QUIET, "--force-single", "-g", reference]


def write_list(file: Path, paths: Sequence[str]) -> str:
    """Write a list of files, one a line, and return its path."""
    file.write_text("".join(f"{path}\n" for path in paths))
    return str(file)


def call_commands(reference: str, ploidy: int) -> list[Command]:
    """Return the commands that genotype from likelihoods, then left-align and normalise."""
    return [
        ["call", QUIET, "-mv", "-a", "GQ", "--ploidy", str(ploidy), "-Ou", "-"],
        ["norm", QUIET, "-f", reference, "-Ou", "-"],
    ]


def filter_commands(parameters: dict[str, Any]) -> list[Command]:
    """Return the commands of the soft filters, one each."""
    bias = f'N_PASS(GT="alt" & FMT/SP<={parameters["max_strand_bias"]})=0'
    expressions = {
        "LowQual": f"QUAL<{parameters['min_qual']}",
        "LowDepth": f"MAX(FMT/DP)<{parameters['min_depth']}",
        "StrandBias": f"{bias} & MAX(FMT/SP)>{parameters['max_strand_bias']}",
    }
    return [
        ["filter", QUIET, "-m", "+", "-s", name, "-e", expression, "-Ov" if name == "StrandBias" else "-Ou", "-"]
        for name, expression in expressions.items()
    ]


def missing_header(task: dict[str, Any]) -> str:
    """Return the header line that names the samples of the cohort without a gVCF; empty if there are none."""
    missing = task.get("missing", {}).get("gvcfs", [])
    samples = len(missing) + len(task["inputs"]["gvcfs"])
    return f"##{MISSING_KEY}={len(missing)} of {samples}: {','.join(missing)}\n" if missing else ""


def filter_header(parameters: dict[str, Any]) -> str:
    """Return the header lines that declare the filters."""
    return (
        f'##FILTER=<ID=LowQual,Description="QUAL below {parameters["min_qual"]:g}">\n'
        f'##FILTER=<ID=LowDepth,Description="No sample with {parameters["min_depth"]} high-quality bases">\n'
        f'##FILTER=<ID=StrandBias,Description="Phred-scaled strand bias above {parameters["max_strand_bias"]} '
        'in every carrier">\n'
    )


if __name__ == "__main__":
    sys.exit(run_program(main))
