"""gVCFs of a cohort to joint genotypes over one interval: merged in batches, then called as one pileup would be."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pysam
from interval import Ownership, padded_bed, parse, read_contigs
from joint_records import write_joint
from pipe import Command, CommandFailed, pipe, run

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
PLOIDY_KEY = "genomics_pipeline_ploidy"  # what variant_calling tells in a gVCF's header
DIPLOID = 2
QUIET = "--no-version"  # no versions, dates or paths of this machine in the header


class BadInput(Exception):
    """``FILE: what was expected, found``."""


def main(task_file: str) -> int:
    """Run the step; 0 when its output is written."""
    task = json.loads(Path(task_file).read_text())
    pysam.set_verbosity(0)
    try:
        ploidies = check_samples(task["inputs"]["gvcfs"])
        aggregate(task, task["parameters"]["ploidy"] or one_ploidy(ploidies))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except CommandFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def check_samples(gvcfs: Sequence[str]) -> dict[int, str]:
    """Refuse files that are no VCF, or of a sample that another file holds too.

    Returns:
        The ploidies that the files say they were called with, each with the first file that does.

    Raises:
        BadInput: saying which.
    """
    holders: dict[str, str] = {}
    ploidies: dict[int, str] = {}
    for path in gvcfs:
        try:
            with pysam.VariantFile(path) as gvcf:
                samples = list(gvcf.header.samples)
                told = [record.value for record in gvcf.header.records if record.key == PLOIDY_KEY]
        except (OSError, ValueError):
            raise BadInput(f"{path}: expected a gVCF, found one that is cut off or of another kind") from None
        for sample in samples:
            if sample in holders:
                found = f"found {sample}, which {holders[sample]} holds too"
                raise BadInput(f"{path}: expected a sample that no other file holds, {found}")
            holders[sample] = path
        ploidies.setdefault(int(told[0] or DIPLOID) if told else DIPLOID, path)
    return ploidies


def one_ploidy(ploidies: Mapping[int, str]) -> int:
    """The ploidy that all files were called with.

    Raises:
        BadInput: if they differ.
    """
    (first, file), *others = ploidies.items()
    for ploidy, other in others:
        found = f"found {ploidy}; call the samples alike, or give aggregation's parameter ploidy"
        raise BadInput(f"{other}: expected ploidy {first} as of {file}, {found}")
    return first


def aggregate(task: dict[str, Any], ploidy: int) -> None:
    """Genotype all samples over the interval.

    Raises:
        CommandFailed: if bcftools failed.
    """
    parameters, output = task["parameters"], task["outputs"]["vcf"]
    own = Ownership(regions := parse(task["item"]["regions"]))
    bed = Path(task["scratch"]) / "padded.bed"
    bed.write_text(padded_bed(regions, read_contigs(Path(task["inputs"]["reference"] + ".fai"))))
    merge = merge_in_batches(task, bed)
    with (
        pipe([merge, *calling(task, ploidy), *filtering(parameters)]) as lines,
        pysam.BGZFile(output, "wb", index=None) as file,
    ):

        def write(text: str) -> None:
            file.write(text.encode())

        write_joint(lines, own, filter_header(parameters), write)
    for batch in Path(task["scratch"]).glob("batch-*.bcf"):
        batch.unlink()
    pysam.tabix_index(output, preset="vcf", force=True)


def merge_in_batches(task: dict[str, Any], bed: Path) -> Command:
    """The command that merges the whole cohort; batches are merged into files first where there is more than one."""
    gvcfs, reference, size = task["inputs"]["gvcfs"], task["inputs"]["reference"], task["parameters"]["batch_size"]
    scratch = Path(task["scratch"])
    merge = ["merge", QUIET, "--force-single", "-g", reference]
    if len(gvcfs) <= size:
        return [*merge, "-R", str(bed), "-Ou", "-l", listed(scratch / "gvcfs.txt", gvcfs)]
    batches = []
    for start in range(0, len(gvcfs), size):
        batches.append(str(scratch / f"batch-{start}.bcf"))
        files = listed(scratch / "gvcfs.txt", gvcfs[start : start + size])
        run([*merge, "-R", str(bed), "-Ob1", "-o", batches[-1], "-l", files])
    return [*merge, "--no-index", "-Ou", "-l", listed(scratch / "batches.txt", batches)]


def listed(file: Path, paths: Sequence[str]) -> str:
    """A file that names files, one a line."""
    file.write_text("".join(f"{path}\n" for path in paths))
    return str(file)


def calling(task: dict[str, Any], ploidy: int) -> list[Command]:
    """Genotypes from likelihoods, then left-aligned and normalised."""
    return [
        ["call", QUIET, "-mv", "-a", "GQ", "--ploidy", str(ploidy), "-Ou", "-"],
        ["norm", QUIET, "-f", task["inputs"]["reference"], "-Ou", "-"],
    ]


def filtering(parameters: dict[str, Any]) -> list[Command]:
    """One command per soft filter."""
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


def filter_header(parameters: dict[str, Any]) -> str:
    """What each filter is called and means, as header lines."""
    return (
        f'##FILTER=<ID=LowQual,Description="QUAL below {parameters["min_qual"]:g}">\n'
        f'##FILTER=<ID=LowDepth,Description="No sample with {parameters["min_depth"]} high-quality bases">\n'
        f'##FILTER=<ID=StrandBias,Description="Phred-scaled strand bias above {parameters["max_strand_bias"]} '
        'in every carrier">\n'
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
