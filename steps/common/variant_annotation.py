"""Annotation of a VCF by bcftools: consequences for genes by csq, then columns of known variants by annotate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools

from common.compound_references import corrected
from common.forks import ForkFailed, fork, wait_for
from common.provenance import log_messages
from common.vcf_header import provenance_lines

SOURCES = ("dbsnp", "clinvar", "gnomad")  # a later one replaces the columns of an earlier one
CSQ, GENES = "csq", "--gff-annot"
SAME_BYTES = "--no-version"  # the header would have the time, and paths of this machine
NOTHING = f"parameters: expected a file to annotate with, found none of gff3, {', '.join(SOURCES)}"
_MADE_BY_EARLIER = ("##source=", "##reference=")  # lines that the input has already

Command = Sequence[str]


def annotation_commands(parameters: Mapping[str, Any], fasta: str, genes: str) -> Iterator[Command]:
    """Yield the commands of bcftools, one for each pass over the variants, without their input and output.

    csq refuses variants whose REF is not the base of the reference, so that it reads the one that was called against.

    Args:
        parameters: The parameters of the step; a file is a path on this machine.
        fasta: The reference that variants were called against.
        genes: The file that `gene_file` wrote, if the parameters name genes.
    """
    if parameters["gff3"] is not None:
        yield [CSQ, "--fasta-ref", fasta, GENES, genes, "--phase", parameters["phase"]]
    for source in SOURCES:
        if parameters[source] is not None:
            yield ["annotate", "--annotations", parameters[source], "--columns", parameters[f"{source}_columns"]]


def run_passes(commands: Sequence[Command], vcf: str, scratch: Path) -> str:
    """Run the commands one after the other, and return the path of the last one's output, an indexed BCF file.

    Args:
        commands: The commands.
        vcf: The file that the first reads.
        scratch: A folder for temporary files.

    Raises:
        ForkFailed: if bcftools failed.
    """
    for number, command in enumerate(commands, 1):
        target = f"{scratch}/{number}.bcf"
        words = [*command, SAME_BYTES, "-Ob"]
        run([*words, "-W", "-o", target, vcf])
        vcf = target
        if command[0] == CSQ:
            vcf = corrected(target, partial(_run_on, words), command[command.index(GENES) + 1], scratch)
    return vcf


def _run_on(words: Command, source: str, target: str) -> None:
    run([*words, "-o", target, source])


def described_header(path: str, task: dict[str, Any], commands: Sequence[Command]) -> str:
    """Return the header of an annotated VCF with the commands of this step after those of earlier ones.

    Args:
        path: The VCF.
        task: The task, with the file that was annotated as its input ``vcf``.
        commands: The commands.
    """
    with pysam.VariantFile(path) as vcf:
        text = str(vcf.header)
    head, columns, names = text.rpartition("#CHROM")
    lines = provenance_lines(task, [task["inputs"]["vcf"]], commands)
    own = [line for line in lines if not line.startswith(_MADE_BY_EARLIER)]
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
