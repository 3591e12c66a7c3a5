"""The state of a run in a folder, from its record, its lock and its journals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from genomics_pipeline.engine.progress import ExecutionProgress, UnfinishedMapRun, read_progress
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, RunState
from genomics_pipeline.runs.item_ends import count_missing, interrupted_items, unfinished_items
from genomics_pipeline.runs.local.chain import local_chain, local_map_runs
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
        chain = local_chain(self._folder)
        if chain != self._chain:
            self._before = earlier_results(self._files, chain, partial(local_map_runs, self._folder))
            self._chain = chain
        return _state(self._folder, self._files, chain, self._before)


def _state(folder: RunFolder, files: RunFiles, chain: Sequence[RunExecution], before: EarlierResults) -> RunState:
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet: its inputs are not prepared")
    newest = chain[-1]
    progress = read_progress(folder.journal(newest.name))
    status = folder.status()
    groups = files.groups()
    failures = [*before.all_failures(), *_failures(files, groups, progress, status, newest.manifest)]
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
        cohort=[(stage, files.completion(stage, COHORT) is not None) for stage in cohort],
        failures=[one for one in unfinished if not one.pending],
        error=record.error,
        execution=newest.name,
        executions=len(chain),
        missing=None
        if status == "RUNNING"
        else count_missing(
            files, [*unfinished, *older_failures(files, chain, partial(local_map_runs, folder), pending_items)]
        ),
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
    newest = executions[-1]
    yield from older_failures(files, executions, partial(local_map_runs, folder), failed_and_pending_items)
    progress = read_progress(folder.journal(newest.name))
    yield from _failures(files, files.groups(), progress, status or folder.status(), newest.manifest)


def _failures(
    files: RunFiles, groups: Sequence[StageGroup], progress: ExecutionProgress, status: str, manifest: str
) -> Iterator[ItemFailure]:
    known = set()
    ended = [describe_map_run(one) for one in progress.ended]
    for run in ended:
        yield from failed_and_pending_items(files.store, run)
    for child in (child for one in progress.unfinished for child in one.failures):
        for failure in failed_items_of_child(*child):
            known.add(failure.item)
            yield failure
    if status in ("FAILED", "ABORTED"):
        yield from interrupted_items(files, groups, {run.label: run.status for run in ended}, known, manifest)
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
