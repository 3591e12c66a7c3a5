"""The state of a run in a folder, from its record, its lock and its journals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice

from genomics_pipeline.engine.progress import ExecutionProgress, UnfinishedMapRun, read_progress
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.cohort_checks import cohort_checks
from genomics_pipeline.runs.item_ends import count_missing, interrupted_items, unfinished_items
from genomics_pipeline.runs.local.chain import ended_map_runs, local_chain, local_map_runs
from genomics_pipeline.runs.lost_items import ended_groups, lost_items
from genomics_pipeline.runs.map_run_ends import (
    cohort_failures,
    failed_and_pending_items,
    failed_items_of_child,
    joined_state,
    joined_statuses,
    map_run_state,
    pending_items,
)
from genomics_pipeline.runs.reruns.chain import EarlierResults, RunExecution, earlier_results, older_failures
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup

NOTHING_YET = "expected an execution, found none yet: its inputs are not prepared"


@dataclass(frozen=True, slots=True)
class _Look:
    """The content of the files of a run at one moment.

    Attributes:
        folder: The folder of the run.
        files: The files of the run.
        groups: The stages of the run.
        newest: Its newest execution.
        progress: The progress of that.
        status: The status of that.
    """

    folder: RunFolder
    files: RunFiles
    groups: list[StageGroup]
    newest: RunExecution
    progress: ExecutionProgress
    status: str

    @property
    def cohort_stages(self) -> list[str]:
        """The stages that run once."""
        return [stage for group in self.groups if group.label is None for stage in group.stages]

    @property
    def done_groups(self) -> list[StageGroup]:
        """The groups that the execution has done; none while it is running."""
        if self.status == "RUNNING":
            return []
        labels = {describe_map_run(one).label for one in self.progress.ended}
        labels -= {one.label for one in self.progress.unfinished}
        return ended_groups(self.groups, labels, succeeded=self.status == "SUCCEEDED")


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

    def now(self, times: TimesByStage | None = None) -> RunState:
        """Return the present state of the run.

        Args:
            times: Gathers the times of the tasks whose records are read.

        Raises:
            RunError: if nothing was run in the folder yet, or its files are damaged.
        """
        executions, record = self._executions(), self._folder.record()
        if record is None:
            raise RunError(f"{self._folder.path}: {NOTHING_YET}")
        look = _look(self._folder, self._files, executions)
        times = TimesByStage() if times is None else times
        unfinished = self._unfinished(look, times)
        started = datetime.fromisoformat(record.started).timestamp()
        return RunState(
            run=self._folder.name,
            place=str(self._folder.path),
            pipeline=record.pipeline,
            status=look.status,
            started=started,
            stopped=None if record.seconds is None else started + record.seconds,
            map_runs=[self._before.with_newest(one) for one in _map_runs(look)],
            cohort=[(stage, self._files.are_done([stage], COHORT)) for stage in look.cohort_stages],
            checks=[] if look.status == "RUNNING" else list(cohort_checks(self._files, look.cohort_stages)),
            failures=[one for one in unfinished if not one.pending],
            error=record.error,
            accepted=record.accepted,
            execution=look.newest.name,
            executions=len(executions),
            missing=None if look.status == "RUNNING" else count_missing(self._files, unfinished),
            stages=times.of(stage for group in look.groups for stage in group.stages),
        )

    def failed_items(self) -> list[ItemFailure]:
        """Return the items that are known to have failed.

        Raises:
            RunError: if nothing was run in the folder yet, or its files are damaged.
        """
        executions = self._executions()
        if not executions:
            raise RunError(f"{self._folder.path}: {NOTHING_YET}")
        look = _look(self._folder, self._files, executions)
        failures = chain(self._before.all_failures(), _newest_failures(look))
        return [one for one in unfinished_items(self._files, look.groups, failures) if not one.pending]

    def _executions(self) -> list[RunExecution]:
        executions = local_chain(self._folder)
        if executions != self._chain:
            self._before = earlier_results(self._files, executions, partial(local_map_runs, self._folder))
            self._chain = executions
        return executions

    def _unfinished(self, look: _Look, times: TimesByStage) -> list[ItemFailure]:
        older: Iterable[ItemFailure] = self._before.all_failures()
        if look.status != "RUNNING":
            describe = partial(local_map_runs, self._folder)
            older = chain(older, older_failures(self._files, self._chain, describe, pending_items))
        return list(unfinished_items(self._files, look.groups, _failures(look, older, times)))


def _look(folder: RunFolder, files: RunFiles, executions: Sequence[RunExecution], status: str | None = None) -> _Look:
    newest = executions[-1]
    progress = read_progress(folder.journal(newest.name))
    return _Look(folder, files, files.groups(), newest, progress, status or folder.status())


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
    older = older_failures(files, executions, partial(local_map_runs, folder), failed_and_pending_items)
    yield from _failures(_look(folder, files, executions, status), older)


def _failures(look: _Look, older: Iterable[ItemFailure], times: TimesByStage | None = None) -> Iterator[ItemFailure]:
    """Yield the items of all children that failed or never started, and of those that are not done any more.

    Args:
        look: The files of the run.
        older: The items of earlier executions.
        times: Gathers the times of the tasks whose records are read.
    """
    known = set()
    for one in chain(older, _newest_failures(look)):
        known.add((one.scope, one.item))
        yield one
    yield from lost_items(look.files, look.done_groups, known, times)


def _newest_failures(look: _Look) -> Iterator[ItemFailure]:
    known = set()
    ended = ended_map_runs(look.folder, look.progress)
    for run in ended:
        yield from failed_and_pending_items(look.files.store, run)
    for child in (child for one in look.progress.unfinished for child in one.failures):
        for failure in failed_items_of_child(*child):
            known.add(failure.item)
            yield failure
    if look.status not in ("FAILED", "ABORTED"):
        return
    result = look.progress.result if look.status == "FAILED" else None
    run_failure = classify(result["error"] or "", result["cause"] or "") if result else None
    once = cohort_failures(run_failure, look.cohort_stages)
    known.update(one.item for one in once)
    statuses = joined_statuses(ended)
    for one in look.progress.unfinished:
        statuses.pop(one.label, None)
    yield from interrupted_items(look.files, look.groups, statuses, known, look.newest.manifest)
    yield from once


def _map_runs(look: _Look) -> Iterator[MapRunState]:
    ended = list(map(describe_map_run, look.progress.ended))
    unfinished = (one for one in look.progress.unfinished if not one.label)  # in the order of the definition
    for group in look.groups:
        if group.label is None:
            continue
        parts = [map_run_state(run) for run in ended if run.label == group.label]
        own = [one for one in look.progress.unfinished if one.label == group.label]
        if parts and not own:
            yield joined_state(group.label, parts if group.in_parts else parts[-1:])
            continue
        is_sample = group.scope == "sample"
        items = look.files.items_in(look.newest.manifest) if is_sample else look.files.items(group.scope)
        total = sum(1 for _ in items)
        own = own or list(islice(unfinished, 1))  # older journals have no labels
        if own:
            parts += [_unfinished_map_run(group.label, None, one, look.status) for one in own]
            yield replace(joined_state(group.label, parts), total=total)
        else:
            yield MapRunState(group.label, "PENDING", total)


def _unfinished_map_run(label: str, total: int | None, one: UnfinishedMapRun, status: str) -> MapRunState:
    succeeded = one.items["SUCCEEDED"]
    running = len(one.running_children) if status == "RUNNING" else 0
    return MapRunState(label, status, total, succeeded, one.items.total() - succeeded, running, one.started)
