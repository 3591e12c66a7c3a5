"""The end of each item whose child failed: a batch fails as a whole, its items do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.records.completion import is_done
from genomics_pipeline.report.run_state import ItemFailure, Missing
from genomics_pipeline.runs.run_files import RunFiles, StageGroup

INTERRUPTED = Failure(FailureClass.CANCELLED, "not finished: the run ended before it")


def not_done(files: RunFiles, groups: Sequence[StageGroup], failures: Iterable[ItemFailure]) -> Iterator[ItemFailure]:
    """Yield the items that are not done, in their order, each with its own reason.

    Args:
        files: The run's.
        groups: Its stages.
        failures: What their children ended with; few are held at a time.
    """
    for one in in_parallel(lambda one: _own_failure(files, groups, one), failures):
        if one is not None:
            yield one


def _own_failure(files: RunFiles, groups: Sequence[StageGroup], one: ItemFailure) -> ItemFailure | None:
    """Return why an item is not done; None where it is, although its batch failed."""
    stage = one.failure.stage
    if one.of_batch or (stage is None and not one.pending):
        left = list(_left(files, _stages(groups, one), one.item))
        if not left:
            return None
        if stage is not None and stage not in left:
            message = f"did not go on: others of its batch failed in {stage}"
            return replace(one, pending=True, failure=Failure(FailureClass.CANCELLED, message, stage=left[0]))
    return one if stage is None else replace(one, failure=files.with_worker_failure(stage, one.item, one.failure))


def _stages(groups: Sequence[StageGroup], one: ItemFailure) -> list[str]:
    """Return the stages of the map that an item was in; all stages over its scope where the cause names none."""
    stage = one.failure.stage
    held = [group for group in groups if stage in group.stages or (stage is None and group.scope == one.scope)]
    return [name for group in held for name in group.stages]


def _left(files: RunFiles, stages: Iterable[str], item: str) -> Iterator[str]:
    return (stage for stage in stages if not is_done(files.store, files.place, stage, item))


def interrupted(
    files: RunFiles, groups: Sequence[StageGroup], ended: Mapping[str, str], known: set[str], manifest: str
) -> Iterator[ItemFailure]:
    """Yield the items of the map in or before which an unsuccessful run ended: not done, and in no result file.

    Args:
        files: The run's.
        groups: Its stages.
        ended: Status by Label of the Map Runs that ended.
        known: Items of which is known how they ended.
        manifest: Key of the samples' file that its execution read.
    """
    for group in groups:
        status = ended.get(group.label) if group.label is not None else "SUCCEEDED"
        if status is None:
            yield from _unfinished(files, group, known, manifest)
        if status != "SUCCEEDED":
            return


def _unfinished(files: RunFiles, group: StageGroup, known: set[str], manifest: str) -> Iterator[ItemFailure]:
    items = files.items_in(manifest) if group.scope == "sample" else files.items(group.scope)
    names = (name for name in items if name not in known)
    for name, left in in_parallel(lambda name: (name, any(_left(files, group.stages, name))), names):
        if left:
            yield ItemFailure(name, INTERRUPTED, group.scope, pending=True)


def missing(files: RunFiles, failures: Iterable[ItemFailure]) -> Missing | None:
    """Count the items that are not done; None where all are."""
    counted = Missing(0)
    for one in failures:
        counted.add(one)
    if not counted.first:
        return None
    counted.samples = sum(1 for _ in files.items("sample"))
    return counted
