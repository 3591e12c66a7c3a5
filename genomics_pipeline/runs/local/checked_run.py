"""The execution of a run on this machine, once its arguments and files were checked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from genomics_pipeline.model.faults import Faults
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.run_summary import RunSummary
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.given_files import parameter_files
from genomics_pipeline.runs.item_ends import unfinished_items
from genomics_pipeline.runs.local.checks import check_contents, check_given
from genomics_pipeline.runs.local.execution import REOPENED, LocalExecution
from genomics_pipeline.runs.local.kept_tasks import keep_tasks
from genomics_pipeline.runs.local.pipeline_info import write_pipeline_info
from genomics_pipeline.runs.local.preparation import prepare_reference, write_inputs
from genomics_pipeline.runs.local.report import write_run_report
from genomics_pipeline.runs.local.request import LocalRunRequest, run_arguments
from genomics_pipeline.runs.local.resumable import can_resume
from genomics_pipeline.runs.local.run_jobs import RunJobs, run_jobs
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.reference_indexes import choose_indexes, local_obstacle, stage_steps
from genomics_pipeline.runs.run_files import RunFiles, folder_files
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.truth import with_agreement
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.interpreters import Interpreters

RESUME = "the same command with --resume"


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A request whose arguments and files were checked.

    Attributes:
        request: The arguments of the run.
        folder: The folder of the run.
        store: The store of its files.
        planned: The plan of the run.
        faults: The faults to inject; None for no faults.
        interpreters: Running interpreters for the steps' programs; None if they run in containers.
        started: When the run began, in seconds of the monotonic clock.
    """

    request: LocalRunRequest
    folder: RunFolder
    store: RoutedStore
    planned: RunInputs
    faults: Faults | None
    interpreters: Interpreters | None
    started: float


def execute_run(run: CheckedRun, adapters: Adapters, display: Display) -> RunSummary:
    """Execute a run to its end; completed steps whose inputs and parameters have not changed are reused.

    Args:
        run: The run.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.

    Raises:
        DataError: for a reference that cannot be used, and files that do not fit to it.
        RunError: if another process is running in the folder.
    """
    request, folder, store, planned = run.request, run.folder, run.store, run.planned
    folder.create()
    with folder.lock(display.note):
        obstacle = local_obstacle(request.reference, store, adapters, adapters.capacity(), display.note)
        planned = choose_indexes(planned, obstacle, display.note)
        steps = stage_steps(planned.stages_that_run, planned.steps, planned.overrides)
        reference = prepare_reference(request.reference, steps, store, adapters, display)
        given, names = parameter_files(planned.pipeline, planned.overrides), [one.sample for one in planned.samples]
        check_contents(given, names, request.truth, reference, store)
        check_given(planned, request.manifest, reference, store, display)
        if request.slurm is not None:
            from genomics_pipeline.runs.slurm.checked_nodes import check_nodes

            check_nodes(folder, request.slurm, reference, planned.samples, adapters, display.note)
        before = _record_before(folder, display)
        write_inputs(folder, planned, reference, store)
        jobs = run_jobs(folder, planned.steps, request, adapters, display, run.faults, run.interpreters)
        execution = _begin(request, planned, folder, store, before, jobs, adapters, display)
        execution, summary = _execute(execution, jobs, display)
        summary = replace(summary, injected=jobs.injected(display), seconds=round(time.monotonic() - run.started, 3))
        try:
            files = folder_files(folder, store)
            killed = _killed(folder, files, summary) if request.containers else ()
            write_pipeline_info(folder, files, planned.pipeline, planned.overrides, planned.bounds, summary, killed)
        finally:
            execution.record(summary.status, summary)  # whatever fails or is interrupted: the execution has ended
        if request.truth is not None:
            summary = replace(summary, cohort=with_agreement(summary.cohort, request.truth, reference, store))
            execution.record(summary.status, summary)
        write_run_report(folder, planned.pipeline, adapters.store)
        if adapters.keeps_tasks and request.slurm is None and run.faults is None:
            keep_tasks(folder_files(folder, store), planned, execution.jobs.report().ran, reference, adapters.cache)
        return summary


def _record_before(folder: RunFolder, display: Display) -> LocalRunRecord | None:
    """Return the record of the run; None where there is none, or it cannot be read, which is no reason to stop."""
    try:
        return folder.record()
    except UnreadableRecord as error:
        display.note(f"{error.problems[0].message.partition('; ')[0]}; it is written anew, completed steps are reused")
        return None


def _begin(
    request: LocalRunRequest,
    planned: RunInputs,
    folder: RunFolder,
    store: RoutedStore,
    before: LocalRunRecord | None,
    jobs: RunJobs,
    adapters: Adapters,
    display: Display,
) -> LocalExecution:
    """Return the next execution, or the interrupted one if the request resumes it.

    Args:
        request: The arguments of the run.
        planned: The plan of the run.
        folder: The folder of the run, with its files.
        store: The store of the files of the run.
        before: The record of the run before.
        jobs: The jobs of the run.
        adapters: The environment of a cluster's commands.
        display: Shows whether an execution is resumed.
    """
    digest, number = folder.digest(), folder.next_execution()
    if request.resume and before and can_resume(folder, folder_files(folder, store), before, digest, display.note):
        number = before.execution
    if before and (number != before.execution or before.arguments.slurm != request.slurm):
        _cancel_left(folder, before, adapters, display)
    return LocalExecution(
        folder=folder,
        pipeline=planned.pipeline,
        steps=planned.steps,
        parameters=planned.overrides,
        arguments=run_arguments(request, planned),
        accepted=request.accepted,
        number=number,
        first=number,
        input=folder.input,
        digest=digest,
        jobs=jobs.runner(),
        store=store,
        before=before,
    )


def _cancel_left(folder: RunFolder, before: LocalRunRecord, adapters: Adapters, display: Display) -> None:
    """Cancel the jobs on a cluster that a killed run left, and that the next execution would run beside its own."""
    if before.arguments.slurm is not None and before.status in ("RUNNING", "ABORTED"):
        from genomics_pipeline.runs.slurm.cancelled_jobs import cancel_jobs

        cancel_jobs(folder.path, adapters.environment, display.note)


def _execute(execution: LocalExecution, jobs: RunJobs, display: Display) -> tuple[LocalExecution, RunSummary]:
    """Run an execution, and further ones while outputs are found lost or damaged; return the last, and its summary.

    Args:
        execution: The execution.
        jobs: The jobs of the run.
        display: Shows the progress.
    """
    summary = execution.summary(execution.run(display, RESUME))
    for _ in execution.pipeline.stages:  # the makers of a damaged output may find theirs damaged
        if not summary.reopened:
            break
        display.note(REOPENED)
        execution = execution.following(jobs.runner())
        summary = execution.summary(execution.run(display, RESUME))
    return execution, summary


def _killed(folder: RunFolder, files: RunFiles, summary: RunSummary) -> Iterator[ItemFailure]:
    """Return the failures of an execution, of which those of containers that were killed are in no record."""
    from genomics_pipeline.runs.local.state import folder_failures

    return unfinished_items(files, files.groups(), folder_failures(folder, files, summary.status))
