"""Checks of everything that the user gave for a run on this machine, before its first job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from genomics_pipeline.model.container_choice import ENGINE
from genomics_pipeline.model.errors import CollectedProblems, DataError, PipelineError, Problem, UsageError
from genomics_pipeline.model.faults import Faults
from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import is_accepted, tolerated_samples
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.items import read_samples
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.fasta_bases import fasta_bases
from genomics_pipeline.runs.accessions import known_runs
from genomics_pipeline.runs.alignment_checks import (
    alignment_files,
    header_problems,
    reference_digests,
    reference_problems,
)
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.given_files import (
    RequiredFile,
    file_misfit,
    missing_reads,
    parameter_files,
    parameter_problems,
)
from genomics_pipeline.runs.gvcf_checks import gvcf_problems
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.plan import RunInputs, plan
from genomics_pipeline.runs.ploidy_warnings import ploidy_warnings
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.truth import TruthSet, truth_content_problems, truth_file_problems
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.routed import RoutedStore

SHOWN = 20  # samples without files that are named before the first job


def check_request(
    request: LocalRunRequest, folder: RunFolder, store: RoutedStore, display: Display
) -> tuple[RunInputs, Faults | None]:
    """Check everything that the user gave, and return the plan of the run and the faults to inject.

    Args:
        request: The arguments of the run.
        folder: The folder of the run.
        store: The store of the files.
        display: Shows warnings.

    Raises:
        UsageError: if only the command line is wrong.
        DataError: with all problems.
    """
    collected = CollectedProblems()
    planned, faults = None, None
    with collected.check():
        planned = plan(request, known_runs(_items(folder, store)))
    with collected.check():
        folder.check()
    if request.slurm and request.containers == ENGINE:
        with collected.check():
            found = "--slurm: nodes of a cluster have no container engine for users"
            raise UsageError(f"{found}: give --containers apptainer, or none")
    if planned is not None:
        for warning in planned.warnings:
            display.note(f"warning: {warning}")
        with collected.check():
            faults = _faults(request, planned)
        with collected.check():
            refuse_other_run(folder, planned, request.samples, store)
        with collected.check():
            collected.add(check_files(planned, request, RunPlace(folder.name, BUCKET, ""), store, display))
    collected.refuse()
    assert planned is not None
    return planned, faults


def _faults(request: LocalRunRequest, planned: RunInputs) -> Faults | None:
    """Return the faults of `--inject`, after checks; None without that option."""
    if request.inject is None:
        return None
    if request.slurm:
        raise UsageError("--inject injects faults into processes of this machine: it cannot be used with --slurm")
    if request.containers:
        raise UsageError("--inject injects faults into processes of this machine: it cannot be used with --containers")
    from genomics_pipeline.runs.faults.injector import read_faults

    return read_faults(request.inject, planned)


def check_files(
    planned: RunInputs, request: LocalRunRequest, place: RunPlace, store: Store, display: Display
) -> Iterator[Problem]:
    """Yield the problems of the files of a run, before its reference is prepared.

    Samples whose reads cannot be read are shown, and fail by themselves, as long as the Map Run tolerates them.

    Args:
        planned: The plan of the run.
        request: The arguments of the run.
        place: The place of the run.
        store: The store of the files.
        display: Shows the samples that will fail.
    """
    sheet = without_secrets(request.manifest)
    yield from _read_problems(planned, sheet, place, store, display)
    yield from gvcf_problems(planned.samples, planned.pipeline, sheet, store, {})
    yield from parameter_problems(parameter_files(planned.pipeline, planned.overrides), store, {})
    if message := file_misfit(request.reference, store):
        yield Problem(f"--reference {message}")
    if request.truth is not None:
        yield from truth_file_problems(request.truth, [sample.sample for sample in planned.samples], store)


def _read_problems(
    planned: RunInputs, sheet: str, place: RunPlace, store: Store, display: Display
) -> Iterator[Problem]:
    from genomics_pipeline.runs.local.first_reads import unusable_reads  # many runs have no FASTQ files

    aligned = _with_reads(planned)
    missing = list(missing_reads(aligned, sheet, store))
    lacking = {name for name, _ in missing}
    there = [sample for sample in aligned if sample.sample not in lacking]
    missing += ((file.sample or "", problem) for file, problem in header_problems(alignment_files(there), sheet, store))
    missing += unusable_reads(planned, there, place, store)
    order = {sample.sample: number for number, sample in enumerate(aligned)}
    yield from _not_tolerated(planned, sorted(missing, key=lambda one: order[one[0]]), display)


def _with_reads(planned: RunInputs) -> list[Sample]:
    return [sample for sample in planned.samples if sample.gvcf is None]


def _not_tolerated(planned: RunInputs, missing: Sequence[tuple[str, Problem]], display: Display) -> Iterator[Problem]:
    """Yield the problems of reads, unless the Map Run tolerates that their samples fail: then show them.

    Args:
        planned: The plan of the run.
        missing: The samples whose reads cannot be used, with the problems.
        display: Shows the samples that will fail.
    """
    names = list(dict.fromkeys(name for name, _ in missing))
    if not names:
        return
    samples = len(_with_reads(planned))
    limit = tolerated_samples(planned.tolerated, samples)
    of_samples = f"{len(names):,} of {quantity(samples, 'sample', ',')}"
    if len(names) == samples or not is_accepted(planned.tolerated, len(names), samples):
        yield from (problem for _, problem in missing)
        if len(names) < samples:
            limit_words = f"more than the {limit:,} that are tolerated"
            yield Problem(f"{of_samples} cannot be read, {limit_words}; correct the sheet, or --tolerate {len(names)}")
        return
    for _, problem in missing[:SHOWN]:
        display.note(f"warning: {problem}")
    if len(missing) > SHOWN:
        display.note(f"warning: and {len(missing) - SHOWN:,} more files")
    display.note(f"warning: {of_samples} cannot be read and will fail; the others run")


def check_contents(
    files: Iterable[tuple[RequiredFile, ParameterSpec]],
    samples: Collection[str],
    truth: TruthSet | None,
    reference: Path,
    store: Store,
) -> None:
    """Check the content of files against the reference: those that parameters name, and the truth set.

    Args:
        files: The files of parameters.
        samples: The names of the samples of the cohort.
        truth: The truth set, if there is one.
        reference: The prepared FASTA file.
        store: The store of the files.

    Raises:
        DataError: with all problems.
    """
    collected = CollectedProblems()
    contigs = dict(read_contigs(reference))
    with collected.check():
        collected.add(parameter_problems(files, store, contigs, fasta_bases(reference), samples))
    with collected.check():
        collected.add(truth_content_problems(truth, store, contigs) if truth is not None else ())
    collected.refuse()


def check_given(planned: RunInputs, sheet: str, reference: Path, store: Store, display: Display) -> None:
    """Check the contigs of given gVCFs, of alignments and, with a warning, of sex chromosomes.

    Args:
        planned: The plan of the run.
        sheet: The path or URI of the sample sheet.
        reference: The prepared FASTA file.
        store: The store of the files.
        display: Shows warnings, and the samples that will fail.

    Raises:
        DataError: with all problems.
    """
    contigs, name = dict(read_contigs(reference)), without_secrets(sheet)
    problems = list(gvcf_problems(planned.samples, planned.pipeline, name, store, contigs))
    digests = reference_digests(str(reference), store)
    found = reference_problems(alignment_files(planned.samples), name, store, contigs, digests)
    problems += _not_tolerated(planned, [(file.sample or "", problem) for file, problem in found], display)
    if problems:
        raise DataError(problems)
    for warning in ploidy_warnings(planned.pipeline, planned.overrides, contigs):
        display.note(f"warning: {warning}")


def refuse_other_run(folder: RunFolder, planned: RunInputs, chosen: Sequence[str], store: RoutedStore) -> None:
    """Refuse a folder whose run this one would replace by another, or by one of fewer samples.

    Args:
        folder: The folder.
        planned: The plan of the run.
        chosen: The names of ``--sample``.
        store: The store of the files of the run.

    Raises:
        UsageError: for a run of another pipeline, of other samples only, or of more samples than were chosen.
    """
    try:
        record = folder.record()
    except UnreadableRecord:  # reported where it is needed
        return
    if record is None:
        return
    out = f"--out {folder.path}"
    if record.pipeline != planned.pipeline.name:
        found = f"expected a new folder or a run of the pipeline {planned.pipeline.name}"
        raise UsageError(f"{out}: {found}, found one of {record.pipeline}; choose another folder")
    before = _samples(folder, store)
    now = {sample.sample for sample in planned.samples}
    if before and not now.intersection(before):
        names = f"{', '.join(before[:SHOWN])}{' …' if len(before) > SHOWN else ''}"
        raise UsageError(
            f"{out}: expected a new folder or a run of these samples, found one of {names}; choose another"
        )
    left_out = [name for name in before if name not in now]
    if chosen and left_out:
        sizes = f"{quantity(len(before), 'sample', ',')}, whose joint files would be replaced by those of {len(now):,}"
        advice = "leave --sample out (finished steps are reused), or choose another folder; failed samples: "
        advice += "`genomics-pipeline rerun`; to make the cohort smaller, remove the others from the sheet"
        raise UsageError(f"--sample: {folder.path} has a run of {sizes}; {advice}")


def _samples(folder: RunFolder, store: RoutedStore) -> list[str]:
    """Return the names of the samples of the run in a folder; none where its manifest cannot be read."""
    try:
        return list(folder_files(folder, store).items("sample"))
    except (OSError, PipelineError):
        return []


def _items(folder: RunFolder, store: RoutedStore) -> Iterator[Mapping[str, Any]]:
    """Yield the items of the samples of the run in a folder; none where its manifest cannot be read."""
    with suppress(OSError, PipelineError):
        files = folder_files(folder, store)
        yield from read_samples(files.store, files.place)
