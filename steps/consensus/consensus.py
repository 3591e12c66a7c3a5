"""The consensus sequence of one sample: the reference with its variants, and N wherever the reads do not decide."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools
import pysam.samtools
from pysam.utils import SamtoolsError

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from called_variants import CalledVariant, read_variants, write_taken
from common.alignment_header import open_alignments, refuse_other_contigs
from common.bed import read_regions
from common.calling_reference import CallingReference
from common.fai import read_contigs
from common.program import StepError, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, SAMTOOLS_VERSION, log_commands, shown, write_versions
from known_bases import KnownBases, Rule, Span
from pileup import PILEUP_OPTIONS, columns_by_contig

LINE_BASES = 60


def main(task: dict[str, Any]) -> None:
    """Write the sequence, the regions that are N in it and why, and how much is known.

    Raises:
        BadInput: for alignments, variants or regions that cannot be used.
        StepError: if samtools or bcftools failed.
    """
    inputs, outputs, parameters = task["inputs"], task["outputs"], task["parameters"]
    contigs = read_contigs(inputs["reference"])
    with open_alignments(inputs["alignment"], inputs["reference"]) as alignment:
        refuse_other_contigs(inputs["alignment"], alignment.header.to_dict(), inputs["reference"], contigs)
    rule = Rule(parameters["min_depth"], parameters["min_allele_fraction"])
    variants = read_variants(inputs["vcf"], task["item"]["sample"], rule)
    spans = unknown_spans(task, contigs, variants, rule)
    mask = "".join(f"{contig}\t{one.start}\t{one.end}\t{one.reason}\n" for contig in contigs for one in spans[contig])
    Path(outputs["mask"]).write_text(mask)
    taken = str(Path(task["scratch"]) / "taken.vcf.gz")
    count = write_taken(inputs["vcf"], variants, taken)
    sequences = apply_variants(task, contigs, taken)
    known, bases = write_sequences(outputs["fasta"], task["item"]["sample"], sequences, contigs)
    metrics = {"bases": bases, "known_fraction": round(known / bases, 6), "variants": count}
    Path(outputs["metrics"]).write_text(json.dumps(metrics, indent=2) + "\n")
    write_versions(task, {"samtools": SAMTOOLS_VERSION, "bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def unknown_spans(
    task: dict[str, Any], contigs: Mapping[str, int], variants: Mapping[str, list[CalledVariant]], rule: Rule
) -> dict[str, list[Span]]:
    """Return the spans of each contig whose bases are unknown, from one pass over the reads.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name.
        variants: The variants of each contig.
        rule: The rule by which an allele is taken.

    Raises:
        BadInput: for regions that cannot be used.
        StepError: if samtools failed.
    """
    parameters, regions = task["parameters"], task["parameters"].get("regions")
    targets = read_regions(regions, contigs) if regions else None
    pileup = Path(task["scratch"]) / "pileup.tsv"
    limits = ["-q", str(parameters["min_mapq"]), "-Q", str(parameters["min_baseq"])]
    orphans = ["-A"] if parameters["count_orphans"] else []
    options = [*PILEUP_OPTIONS, *limits, *orphans, "-f", task["inputs"]["reference"]]
    run("mpileup", *options, "-o", str(pileup), task["inputs"]["alignment"])
    spans: dict[str, list[Span]] = {}
    with pileup.open("rb") as lines:
        for contig, columns in columns_by_contig(lines, contigs):
            known = KnownBases(contigs[contig])
            known.read_columns(columns, rule)
            if targets is not None:
                known.leave([one for one in targets if one.contig == contig])
            known.judge_variants(variants.get(contig, []))
            spans[contig] = list(known.unknown())
    pileup.unlink()
    return spans


def apply_variants(task: dict[str, Any], contigs: Mapping[str, int], vcf: str) -> str:
    """Write the reference with variants and N by bcftools, and return the path of the file.

    Where both alleles of a diploid sample are known and differ, a base is an IUPAC code.

    Args:
        task: The task, whose output `mask` has been written.
        contigs: The length of each contig in bp, by name.
        vcf: The variants.

    Raises:
        StepError: if bcftools failed.
    """
    inputs, outputs, scratch = task["inputs"], task["outputs"], Path(task["scratch"])
    reference = CallingReference(inputs["reference"], [set(contigs)], scratch).path(contigs)
    mask = ["-m", outputs["mask"]] if Path(outputs["mask"]).stat().st_size else []
    sequences = str(scratch / "sequences.fa")
    run("consensus", "-f", reference, "-s", task["item"]["sample"], "-H", "I", *mask, "-o", sequences, vcf)
    return sequences


def write_sequences(target: str, sample: str, source: str, contigs: Mapping[str, int]) -> tuple[int, int]:
    """Write sequences in upper case: of one contig under the sample's name, of several as SAMPLE.CONTIG.

    Args:
        target: The FASTA file to write.
        sample: The sample.
        source: The FASTA file with the sequences, named by contig.
        contigs: The contigs.

    Returns:
        The number of bases that are known, and of all.
    """
    known = total = 0
    with pysam.FastxFile(source) as sequences, Path(target).open("w") as out:
        for one in sequences:
            bases = str(one.sequence or "").upper()
            out.write(f">{sample} {one.name}\n" if len(contigs) == 1 else f">{sample}.{one.name}\n")
            out.writelines(f"{line}\n" for line in lines_of(bases))
            known, total = known + len(bases) - bases.count("N"), total + len(bases)
    return known, total


def lines_of(bases: str) -> Iterator[str]:
    """Yield the lines of a sequence in a FASTA file."""
    return (bases[start : start + LINE_BASES] for start in range(0, len(bases), LINE_BASES))


def run(command: str, *argv: str) -> None:
    """Run one command of samtools or bcftools, which must name its output file.

    Raises:
        StepError: with its message, if it failed.
    """
    program, name = (pysam.bcftools, "bcftools") if command == "consensus" else (pysam.samtools, "samtools")
    log_commands([f"{name} {shown([command, *argv])}"])
    try:
        getattr(program, command)(*argv, catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(f"{name} {command}: {error}") from None


if __name__ == "__main__":
    sys.exit(run_program(main))
