"""Variant calling of one sample, which also makes a gVCF: one bcftools pileup per unit of the reference, in forks."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pysam

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from call_records import Filters, summarise, write_own
from called_ploidy import CalledPloidy, called_ploidy
from calling_units import Ownership, Unit, bed_text, divide, pad, read_bed, with_copies
from common.alignment_header import open_alignments, refuse_other_contigs, refuse_other_sequences
from common.bcftools_stats import write_stats
from common.bgzf_parts import bgzf_writer, join, split_header
from common.calling_reference import CallingReference
from common.fai import needs_csi, read_contigs
from common.forks import ForkFailed, run
from common.ploidy import DIPLOID
from common.program import BadInput, run_program, say
from common.progress import Progress
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, SAMTOOLS_VERSION, log_commands, shown, write_versions
from common.vcf_header import LOCAL, VcfHeader
from contamination import SiteCounts, contamination_metrics
from few_reads import FEW_HEADER, few_lines, places_of_few, with_few
from gvcf_blocks import DEPTH_BANDS, GENOTYPE_HEADER, GvcfWriter
from jobs import bcftools, samtools
from known_sites import OwnVariants, PanelSites, SiteCounter
from usual_depth import with_indel_reads

FEW_BED = "few.bed"  # the bases before indels of few reads, in the folder of a unit


def call(task: dict[str, Any]) -> None:
    """Call every unit, then concatenate the files of all units.

    Raises:
        BadInput: for alignments or regions that cannot be used.
        ForkFailed: if a fork failed.
    """
    contigs = read_contigs(task["inputs"]["reference"])
    check_alignment(task["inputs"]["alignment"], task["inputs"]["reference"], task["item"]["sample"], contigs)
    parameters = task["parameters"]
    regions = parameters.get("regions")
    units = divide(contigs, read_bed(regions, contigs) if regions else None, parameters.get("unit_bp"))
    task = with_indel_reads(task, units)
    groups = [{span.contig for span in unit} for unit in units]
    reference = CallingReference(task["inputs"]["reference"], groups, Path(task["scratch"]))
    ploidy = called_ploidy(task, contigs, set().union(*groups))
    folders = [Path(task["scratch"]) / f"unit-{number}" for number in range(len(units))]
    try:
        run(
            [
                partial(call_unit, task, Genome(contigs, reference, ploidy), unit, folder)
                for unit, folder in zip(units, folders, strict=True)
            ],
            task["vcpus"],
            called_units(task, units),
        )
    except ForkFailed as error:
        if not error.killed:
            refuse_other_sequences(task["inputs"]["alignment"], task["inputs"]["reference"])
        raise
    alignment = task["inputs"]["alignment"]
    mpileup, *following = unit_commands(task, task["inputs"]["reference"], ploidy)
    commands = [[*mpileup, alignment], *([*command, "-"] for command in following)]
    if (least := of_few(task)) != task:
        commands.append([*unit_commands(least, task["inputs"]["reference"], ploidy)[0], "-T", FEW_BED, alignment])
    described = VcfHeader(task, [alignment], commands)
    metrics = {**ploidy.metrics(), **sample_metrics(task, folders, ploidy)}
    for name in ("vcf", "gvcf"):
        header = described.describe((folders[0] / f"{name}.header").read_text().splitlines(keepends=True))
        parts, csi = [folder / f"{name}.gz" for folder in folders], needs_csi(contigs.values())
        join("".join(header), parts, Path(task["outputs"][name]), csi)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(metrics, indent=2) + "\n")
    write_stats(task["outputs"]["vcf"], task["outputs"]["bcftools_stats"], ("-s", "-"))
    log_commands([f"bcftools {shown(command, LOCAL)}" for command in commands])
    say(f"note: {ploidy.words}")
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "samtools": SAMTOOLS_VERSION, "htslib": HTSLIB_VERSION})


@dataclass(frozen=True, slots=True)
class Genome:
    """The sequences to call against, and how many copies of them the sample has.

    Attributes:
        contigs: The length of each contig in bp, by name.
        calling: The reference to call against.
        ploidy: The copies.
    """

    contigs: dict[str, int]
    calling: CallingReference
    ploidy: CalledPloidy


def called_units(task: dict[str, Any], units: Sequence[Unit]) -> Callable[[int], None]:
    """Return what counts the bases of a unit that is called, for the task's progress.

    Args:
        task: The task.
        units: The units.
    """
    sizes = [sum(span.end - span.start for span in unit) for unit in units]
    progress, done = Progress(task, "bp"), set[int]()

    def count(number: int) -> None:
        done.add(number)
        progress.add(sizes[number], sum(sizes[one] for one in done) / sum(sizes))

    return count


def sample_metrics(task: dict[str, Any], folders: Iterable[Path], ploidy: CalledPloidy) -> dict[str, Any]:
    """Return the metrics of the sample from the counts of its units.

    Args:
        task: The task.
        folders: The folders of the units.
        ploidy: The copies of the reference.
    """
    variants: Counter[str] = Counter()
    sites = SiteCounts()
    for folder in folders:
        variants.update(json.loads((folder / "counts.json").read_text()))
        sites.update(json.loads((folder / "sites.json").read_text()))
    diploid, panel = ploidy.copies.others == DIPLOID, bool(task["parameters"].get("contamination_sites"))
    return {**summarise(variants), **contamination_metrics(sites if diploid else None, panel)}


def check_alignment(path: str, reference: str, sample: str, contigs: dict[str, int]) -> None:
    """Refuse alignments that are truncated, not indexed, or of another sample or reference.

    Raises:
        BadInput: for such alignments.
    """
    with open_alignments(path, reference) as alignment:
        if not alignment.has_index():
            raise BadInput(f"{path}: expected a BAM or CRAM file with its index beside it, found no index")
        header = alignment.header.to_dict()
    samples = sorted({str(group.get("SM", "")) for group in header.get("RG", [])})
    if samples != [sample]:
        raise BadInput(f"{path}: expected read groups of sample {sample}, found {', '.join(samples) or 'none'}")
    refuse_other_contigs(path, header, reference, contigs)


def call_unit(task: dict[str, Any], genome: Genome, unit: Unit, folder: Path) -> None:
    """Make the pileup of one unit, and write its part of the gVCF, its variants and their counts.

    Args:
        task: The task.
        genome: The sequences to call against.
        unit: The unit.
        folder: A new folder for the files.
    """
    folder.mkdir()
    own, parameters, names = Ownership(unit), task["parameters"], {span.contig for span in unit}
    reference, copies = genome.calling.path(names), genome.ploidy.copies
    filters = Filters(parameters["min_qual"], parameters["min_depth"], parameters["max_strand_bias"])
    bed, pileup, sites, called, normal = (
        folder / name for name in ("padded.bed", "pileup.vcf", "sites.vcf", "called.bcf", "normal.vcf")
    )
    bed.write_text(bed_text(pad(unit, genome.contigs)))
    alignment = plain_alignment(task, bed, folder) if genome.calling.is_reduced(names) else task["inputs"]["alignment"]
    mpileup, genotype, normalise = unit_commands(task, reference, genome.ploidy)
    bcftools(*mpileup, "-R", str(bed), "-o", str(pileup), alignment)
    few = few_records(task, reference, genome.ploidy, bed, alignment)
    panel = parameters.get("contamination_sites")
    diploid = with_copies(unit, copies, DIPLOID)
    frequency = parameters.get("contamination_frequency", "")
    known: SiteCounter = PanelSites(panel, frequency, diploid) if panel else OwnVariants(Ownership(diploid))
    split_pileup(folder, own, filters, reference, genome, known, few)
    (folder / "sites.json").write_text(json.dumps(known.counts.to_json()))
    pileup.unlink()  # by far the largest file, before the others are written
    bcftools(*genotype, "-o", str(called), str(sites))
    bcftools(*normalise, "-o", str(normal), str(called))
    with normal.open() as lines, bgzf_writer(folder / "vcf.gz") as write:
        header, records = split_header(lines)
        (folder / "vcf.header").write_text(header)
        counts = write_own(records, own, filters, write)
    (folder / "counts.json").write_text(json.dumps(counts))


def few_records(task: dict[str, Any], reference: str, ploidy: CalledPloidy, bed: Path, alignment: str) -> list[str]:
    """Return mpileup's records of indels that fewer reads show than the sample's own calls ask for.

    Args:
        task: The task.
        reference: The FASTA file to call against.
        ploidy: The copies of the reference.
        bed: The unit, padded.
        alignment: The alignments.
    """
    parameters = task["parameters"]
    places = places_of_few(alignment, task["inputs"]["reference"], bed, parameters)
    if not places:
        return []
    targets, pileup = bed.with_name(FEW_BED), bed.with_name("few.vcf")
    targets.write_text(bed_text(places))
    command = unit_commands(of_few(task), reference, ploidy)[0]
    bcftools(*command, "-R", str(bed), "-T", str(targets), "-o", str(pileup), alignment)
    return few_lines(pileup, parameters["min_qual"])


def of_few(task: dict[str, Any]) -> dict[str, Any]:
    """Return the task with the least reads of an indel that is evidence in the cohort."""
    parameters = task["parameters"]
    return {**task, "parameters": {**parameters, "min_indel_reads": parameters["min_cohort_indel_reads"]}}


def plain_alignment(task: dict[str, Any], bed: Path, folder: Path) -> str:
    """Return alignments that can be read without the reference: those of a CRAM file in regions are written as BAM.

    Args:
        task: The task.
        bed: The regions.
        folder: A folder for the file.
    """
    path = str(task["inputs"]["alignment"])
    with pysam.AlignmentFile(path, check_sq=False) as alignment:
        if not alignment.is_cram:
            return path
    target = folder / "alignments.bam"
    options = ["--no-PG", "-T", task["inputs"]["reference"], "-M", "-L", str(bed), "-u"]
    samtools("view", *options, "--write-index", "-o", f"{target}##idx##{target}.csi", path)
    return str(target)


def unit_commands(task: dict[str, Any], reference: str, ploidy: CalledPloidy) -> list[list[str]]:
    """Return the commands of bcftools that call a unit, without their files: each reads the output of the one before.

    Args:
        task: The task.
        reference: The FASTA file to call against.
        ploidy: The copies of the reference.
    """
    parameters = task["parameters"]
    return [
        ["mpileup", "--no-version", "-f", reference, *pileup_options(parameters), "-Ov"],
        ["call", "--no-version", "-mv", "-a", "GQ", "-P", str(parameters["prior"]), *ploidy.options, "-Ou"],
        ["norm", "--no-version", "-f", reference, "-Ov"],
    ]


def pileup_options(parameters: dict[str, Any]) -> list[str]:
    """Return the options of mpileup that select reads and annotations.

    With the illumina profile, mpileup calls indels from consensus haplotypes: their F1 on the 1000 Genomes trio is 0.83
    instead of 0.74.
    """
    depth = str(parameters["max_depth"])
    options = ["-X", "illumina", "-q", str(parameters["min_mapq"]), "-Q", str(parameters["min_baseq"])]
    options += ["-m", str(parameters["min_indel_reads"])]
    options += ["-A"] if parameters["count_orphans"] else []
    return [*options, "-d", depth, "-L", depth, "-g", ",".join(map(str, DEPTH_BANDS)), "-a", "AD,DP,SP"]


def split_pileup(
    folder: Path,
    own: Ownership,
    filters: Filters,
    reference: str,
    genome: Genome,
    known: SiteCounter,
    few: Sequence[str],
) -> None:
    """Split the pileup into the unit's gVCF records and the sites to call, and count reads for contamination.

    Args:
        folder: The folder of the files.
        own: The unit.
        filters: The soft filters.
        reference: The FASTA file.
        genome: The sequences, and the copies of them.
        known: A counter of the reads at sites from which contamination is estimated.
        few: Records of indels of few reads.
    """
    ploidy = genome.ploidy
    with (
        (folder / "pileup.vcf").open() as lines,
        (folder / "sites.vcf").open("w") as sites,
        bgzf_writer(folder / "gvcf.gz") as write,
        pysam.FastaFile(reference) as fasta,
    ):
        header, records = split_header(lines)
        *meta, columns = header.splitlines(keepends=True)
        (folder / "gvcf.header").write_text("".join([*meta, GENOTYPE_HEADER, FEW_HEADER, ploidy.header, columns]))
        sites.write("".join([*meta, filters.header(), columns]))

        def base(contig: str, position: int) -> str:
            return str(fasta.fetch(contig, position, position + 1)).upper()

        gvcf = GvcfWriter(own, ploidy.copies, gvcf=write, sites=known.passing(sites.write), base=base)
        gvcf.write(with_few(known.counted(records), few, genome.contigs))


if __name__ == "__main__":
    sys.exit(run_program(call))
