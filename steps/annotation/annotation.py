"""Annotation of a VCF: consequences for genes by bcftools csq, then columns of known variants by bcftools annotate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from common.calling_reference import CallingReference
from common.fai import needs_csi, read_contigs
from common.forks import ForkFailed, fork, wait_for
from common.program import BadInput, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, log_messages, shown, write_versions
from common.vcf_header import LOCAL, provenance_lines
from consequence_tally import tally
from gene_file import write_genes

SOURCES = ("dbsnp", "clinvar", "gnomad")  # a later one replaces the columns of an earlier one
SAME_BYTES = "--no-version"  # the header would have the time, and paths of this machine
MADE_BY_EARLIER = ("##source=", "##reference=")  # lines that the input has already

Command = Sequence[str]


def main(task: dict[str, Any]) -> None:
    """Annotate the VCF with what the parameters name, and count its consequences.

    Raises:
        BadInput: for parameters without anything to annotate with, and files that cannot be used.
        ForkFailed: if bcftools failed.
    """
    output, scratch = task["outputs"]["vcf"], Path(task["scratch"])
    commands = list(annotation_commands(task, scratch))
    if not commands:
        raise BadInput(f"parameters: expected a file to annotate with, found none of gff3, {', '.join(SOURCES)}")
    current = task["inputs"]["vcf"]
    for number, command in enumerate(commands, 1):
        is_last = number == len(commands)
        target = f"{scratch}/{number}.vcf.gz" if is_last else f"{scratch}/{number}.bcf"
        run([*command, SAME_BYTES, *(["-Oz"] if is_last else ["-Ob", "-W"]), "-o", target, current])
        current = target
    header = scratch / "header.txt"
    header.write_text(described_header(current, task, commands))
    run(["reheader", "-h", str(header), "-o", output, current])
    csi = needs_csi(read_contigs(task["inputs"]["reference"]).values())
    pysam.tabix_index(output, preset="vcf", force=True, csi=csi)
    counts = tally(output, with_consequences=task["parameters"]["gff3"] is not None)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(counts, indent=2) + "\n")
    log_commands([f"bcftools {shown(command, LOCAL)}" for command in commands])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def annotation_commands(task: dict[str, Any], scratch: Path) -> Iterator[Command]:
    """Yield the commands of bcftools, one for each pass over the variants, without their input and output.

    csq refuses variants whose REF is not the base of the reference, so that it reads the one that was called against.

    Args:
        task: The task.
        scratch: A folder for temporary files.
    """
    parameters, reference = task["parameters"], task["inputs"]["reference"]
    if parameters["gff3"] is not None:
        contigs = read_contigs(reference)
        genes = write_genes(parameters["gff3"], contigs, scratch / "genes")
        fasta = CallingReference(reference, [contigs], scratch).path(contigs)
        yield ["csq", "--fasta-ref", fasta, "--gff-annot", str(genes), "--phase", parameters["phase"]]
    for source in SOURCES:
        if parameters[source] is not None:
            yield ["annotate", "--annotations", parameters[source], "--columns", parameters[f"{source}_columns"]]


def described_header(path: str, task: dict[str, Any], commands: Sequence[Command]) -> str:
    """Return the header of a VCF with the commands of this step after those of earlier ones."""
    with pysam.VariantFile(path) as vcf:
        text = str(vcf.header)
    head, columns, names = text.rpartition("#CHROM")
    lines = provenance_lines(task, [task["inputs"]["vcf"]], commands)
    own = [line for line in lines if not line.startswith(MADE_BY_EARLIER)]
    return "".join([head, *own, columns, names])


def run(command: Command) -> None:
    """Run a command of bcftools in a process of its own.

    Raises:
        ForkFailed: if it failed.
    """
    name = f"bcftools {command[0]}"

    def work() -> None:
        run_command = getattr(pysam.bcftools, command[0])
        run_command(*command[1:], catch_stdout=False)
        log_messages(name, run_command.get_messages())

    if code := wait_for(fork(work, name)):
        raise ForkFailed(f"{name} of {command[-1]}", code)


if __name__ == "__main__":
    sys.exit(run_program(main))
