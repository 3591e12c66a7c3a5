"""The truth set of a run: its checks before the first job, and the agreement of the joint VCF with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from genomics_pipeline.model.errors import DataError, PipelineError, Problem, UsageError, did_you_mean
from genomics_pipeline.reference.bed import bed_problems, read_bed
from genomics_pipeline.report.concordance import Concordance, Regions, read_header, score
from genomics_pipeline.report.run_summary import CohortOutcome
from genomics_pipeline.runs.given_files import file_misfit
from genomics_pipeline.stores.protocol import Store

SHOWN = 5  # names in a message


@dataclass(frozen=True, slots=True)
class TruthSet:
    """A truth set that the user gave.

    Attributes:
        vcf: The VCF file of true genotypes.
        samples: The name in that file of each sample of the run that has another one there.
        regions: A BED file of the regions in which the truth is known; None for everywhere.
    """

    vcf: Path
    samples: Mapping[str, str] = field(default_factory=dict)
    regions: Path | None = None


def parse_truth(vcf: Path | None, names: Sequence[str], regions: Path | None) -> TruthSet | None:
    """Return the truth set that the options of a command describe; None without one.

    Args:
        vcf: ``--truth``.
        names: ``--truth-sample``, each ``A=B``.
        regions: ``--truth-regions``.

    Raises:
        UsageError: for names that are not ``A=B``, and options that need ``--truth``.
    """
    problems = [
        Problem(f"--truth-sample {name}: expected A=B, the sample A of the run and its name B in the truth VCF")
        for name in names
        if not all(name.partition("="))
    ]
    if vcf is None and (names or regions):
        option = "--truth-sample" if names else "--truth-regions"
        problems.append(Problem(f"{option}: expected --truth with it"))
    if problems:
        raise UsageError(problems)
    if vcf is None:
        return None
    return TruthSet(vcf, {own: other for own, _, other in (name.partition("=") for name in names)}, regions)


def truth_file_problems(truth: TruthSet, samples: Sequence[str], store: Store) -> Iterator[Problem]:
    """Yield the problems of a truth set by itself and against the samples of the run.

    Args:
        truth: The truth set.
        samples: The names of the samples of the run.
        store: The store of its files.
    """
    for option, path in (("--truth", truth.vcf), ("--truth-regions", truth.regions)):
        if path is not None and (message := file_misfit(str(path), store)):
            yield Problem(f"{option} {message}")
    for own in truth.samples:
        if own not in samples:
            yield Problem(f"--truth-sample {own}={truth.samples[own]}: no such sample; {did_you_mean(own, samples)}")
    if file_misfit(str(truth.vcf), store) is None:
        try:
            header = read_header(truth.vcf)
        except DataError as error:
            yield from (Problem(f"--truth {one.message}", one.file) for one in error.problems)
        else:
            yield from _name_problems(truth, samples, header.samples)


def _name_problems(truth: TruthSet, samples: Sequence[str], there: Sequence[str]) -> Iterator[Problem]:
    for own, other in truth.samples.items():
        if other not in there:
            hint = did_you_mean(other, there) if len(there) <= SHOWN * 6 else f"it has {len(there):,} samples"
            yield Problem(f"--truth-sample {own}={other}: no such sample in {truth.vcf}; {hint}")
    if not any(truth.samples.get(name, name) in there for name in samples):
        found = ", ".join(there[:SHOWN]) + (" …" if len(there) > SHOWN else "") or "none"
        example = f"--truth-sample {samples[0]}={there[0]}" if there and samples else "--truth-sample A=B"
        message = f"--truth: expected samples of the run ({', '.join(samples[:SHOWN])}), found {found}"
        yield Problem(f"{message}; name them: {example}", str(truth.vcf))


def truth_content_problems(truth: TruthSet, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the contradictions of a truth set to the reference: contigs of its header, and its regions.

    Args:
        truth: The truth set, whose files can be read.
        store: The store of its files.
        contigs: The length of each contig of the reference, by name.
    """
    declared = read_header(truth.vcf).contigs
    known = [name for name in declared if name in contigs]
    if declared and not known:
        names = f"{', '.join(list(contigs)[:SHOWN])}), found {', '.join(list(declared)[:SHOWN])}"
        yield Problem(f"--truth: expected contigs of the reference ({names}", str(truth.vcf))
    for name in known:
        if declared[name] not in (None, contigs[name]):
            message = f"expected contig {name} of {contigs[name]} bp as in the reference, found {declared[name]} bp"
            yield Problem(f"--truth: {message}", str(truth.vcf))
    if truth.regions is not None:
        for problem in bed_problems(str(truth.regions), store, contigs):
            yield Problem(f"--truth-regions: {problem.message}", problem.file, problem.line)


def agreement(calls: Path, truth: TruthSet, reference: Path, store: Store) -> Concordance:
    """Return the agreement of a joint VCF with a truth set.

    Args:
        calls: The joint VCF.
        truth: The truth set.
        reference: The FASTA file of the reference.
        store: The store of the truth set's files.

    Raises:
        DataError: if they cannot be compared.
    """
    regions = None if truth.regions is None else Regions(read_bed(str(truth.regions), store))
    return score(calls, truth.vcf, reference, truth.samples, regions)


def with_agreement(cohort: CohortOutcome, truth: TruthSet, reference: Path, store: Store) -> CohortOutcome:
    """Return the outcome of the cohort with its agreement with a truth set, or with the reason why there is none.

    Args:
        cohort: The outcome of the cohort, with the joint VCF.
        truth: The truth set.
        reference: The path of the prepared FASTA file.
        store: The store of the truth set's files.
    """
    calls = next((path for name, path in cohort.files.items() if name.endswith(".vcf")), None)
    if calls is None:
        return cohort
    try:
        return replace(cohort, truth=agreement(Path(calls), truth, reference, store))
    except PipelineError as error:
        return replace(cohort, truth_error=str(error))
