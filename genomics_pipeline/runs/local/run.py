"""A run on this machine: the samples of a manifest through a pipeline, into the folder of the run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.interval_limits import interval_limits
from genomics_pipeline.engine.events import Note
from genomics_pipeline.engine.tasks.job import RunAttempt
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.model.errors import CollectedProblems, PipelineError, UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.faults import Faults
from genomics_pipeline.model.manifest import manifest_lines
from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import tolerance_words
from genomics_pipeline.records.execution_input import input_text
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.local_run import LocalRunRecord, RunArguments
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.intervals import interval_lines
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.report.run_summary import CohortOutcome, RunSummary
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import absolute_name
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.checks import check_contents, check_files, refuse_other_run
from genomics_pipeline.runs.local.execution import REOPENED, LocalExecution, attempt_runner
from genomics_pipeline.runs.local.fit import concurrent_jobs, refuse_small_machine
from genomics_pipeline.runs.local.pipeline_info import write_pipeline_info
from genomics_pipeline.runs.local.resumable import find_obstacle
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, jobs_of_steps
from genomics_pipeline.runs.plan import RunPlan, RunRequest, plan
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.truth import TruthSet
from genomics_pipeline.stores.real_parents import follow_parents
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import Capacity

if TYPE_CHECKING:  # imported where faults are injected only, to keep the start of other runs short
    from genomics_pipeline.runs.faults.injector import Injector


@dataclass(frozen=True, slots=True)
class LocalRunRequest(RunRequest):
    """The arguments of a run on this machine, in addition to those of `RunRequest`.

    Attributes:
        out: The folder of the run.
        resume: Whether to resume an interrupted execution of the same run.
        truth: The truth set to score the joint VCF against; None for no scores.
        containers: Whether to run each task in a container of its step's image.
        inject: A file of faults to inject; None for no faults.
    """

    out: Path
    resume: bool = False
    truth: TruthSet | None = None
    containers: bool = False
    inject: Path | None = None


def run(request: LocalRunRequest, adapters: Adapters, display: Display) -> RunSummary:
    """Run a request to its end; completed steps whose inputs and parameters have not changed are reused.

    Args:
        request: The arguments of the run.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.

    Raises:
        UsageError: see `plan`.
        DataError: see `plan`; also for a reference or a file of faults that cannot be used.
        RunError: if another process is running in the folder.
    """
    started = time.monotonic()
    folder = RunFolder(request.out)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    checked, faults = _check(request, folder, store, display)
    folder.create()
    with folder.lock(display.note):
        reference = _prepare(checked, request.reference, store, adapters, display)
        check_contents(checked.pipeline, checked.overrides, request.truth, reference, store)
        before = _record_before(folder, display)
        _write_inputs(folder, checked, reference)
        run_attempt = attempt_runner(folder, checked.steps, request.containers, adapters, display)
        injector = _injector(faults, run_attempt, checked, folder, store, adapters.cache, display)
        jobs = _jobs(checked, run_attempt, injector, adapters.capacity())
        execution = _begin(folder, checked, jobs, request, before, store, display)
        result = execution.run(display, "the same command with --resume")
        summary = execution.summary(result)
        for _ in checked.pipeline.stages:  # the makers of a damaged output may find theirs damaged
            if not summary.reopened:
                break
            display.note(REOPENED)
            execution = execution.following(_jobs(checked, run_attempt, injector, adapters.capacity()))
            result = execution.run(display, "the same command with --resume")
            summary = execution.summary(result)
        injected = injector.counts() if injector else None
        if injected is not None:
            display.note("faults injected: " + ", ".join(f"{kind} {count}" for kind, count in injected.items()))
        summary = replace(summary, injected=injected, seconds=round(time.monotonic() - started, 3))
        try:
            write_pipeline_info(folder, checked.pipeline, checked.steps, checked.overrides)
        finally:
            execution.record(result.status, summary)  # whatever fails or is interrupted: the execution has ended
        if request.truth is not None:
            summary = replace(summary, cohort=_compare(summary.cohort, request.truth, reference, store))
            execution.record(result.status, summary)
        return summary


def _check(
    request: LocalRunRequest, folder: RunFolder, store: RoutedStore, display: Display
) -> tuple[RunPlan, Faults | None]:
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
        planned = plan(request)
    with collected.check():
        folder.check()
    if planned is not None:
        for warning in planned.warnings:
            display.note(f"warning: {warning}")
        with collected.check():
            faults = _faults(request, planned)
        with collected.check():
            refuse_other_run(folder, planned, request.samples, store)
        with collected.check():
            collected.add(check_files(planned, request.manifest, request.reference, request.truth, store, display))
    collected.refuse()
    assert planned is not None
    return planned, faults


def _prepare(checked: RunPlan, reference: str, store: RoutedStore, adapters: Adapters, display: Display) -> Path:
    """Return the path of the reference, decompressed and indexed.

    Args:
        checked: The plan of the run.
        reference: The path or URI of the FASTA file.
        store: The store that reads it.
        adapters: The cache, and the resources for jobs.
        display: Shows the progress.

    Raises:
        DataError: for a reference that cannot be used.
        RunError: for a machine that is too small; before an index is built, as far as its size can be known.
    """
    inputs = [spec for step in checked.steps.values() for spec in step.spec.inputs.values()]
    indexes = {index for spec in inputs if spec.type == "reference" for index in spec.indexes}
    display.note(f"reference: {reference}")
    capacity = adapters.capacity()
    refuse_small_machine(checked.steps, Path(reference), capacity)
    prepared = prepare(reference, sorted(indexes), store, adapters.cache, display.note)
    refuse_small_machine(checked.steps, prepared, capacity)
    _show_capacity(checked, prepared, capacity, display)
    return prepared


def _write_inputs(folder: RunFolder, checked: RunPlan, reference: Path) -> None:
    """Write the files that determine an execution; see `RunFolder.digest`.

    Args:
        folder: The folder of the run.
        checked: The plan of the run.
        reference: The path of the prepared FASTA file.
    """
    place = RunPlace(folder.name, BUCKET, "")
    execution_input = ExecutionInput(place, str(reference), checked.overrides, checked.tolerated)
    folder.write(folder.manifest, manifest_lines(checked.samples))
    folder.write(
        folder.intervals, interval_lines(read_contigs(reference), interval_limits(checked.pipeline.maps["interval"]))
    )
    folder.write(folder.definition, canonical_json(generate(checked.pipeline)))
    folder.write(folder.input, input_text(execution_input))


def _show_capacity(checked: RunPlan, reference: Path, capacity: Capacity, display: Display) -> None:
    """Show, as a detail, what jobs may use and how many fit."""
    fitting = ", ".join(
        f"{name} {concurrent_jobs(step.spec, reference, capacity)}" for name, step in checked.steps.items()
    )
    display.event(Note(f"machine: {capacity}; jobs that fit at once: {fitting}", is_detail=True))


def _begin(
    folder: RunFolder,
    checked: RunPlan,
    jobs: JobRunner,
    request: LocalRunRequest,
    before: LocalRunRecord | None,
    store: RoutedStore,
    display: Display,
) -> LocalExecution:
    """Return the next execution, or the interrupted one if the request resumes it.

    Args:
        folder: The folder of the run, with its files.
        checked: The plan of the run.
        jobs: The runner of its jobs.
        request: The arguments of the run.
        before: The record of the run before.
        store: The store of the files of the run.
        display: Shows whether an execution is resumed.
    """
    digest, number = folder.digest(), folder.next_execution()
    if request.resume and before is not None:
        name = f"{folder.name}-{before.execution}"
        if before.digest != digest or before.status not in ("RUNNING", "ABORTED"):
            reason: str | None = "the last execution ended or its inputs changed"
        else:
            reason = find_obstacle(folder, folder_files(folder, store), name)
        if reason is None:
            number = before.execution
            display.note(f"resuming execution {name}")
        else:
            display.note(f"nothing to resume: {reason}; completed steps are reused")
    return LocalExecution(
        folder=folder,
        pipeline=checked.pipeline,
        steps=checked.steps,
        parameters=checked.overrides,
        arguments=_arguments(request, checked),
        accepted=request.accepted,
        number=number,
        first=number,
        input=folder.input,
        digest=digest,
        jobs=jobs,
        store=store,
        before=before,
    )


def _record_before(folder: RunFolder, display: Display) -> LocalRunRecord | None:
    """Return the record of the run; None where there is none, or it cannot be read, which is no reason to stop."""
    try:
        return folder.record()
    except UnreadableRecord as error:
        display.note(f"{error.problems[0].message.partition('; ')[0]}; it is written anew, completed steps are reused")
        return None


def _arguments(request: LocalRunRequest, checked: RunPlan) -> RunArguments:
    """Return the arguments of a request that a rerun needs; files are absolute, so that it works from everywhere."""
    return RunArguments(
        manifest=without_secrets(follow_parents(absolute_uri(request.manifest, str(Path.cwd())))),
        reference=without_secrets(follow_parents(absolute_uri(request.reference, str(Path.cwd())))),
        pipeline=absolute_name(request.pipeline),
        parameters=tuple(_absolute(assignment, checked) for assignment in request.parameters),
        samples=tuple(request.samples),
        tolerate=None if request.accepted is None else tolerance_words(request.accepted),
        containers=request.containers,
    )


def _absolute(assignment: str, checked: RunPlan) -> str:
    """Return ``STAGE.NAME=VALUE`` with the value as it was parsed, if it is a text."""
    target, _, text = assignment.partition("=")
    stage, _, name = target.partition(".")
    value = checked.overrides[stage][name]
    return f"{target}={value if isinstance(value, str) else text}"


def _faults(request: LocalRunRequest, checked: RunPlan) -> Faults | None:
    """Return the faults of `--inject`, after checks; None without that option."""
    if request.inject is None:
        return None
    if request.containers:
        raise UsageError("--inject injects faults into processes of this machine: it cannot be used with --containers")
    from genomics_pipeline.runs.faults.injector import read_faults

    return read_faults(request.inject, checked)


def _injector(
    faults: Faults | None,
    run_attempt: RunAttempt,
    checked: RunPlan,
    folder: RunFolder,
    store: RoutedStore,
    cache: Path,
    display: Display,
) -> Injector | None:
    """Return the injector of faults; None without faults.

    Args:
        faults: The faults.
        run_attempt: Runs an attempt without a fault.
        checked: The plan of the run.
        folder: The folder of the run.
        store: The store of the files of the run.
        cache: The user's cache folder.
        display: Shows each injected fault.
    """
    if faults is None:
        return None
    from genomics_pipeline.runs.faults.full_disk import FullDisk
    from genomics_pipeline.runs.faults.injector import Injector

    for line in str(faults).splitlines():
        display.note(line)
    full = WorkerJobs(checked.steps, FullDisk.over(store), folder.scratch, cache)
    return Injector(faults, run_attempt, full.run_attempt, folder, store, display.note)


def _jobs(checked: RunPlan, run_attempt: RunAttempt, injector: Injector | None, capacity: Capacity) -> JobRunner:
    """Return the runner of the jobs of a run; the injector, if there is one, adds faults.

    Args:
        checked: The plan of the run.
        run_attempt: Runs an attempt without a fault.
        injector: The injector of faults.
        capacity: The resources for jobs.
    """
    if injector is None:
        return jobs_of_steps(checked.steps, run_attempt, capacity)
    from genomics_pipeline.runs.faults.throttled_jobs import ThrottledJobs

    return ThrottledJobs(jobs_of_steps(checked.steps, injector.run_attempt, capacity), injector.throttles)


def _compare(cohort: CohortOutcome, truth: TruthSet, reference: Path, store: RoutedStore) -> CohortOutcome:
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
    from genomics_pipeline.runs.truth import agreement

    try:
        return replace(cohort, truth=agreement(Path(calls), truth, reference, store))
    except PipelineError as error:
        return replace(cohort, truth_error=str(error))
