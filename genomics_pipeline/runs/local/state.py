"""The state of a run in a folder, from its record, its lock and its journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from genomics_pipeline.engine.progress import ExecutionProgress, UnfinishedMapRun, read_progress
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, RunState
from genomics_pipeline.runs.item_ends import interrupted, missing, not_done
from genomics_pipeline.runs.local.chain import local_chain, local_map_runs
from genomics_pipeline.runs.map_run_ends import (
    failures_of_child,
    failures_once,
    map_run_state,
    not_done_of,
    pending_of,
)
from genomics_pipeline.runs.reruns.chain import Earlier, RunExecution, earlier, older
from genomics_pipeline.runs.run_files import COHORT, RunFiles, StageGroup
from genomics_pipeline.runs.run_folder import RunFolder


class FolderWatcher:
    """The changing state of one run; what earlier executions left is read once.

    Args:
        folder: The folder of the run.
        files: Its files.
    """

    def __init__(self, folder: RunFolder, files: RunFiles) -> None:
        self._folder = folder
        self._files = files
        self._chain: list[RunExecution] = []
        self._before = Earlier()

    def now(self) -> RunState:
        """Return the run's state now.

        Raises:
            RunError: for files that are not a run's.
        """
        chain = local_chain(self._folder)
        if chain != self._chain:
            self._before = earlier(self._files, chain, partial(local_map_runs, self._folder))
            self._chain = chain
        return _state(self._folder, self._files, chain, self._before)


def _state(folder: RunFolder, files: RunFiles, chain: Sequence[RunExecution], before: Earlier) -> RunState:
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet: its inputs are prepared, or were")
    newest = chain[-1]
    progress = read_progress(folder.journal(newest.name))
    status = folder.status()
    groups = files.groups()
    failures = [*before.all_failures(), *_failures(files, groups, progress, status, newest.manifest)]
    found = list(not_done(files, groups, failures))
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
        failures=[one for one in found if not one.pending],
        error=record.error,
        execution=newest.name,
        executions=len(chain),
        missing=None
        if status == "RUNNING"
        else missing(files, [*found, *older(files, chain, partial(local_map_runs, folder), pending_of)]),
    )


def folder_failures(folder: RunFolder, files: RunFiles, status: str | None = None) -> Iterator[ItemFailure]:
    """Yield the items of all children that failed or were never started, as they are read.

    Args:
        folder: The folder of the run.
        files: Its files.
        status: The newest execution's; as the folder tells where it is None.
    """
    executions = local_chain(folder)
    if not executions:
        return
    newest = executions[-1]
    yield from older(files, executions, partial(local_map_runs, folder), not_done_of)
    progress = read_progress(folder.journal(newest.name))
    yield from _failures(files, files.groups(), progress, status or folder.status(), newest.manifest)


def _failures(
    files: RunFiles, groups: Sequence[StageGroup], progress: ExecutionProgress, status: str, manifest: str
) -> Iterator[ItemFailure]:
    known = set()
    ended = [describe_map_run(one) for one in progress.ended]
    for run in ended:
        yield from not_done_of(files.store, run)
    for child in (child for one in progress.unfinished for child in one.failures):
        for failure in failures_of_child(*child):
            known.add(failure.item)
            yield failure
    if status in ("FAILED", "ABORTED"):
        yield from interrupted(files, groups, {run.label: run.status for run in ended}, known, manifest)
    if status == "FAILED" and progress.result:
        of_all = classify(progress.result["error"] or "", progress.result["cause"] or "")
        yield from failures_once(of_all, [stage for group in groups if group.label is None for stage in group.stages])


def _map_runs(
    groups: list[StageGroup], progress: ExecutionProgress, files: RunFiles, status: str, manifest: str
) -> Iterator[MapRunState]:
    ended = {run.label: run for run in map(describe_map_run, progress.ended)}
    unfinished = iter(progress.unfinished)  # one after the other, in the definition's order
    for group in groups:
        if group.label is None:
            continue
        if group.label in ended:
            yield map_run_state(ended[group.label])
            continue
        items = files.items_in(manifest) if group.scope == "sample" else files.items(group.scope)
        total = sum(1 for _ in items)
        if one := next(unfinished, None):
            yield _unfinished(group.label, total, one, status)
        else:
            yield MapRunState(group.label, "PENDING", total)


def _unfinished(label: str, total: int, one: UnfinishedMapRun, status: str) -> MapRunState:
    succeeded = one.items["SUCCEEDED"]
    running = len(one.running_children) if status == "RUNNING" else 0
    return MapRunState(label, status, total, succeeded, one.items.total() - succeeded, running, one.started)
