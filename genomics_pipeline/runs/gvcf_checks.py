"""Checks of the gVCFs that a run is given, by their headers, before the first job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.web_uri import uri_beside
from genomics_pipeline.runs.given_files import READERS, RequiredFile
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

INDEXES = ("tbi", "csi")
FIXED_COLUMNS = 9  # before the samples
# By which `bcftools call` genotypes a cohort as it does one sample: the sums of qualities by allele, and what its
# model of strands and positions needs. Only `bcftools mpileup` writes them (its manual, "-g, --gvcf").
NEEDED = {"INFO/QS": "##INFO=<ID=QS,", "INFO/I16": "##INFO=<ID=I16,", "FORMAT/PL": "##FORMAT=<ID=PL,"}
GATK = "##ALT=<ID=NON_REF,"
_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=([^,>]+).*?(?:,length=(\d+))?[,>]")


def gvcf_files(samples: Iterable[Sample]) -> Iterator[RequiredFile]:
    """Yield the gVCFs of samples."""
    for sample in samples:
        if sample.gvcf is not None:
            yield RequiredFile(sample.gvcf, f"sample {sample.sample}", "a gVCF", sample.sample, sample.line, "gvcf")


def gvcf_problems(
    samples: Iterable[Sample], pipeline: Pipeline, sheet: str, store: Store, contigs: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield the problems of the gVCFs of samples.

    Args:
        samples: The samples.
        pipeline: The pipeline.
        sheet: The path or URI of the sheet, for messages; empty for none.
        store: The store of the files.
        contigs: The length of each contig of the reference, by name; without contigs, they are not compared.
    """
    files = list(gvcf_files(samples))
    if files and not pipeline.joins_gvcfs:
        message = f"the pipeline {pipeline.name} has no stage that gathers an output gvcf"
        advice = "genotype gVCFs with the pipeline joint, or beside reads with germline"
        yield Problem(f"{message}; {advice}", sheet or None, files[0].line, "gvcf")
        return

    def check(file: RequiredFile) -> Problem | None:
        message = _problem(file, store, contigs)
        return Problem(f"{file.user}: {file.uri}: {message}", sheet or None, file.line, "gvcf") if message else None

    if files:
        store.stat(files[0].uri)  # makes the client of S3, which threads must not make at the same time
    with ThreadPoolExecutor(READERS) as readers:
        yield from filter(None, readers.map(check, files))


def _problem(file: RequiredFile, store: Store, contigs: Mapping[str, int]) -> str | None:
    try:
        if store.stat(file.uri) is None:
            return "expected a gVCF, found no such file"
        if not any(store.stat(uri_beside(file.uri, f".{ending}")) for ending in INDEXES):
            return f"expected its index beside it (.{' or .'.join(INDEXES)}), found none; make it with `tabix -p vcf`"
        header = read_header(file.uri, store)
    except DataError as error:
        return error.problems[0].message.removeprefix(f"{file.uri}: ")
    except OSError as error:
        return f"expected a readable file: {error.strerror or error}"
    return _sample_problem(header, file.sample or "") or _kind_problem(header) or _contig_problem(header, contigs)


def read_header(uri: str, store: Store) -> list[str]:
    """Return the lines of a VCF's header.

    Raises:
        DataError: if the file is no VCF, cannot be read, or has a header beyond the budget.
    """
    lines: list[str] = []
    size = 0
    with store.open(uri) as raw, reported_damage():
        text = open_decompressed(raw)
        while line := text.readline(budgets.FASTQ_LINE.value + 1):
            size += len(line)
            if not line.startswith(b"#" if lines else b"##fileformat=VCF"):
                raise DataError("expected a gVCF, found a file of another kind")
            if size > budgets.FASTQ_HEAD.value:
                raise DataError(f"expected a header of at most {budgets.FASTQ_HEAD}, found a longer one")
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if line.startswith(b"#CHROM"):
                return lines
    raise DataError("expected a gVCF, found the end of the file within its header")


def _sample_problem(header: list[str], sample: str) -> str | None:
    names = header[-1].split("\t")[FIXED_COLUMNS:]
    if names == [sample]:
        return None
    advice = "give the sample that name in the sheet, or rename it with `bcftools reheader --samples`"
    return f"expected the sample {sample}, found {', '.join(names[:5]) or 'none'}; {advice}"


def _kind_problem(header: list[str]) -> str | None:
    """Return why the sites of a VCF cannot be genotyped together with others; None if they can."""
    lacking = [name for name, start in NEEDED.items() if not any(line.startswith(start) for line in header)]
    if not lacking:
        return None
    is_gatk = any(line.startswith(GATK) for line in header)
    found = "one of GATK" if is_gatk else f"one without {', '.join(lacking)}"
    expected = "expected a gVCF of the step variant_calling (bcftools mpileup)"
    return f"{expected}, found {found}; give the sample's reads"


def _contig_problem(header: list[str], contigs: Mapping[str, int]) -> str | None:
    for name, length in (match.groups() for line in header if (match := _CONTIG.match(line))):
        if contigs and (name not in contigs or (length and int(length) != contigs[name])):
            there = f"of {contigs[name]} bp" if name in contigs else "missing"
            found = f"found {name}{f' of {length} bp' if length else ''}, which is {there} there"
            return f"expected contigs of the reference, {found}"
    return None
