"""The ends of items in child executions that failed: a batch fails as a whole, but some of its items may be done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.report.run_state import ItemFailure, Missing
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import StageGroup

INTERRUPTED = Failure(FailureClass.CANCELLED, "not finished: the run ended before it")


def unfinished_items(
    files: RunFiles, groups: Sequence[StageGroup], failures: Iterable[ItemFailure]
) -> Iterator[ItemFailure]:
    """Yield the items that are not done, in the order of `failures`, each with its own failure.

    Args:
        files: The files of the run.
        groups: The stages of the run.
        failures: The items with the failures of their children; they are read in bounded memory.
    """
    for one in in_parallel(lambda one: _own_failure(files, groups, one), failures):
        if one is not None:
            yield one


def _own_failure(files: RunFiles, groups: Sequence[StageGroup], one: ItemFailure) -> ItemFailure | None:
    """Return the failure of an item itself; None where the item is done although its batch failed."""
    stage = one.failure.stage
    if one.of_batch or (stage is None and not one.pending):
        undone = list(_undone_stages(files, _stages(groups, one), one.item))
        if not undone:
            return None
        if stage is not None and stage not in undone:
            message = f"did not go on: others of its batch failed in {stage}"
            return replace(one, pending=True, failure=Failure(FailureClass.CANCELLED, message, stage=undone[0]))
    return one if stage is None else replace(one, failure=files.with_worker_failure(stage, one.item, one.failure))


def _stages(groups: Sequence[StageGroup], one: ItemFailure) -> list[str]:
    """Return the stages of the Map Run that an item was in; all stages over its scope where the failure names none."""
    stage = one.failure.stage
    possible = [group for group in groups if stage in group.stages or (stage is None and group.scope == one.scope)]
    return [name for group in possible for name in group.stages]


def _undone_stages(files: RunFiles, stages: Iterable[str], item: str) -> Iterator[str]:
    return (stage for stage in stages if not files.are_done([stage], item))


def recorded_failure(files: RunFiles, stage: str, item: str) -> Failure | None:
    """Return the failure of the newest attempt of a stage over an item, of its record; None if there is none.

    Args:
        files: The files of the run.
        stage: The stage.
        item: The item.
    """
    record = read_failure(files.store, files.place, stage, item)
    if record is None:
        return None
    return Failure(record.failure_class, record.message, stage=stage, exit_code=record.exit_code)


def interrupted_items(
    files: RunFiles, groups: Sequence[StageGroup], ended: Mapping[str, str], known: Collection[str], manifest: str
) -> Iterator[ItemFailure]:
    """Yield the undone items of the Map Run, or the stage, that was running or next when a run ended without success.

    No result file names these items. Where a Map Run did all its items and did not succeed, such as one whose results
    could not be written, they are the items of what comes next.

    Args:
        files: The files of the run.
        groups: The stages of the run.
        ended: The status by Label of the Map Runs that ended and wrote their result files.
        known: The items of Map Runs and stages without result files whose end is known.
        manifest: The key of the manifest that the execution read.
    """
    for group in groups:
        status = ended.get(group.label) if group.label is not None else None
        if status == "SUCCEEDED":
            continue
        if status is not None:
            return
        undone = False
        for one in _items_without_end(files, group, known, manifest):
            undone = True
            yield one
        if undone or known:
            return


def _items_without_end(
    files: RunFiles, group: StageGroup, known: Collection[str], manifest: str
) -> Iterator[ItemFailure]:
    items = files.items_in(manifest) if group.scope == "sample" else files.items(group.scope)
    names = (name for name in items if name not in known)
    for name, is_undone in in_parallel(lambda name: (name, any(_undone_stages(files, group.stages, name))), names):
        if is_undone:
            yield ItemFailure(name, INTERRUPTED, group.scope, pending=True)


def count_missing(files: RunFiles, failures: Iterable[ItemFailure]) -> Missing | None:
    """Return the counts of the items that are not done; None where all are done."""
    missing = Missing(0)
    for one in failures:
        missing.add(one)
    if not missing.first:
        return None
    missing.samples = sum(1 for _ in files.items("sample"))
    return missing
