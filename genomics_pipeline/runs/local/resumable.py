"""Obstacles to resuming an interrupted execution in a folder: what its journal relies on must still be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genomics_pipeline.engine.progress import ExecutionProgress, read_progress, succeeded_inputs
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.runs.local.chain import ended_map_runs, local_chain, local_map_runs
from genomics_pipeline.runs.lost_items import LOST, ended_groups, lost_items
from genomics_pipeline.runs.map_run_ends import failed_and_pending_items
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.stage_groups import StageGroup


def can_resume(
    folder: RunFolder, files: RunFiles, before: LocalRunRecord, digest: str, note: Callable[[str], None]
) -> bool:
    """Return whether the newest execution of a run can be resumed, after showing that, or why not.

    Args:
        folder: The folder of the run.
        files: The files of the run.
        before: The record of that execution.
        digest: The sha256 of everything that determines an execution now.
        note: Shows a line.
    """
    name = f"{folder.name}-{before.execution}"
    if before.digest != digest or before.status not in ("RUNNING", "ABORTED"):
        obstacle: str | None = "the last execution ended or its inputs changed"
    else:
        obstacle = find_obstacle(folder, files, name)
    note(f"nothing to resume: {obstacle}; completed steps are reused" if obstacle else f"resuming execution {name}")
    return obstacle is None


def find_obstacle(folder: RunFolder, files: RunFiles, execution: str) -> str | None:
    """Return why an execution cannot be resumed; None if it can.

    Children that ended are not run again by their own execution, so that another one has to look at their outputs.

    Args:
        folder: The folder of the run.
        files: The files of the run.
        execution: The name of the execution.
    """
    try:
        progress = read_progress(folder.journal(execution))
        if progress.result is not None:
            return "it has ended"
        return _find_damage(folder, files, progress, execution)
    except PipelineError as error:
        return str(error)


def _find_damage(folder: RunFolder, files: RunFiles, progress: ExecutionProgress, execution: str) -> str | None:
    ended = ended_map_runs(folder, progress)
    if any(run.results is None for run in ended):
        return "its result files are missing or damaged"
    groups = files.groups()
    failed = {(one.scope, one.item) for run in ended for one in failed_and_pending_items(files.store, run)}
    labels = {run.label for run in ended} - {run.label for run in progress.unfinished}
    lost = (one.item for one in lost_items(files, ended_groups(groups, labels, succeeded=False), failed))
    unfinished = [group for group in groups if group.label is not None and group.label not in labels][:1]
    for name in (*lost, *_lost_children(folder, files, progress, execution, unfinished)):
        return f"{name}: {LOST.message}"
    return None


def _lost_children(
    folder: RunFolder, files: RunFiles, progress: ExecutionProgress, execution: str, groups: list[StageGroup]
) -> Iterator[str]:
    """Yield the items of children that succeeded in the Map Run that has not ended, and are not done any more."""
    for run in progress.unfinished:
        for text in succeeded_inputs(folder.journal(execution), run.uuid):
            for name in map(item_id, items_of(text)):
                if not all(files.are_done(group.stages, name) for group in groups):
                    yield name


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The execution of a run that has to be finished before a rerun.

    Attributes:
        reason: Why it has to be.
        is_rerun: Whether it is a rerun that can be resumed; otherwise the run itself is run again, or resumed.
    """

    reason: str
    is_rerun: bool


def find_unfinished(folder: RunFolder, files: RunFiles, record: LocalRunRecord) -> Unfinished | None:
    """Return the execution that has to be finished before a rerun; None if a rerun can begin.

    Args:
        folder: The folder of the run, in which no other process runs.
        files: The files of the run.
        record: The record of the run.
    """
    executions = local_chain(folder)
    name = executions[-1].name
    if record.status in ("RUNNING", "ABORTED"):
        is_rerun = record.input == run_layout.rerun_file(record.execution - 1, run_layout.INPUT)
        obstacle = find_obstacle(folder, files, name) if is_rerun else None
        if obstacle is not None:
            return Unfinished(f"the rerun {name} was interrupted, and cannot be resumed: {obstacle}", is_rerun=False)
        return Unfinished(f"{'the rerun' if is_rerun else 'execution'} {name} was interrupted", is_rerun)
    for execution in executions:
        try:
            map_runs = local_map_runs(folder, execution)
        except PipelineError as error:
            return Unfinished(str(error), is_rerun=False)
        if not map_runs or any(run.results is None for run in map_runs):
            return Unfinished(f"execution {execution.name}: its result files are missing or damaged", is_rerun=False)
    return None
