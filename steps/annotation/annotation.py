"""Annotation of a VCF: consequences for genes by bcftools csq, then columns of known variants by bcftools annotate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pysam

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from common.calling_reference import CallingReference
from common.consequence_tally import tally
from common.fai import needs_csi, read_contigs
from common.gene_file import write_genes
from common.program import BadInput, run_program
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, shown, write_versions
from common.variant_annotation import (
    NOTHING,
    SAME_BYTES,
    SOURCES,
    annotation_commands,
    described_header,
    run,
    run_passes,
)
from common.vcf_header import LOCAL


def main(task: dict[str, Any]) -> None:
    """Annotate the VCF with what the parameters name, and count its consequences.

    Raises:
        BadInput: for parameters without anything to annotate with, and files that cannot be used.
        ForkFailed: if bcftools failed.
    """
    output, scratch, parameters = task["outputs"]["vcf"], Path(task["scratch"]), task["parameters"]
    if all(parameters[name] is None for name in ("gff3", *SOURCES)):
        raise BadInput(NOTHING)
    reference, genes = task["inputs"]["reference"], ""
    contigs, fasta = read_contigs(reference), reference
    if parameters["gff3"] is not None:
        genes = str(write_genes(parameters["gff3"], contigs, scratch / "genes"))
        fasta = CallingReference(reference, [contigs], scratch).path(contigs)
    annotated = run_passes(list(annotation_commands(parameters, fasta, genes)), task["inputs"]["vcf"], scratch)
    header, compressed = scratch / "header.txt", f"{scratch}/annotated.vcf.gz"
    commands = list(annotation_commands(parameters, reference, genes))
    header.write_text(described_header(annotated, task, commands))
    run(["view", SAME_BYTES, "-Oz", "-o", compressed, annotated])
    run(["reheader", "-h", str(header), "-o", output, compressed])
    pysam.tabix_index(output, preset="vcf", force=True, csi=needs_csi(contigs.values()))
    counts = tally(output, with_consequences=parameters["gff3"] is not None)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(counts, indent=2) + "\n")
    log_commands([f"bcftools {shown(command, LOCAL)}" for command in commands])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


if __name__ == "__main__":
    sys.exit(run_program(main))
