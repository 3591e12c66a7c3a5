"""Joint genotyping of a cohort over one interval: its gVCFs are merged at its variants, then called like one pileup."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    gc.disable()  # nothing here has cycles, what is imported neither
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts a thread for each core, which none of this uses
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from cohort_ploidy import ploidy_options
from cohort_sites import Cohort, merged_header, packed_cohort, with_patients
from common.bed import read_regions
from common.bgzf_parts import bgzf_writer, concatenate, join
from common.calling_reference import CallingReference
from common.fai import needs_csi, read_contigs
from common.forks import run_shared
from common.freed_memory import keep_freed_memory
from common.program import run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, shown, write_versions
from common.tbi import Places, write_tbi
from common.variants import MISSING_KEY
from common.vcf_header import LOCAL, VcfHeader
from evidence import Limits
from genotyping import Calling
from interval import Ownership, Region, padded, parse_regions, targets_within, units_of
from joint_records import AF_HEADER, Filters, write_joint
from packed_file import Chunk, write_packed
from pipe import Command
from sample_groups import Samples, samples_of
from tiles import tiles_of

# Files of a unit, in its folder.
RECORDS, HEADER, PLACES, PACKED, CHUNKS = "records.vcf.gz", "header.vcf", "places.json", "packed", "chunks.json"
QUIET = "--no-version"  # no versions, dates or paths of this machine in the header


def main(task: dict[str, Any]) -> None:
    """Genotype the cohort over the task's interval.

    Raises:
        BadInput: for gVCFs that cannot be used together.
        ForkFailed: if bcftools failed.
    """
    keep_freed_memory()
    aggregate(task, samples_of(task))


def aggregate(task: dict[str, Any], samples: Samples) -> None:
    """Genotype all samples over the interval, in units, each in a fork.

    Units are those of the interval, so that the bytes of the joint VCF do not depend on the number of cores.

    Args:
        task: The task.
        samples: The samples of its cohort.

    Raises:
        BadInput: for a gVCF that cannot be read.
        ForkFailed: if the genotyping of a unit failed.
    """
    parameters, scratch = task["parameters"], Path(task["scratch"])
    contigs = read_contigs(task["inputs"]["reference"])
    regions = own_regions(task, contigs)
    spans = padded(regions or [first_base(task)], contigs)
    names = {span.contig for span in spans}
    reference = CallingReference(task["inputs"]["reference"], [names], scratch).path(names)
    header = merged_header(samples.headers, contigs)
    limits = Limits(**{name: parameters[name] for name in Limits._fields})
    filters = Filters(limits)
    ploidy = ploidy_options(samples.headers, spans, parameters["ploidy"], scratch)
    command = call_command(ploidy, parameters["prior"])
    describe = VcfHeader(task, [], [command]).describe
    more = filters.header() + missing_header(task) + AF_HEADER
    units = units_of(regions) or [[]]
    folders = [scratch / f"unit-{number}" for number in range(len(units))]
    tiles = [tiles_of(padded(unit or [first_base(task)], contigs)) for unit in units]

    def genotype(number: int) -> None:
        folder, unit = folders[number], units[number]
        folder.mkdir()
        own = Ownership(unit)
        cohort = Cohort(samples.groups, len(samples.headers), tiles[number], own, reference, limits)
        packed = packed_cohort(cohort, folder / PACKED)
        (folder / CHUNKS).write_text(json.dumps(packed.chunks))
        places = Places(contigs)
        with Calling(header, command, folder).sites(packed) as called, bgzf_writer(folder / RECORDS) as write:
            found = write_joint(called, own, filters, places.adding(write))
        found = with_patients(found, samples.headers)
        (folder / PLACES).write_text(json.dumps(places.rows()))
        (folder / HEADER).write_text("".join([*describe(found[:-1]), more, found[-1]]))

    gc.freeze()  # forks share memory until they write to it
    run_shared(genotype, len(units), task["vcpus"])
    write_vcf((folders[0] / HEADER).read_text(), folders, Path(task["outputs"]["vcf"]), contigs)
    write_packed(
        Path(task["outputs"]["packed"]),
        [group.members for group in samples.groups],
        chain.from_iterable(tiles),
        [(folder / PACKED, [Chunk(*one) for one in json.loads((folder / CHUNKS).read_text())]) for folder in folders],
    )
    log_commands([f"bcftools {shown(command, LOCAL)}"])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def write_vcf(header: str, folders: Sequence[Path], path: Path, contigs: Mapping[str, int]) -> None:
    """Write the joint VCF and its index from the records of units, which are removed.

    Args:
        header: The header.
        folders: The folder of each unit.
        path: The joint VCF.
        contigs: The length of each contig in bp, by name, in the reference's order.
    """
    parts = [folder / RECORDS for folder in folders]
    if needs_csi(contigs.values()):
        join(header, parts, path, True)
    else:
        concatenate(header, parts, path)
        places = [json.loads((folder / PLACES).read_bytes()) for folder in folders]
        write_tbi(path, len(header.encode()), places, list(contigs))


def first_base(task: dict[str, Any]) -> Region:
    """Return the first base of the interval, which is read for the header where it has no targets."""
    first = parse_regions(task["item"]["regions"])[0]
    return first._replace(end=first.start)


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


def call_command(ploidy: Sequence[str], prior: float) -> Command:
    """Return the command that genotypes from likelihoods."""
    return ["call", QUIET, "-mv", "-a", "GQ", "-P", str(prior), *ploidy, "-Ou", "-"]


def missing_header(task: dict[str, Any]) -> str:
    """Return the header line that names the samples of the cohort without a gVCF; empty if there are none."""
    missing = task.get("missing", {}).get("gvcfs", [])
    samples = len(missing) + len(task["inputs"]["gvcfs"])
    return f"##{MISSING_KEY}={len(missing)} of {samples}: {','.join(missing)}\n" if missing else ""


if __name__ == "__main__":
    sys.exit(run_program(main))
