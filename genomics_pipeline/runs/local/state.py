"""The state of a run in a folder, from its record, its lock and its journals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain

from genomics_pipeline.engine.progress import ExecutionProgress, UnfinishedMapRun, read_progress
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, RunState
from genomics_pipeline.runs.item_ends import count_missing, interrupted_items, unfinished_items
from genomics_pipeline.runs.local.chain import ended_map_runs, local_chain, local_map_runs
from genomics_pipeline.runs.lost_items import ended_groups, lost_items
from genomics_pipeline.runs.map_run_ends import (
    cohort_failures,
    failed_and_pending_items,
    failed_items_of_child,
    map_run_state,
    pending_items,
)
from genomics_pipeline.runs.reruns.chain import EarlierResults, RunExecution, earlier_results, older_failures
from genomics_pipeline.runs.run_files import COHORT, RunFiles, StageGroup
from genomics_pipeline.runs.run_folder import RunFolder


class FolderWatcher:
    """A watcher of the state of one run; it reads the results of earlier executions once.

    Args:
        folder: The folder of the run.
        files: The files of the run.
    """

    def __init__(self, folder: RunFolder, files: RunFiles) -> None:
        self._folder = folder
        self._files = files
        self._chain: list[RunExecution] = []
        self._before = EarlierResults()

    def now(self) -> RunState:
        """Return the present state of the run.

        Raises:
            RunError: if nothing was run in the folder yet, or its files are damaged.
        """
        executions = local_chain(self._folder)
        if executions != self._chain:
            self._before = earlier_results(self._files, executions, partial(local_map_runs, self._folder))
            self._chain = executions
        return _state(self._folder, self._files, executions, self._before)


def _state(folder: RunFolder, files: RunFiles, executions: Sequence[RunExecution], before: EarlierResults) -> RunState:
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet: its inputs are not prepared")
    newest = executions[-1]
    progress = read_progress(folder.journal(newest.name))
    status = folder.status()
    groups = files.groups()
    older: Iterable[ItemFailure] = before.all_failures()
    if status != "RUNNING":
        older = chain(older, older_failures(files, executions, partial(local_map_runs, folder), pending_items))
    failures = _failures(folder, files, groups, progress, status, newest, older)
    unfinished = list(unfinished_items(files, groups, failures))
    cohort = [stage for group in groups if group.label is None for stage in group.stages]
    started = datetime.fromisoformat(record.started).timestamp()
    return RunState(
        run=folder.name,
        place=str(folder.path),
        pipeline=record.pipeline,
        status=status,
        started=started,
        stopped=None if record.seconds is None else started + record.seconds,
        map_runs=[before.with_newest(one) for one in _map_runs(groups, progress, files, status, newest.manifest)],
        cohort=[(stage, files.are_done([stage], COHORT)) for stage in cohort],
        failures=[one for one in unfinished if not one.pending],
        error=record.error,
        accepted=record.accepted,
        execution=newest.name,
        executions=len(executions),
        missing=None if status == "RUNNING" else count_missing(files, unfinished),
    )


def folder_failures(folder: RunFolder, files: RunFiles, status: str | None = None) -> Iterator[ItemFailure]:
    """Yield the items of all children that failed or never started, in bounded memory.

    Args:
        folder: The folder of the run.
        files: The files of the run.
        status: The status of the newest execution; None for that in the record of the run.
    """
    executions = local_chain(folder)
    if not executions:
        return
    newest, groups, status = executions[-1], files.groups(), status or folder.status()
    progress = read_progress(folder.journal(newest.name))
    older = older_failures(files, executions, partial(local_map_runs, folder), failed_and_pending_items)
    yield from _failures(folder, files, groups, progress, status, newest, older)


def _failures(
    folder: RunFolder,
    files: RunFiles,
    groups: Sequence[StageGroup],
    progress: ExecutionProgress,
    status: str,
    newest: RunExecution,
    older: Iterable[ItemFailure],
) -> Iterator[ItemFailure]:
    """Yield the items of all children that failed or never started, and of those that are not done any more.

    Args:
        folder: The folder of the run.
        files: The files of the run.
        groups: The stages of the run.
        progress: The progress of the newest execution.
        status: Its status.
        newest: That execution.
        older: The items of earlier executions.
    """
    known = set()
    for one in chain(older, _newest_failures(folder, files, groups, progress, status, newest.manifest)):
        known.add((one.scope, one.item))
        yield one
    yield from lost_items(files, _done_groups(groups, progress, status), known)


def _done_groups(groups: Sequence[StageGroup], progress: ExecutionProgress, status: str) -> list[StageGroup]:
    """Return the groups that an execution has done; none while it is running."""
    if status == "RUNNING":
        return []
    labels = {describe_map_run(one).label for one in progress.ended}
    return ended_groups(groups, labels, succeeded=status == "SUCCEEDED")


def _newest_failures(
    folder: RunFolder,
    files: RunFiles,
    groups: Sequence[StageGroup],
    progress: ExecutionProgress,
    status: str,
    manifest: str,
) -> Iterator[ItemFailure]:
    known = set()
    ended = ended_map_runs(folder, progress)
    for run in ended:
        yield from failed_and_pending_items(files.store, run)
    for child in (child for one in progress.unfinished for child in one.failures):
        for failure in failed_items_of_child(*child):
            known.add(failure.item)
            yield failure
    if status in ("FAILED", "ABORTED"):
        statuses = {run.label: run.status for run in ended if run.results is not None}
        yield from interrupted_items(files, groups, statuses, known, manifest)
    if status == "FAILED" and progress.result:
        run_failure = classify(progress.result["error"] or "", progress.result["cause"] or "")
        yield from cohort_failures(
            run_failure, [stage for group in groups if group.label is None for stage in group.stages]
        )


def _map_runs(
    groups: list[StageGroup], progress: ExecutionProgress, files: RunFiles, status: str, manifest: str
) -> Iterator[MapRunState]:
    ended = {run.label: run for run in map(describe_map_run, progress.ended)}
    unfinished = iter(progress.unfinished)  # in the order of the definition
    for group in groups:
        if group.label is None:
            continue
        if group.label in ended:
            yield map_run_state(ended[group.label])
            continue
        items = files.items_in(manifest) if group.scope == "sample" else files.items(group.scope)
        total = sum(1 for _ in items)
        if one := next(unfinished, None):
            yield _unfinished_map_run(group.label, total, one, status)
        else:
            yield MapRunState(group.label, "PENDING", total)


def _unfinished_map_run(label: str, total: int, one: UnfinishedMapRun, status: str) -> MapRunState:
    succeeded = one.items["SUCCEEDED"]
    running = len(one.running_children) if status == "RUNNING" else 0
    return MapRunState(label, status, total, succeeded, one.items.total() - succeeded, running, one.started)
