"""Items that are not done any more although an execution did them: a record or an output was lost or damaged since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup
from genomics_pipeline.stores.protocol import ObjectReader

LOST = Failure(FailureClass.CANCELLED, "not done any more: its completion record or an output is missing or damaged")


def lost_items(
    files: RunFiles,
    groups: Iterable[StageGroup],
    known: Container[tuple[str, str]],
    times: TimesByStage | None = None,
) -> Iterator[ItemFailure]:
    """Yield the items of groups that are not done, in bounded memory.

    Args:
        files: The files of the run.
        groups: The groups whose Map Run, or state, has ended.
        known: Scope and name of the items that are known to have failed, or to be pending.
        times: Gathers the times of the tasks whose records are read.
    """
    store = files.many_looks()
    for group in groups:
        for name, done in done_stages(files, group, partial(_is_unknown, known, group.scope), store):
            if times is not None:
                times.add(done.values())
            if len(done) < len(group.stages):
                yield ItemFailure(name, LOST, group.scope, pending=True)


def _is_unknown(known: Container[tuple[str, str]], scope: str, name: str) -> bool:
    return (scope, name) not in known


def undone_items(
    files: RunFiles, group: StageGroup, is_asked: Callable[[str], bool], store: ObjectReader
) -> Iterator[str]:
    """Yield the names of the items of a group that are not done.

    Args:
        files: The files of the run.
        group: The group.
        is_asked: Returns whether an item is to be looked at.
        store: The store that looks.
    """
    for name, done in done_stages(files, group, is_asked, store):
        if len(done) < len(group.stages):
            yield name


def done_stages(
    files: RunFiles, group: StageGroup, is_asked: Callable[[str], bool], store: ObjectReader
) -> Iterator[tuple[str, Mapping[str, CompletionRecord]]]:
    """Yield the names of the items of a group with the records of the stages that are done over each.

    Args:
        files: The files of the run.
        group: The group.
        is_asked: Returns whether an item is to be looked at.
        store: The store that looks.
    """
    names = filter(is_asked, files.items(group.scope))
    return files.each(lambda name: (name, files.done_records(group.stages, name, store)), names)


def ended_groups(groups: Sequence[StageGroup], labels: Collection[str], succeeded: bool) -> list[StageGroup]:
    """Return the groups that an execution has done.

    Args:
        groups: The groups of the run.
        labels: The Labels of the Map Runs that have ended.
        succeeded: Whether the execution succeeded, so that its stages that run once did, too.
    """
    return [group for group in groups if (succeeded if group.label is None else group.label in labels)]


def reopened_items(
    files: RunFiles, groups: Sequence[StageGroup], unfinished: Iterable[ItemFailure]
) -> list[ItemFailure]:
    """Return the items of which an execution found outputs lost or damaged, so that another one makes them again.

    Args:
        files: The files of the run.
        groups: The groups of the run.
        unfinished: The items that the execution left undone.
    """
    return [one for one in unfinished if one.failure == LOST or _has_undone_source(files, groups, one)]


def _has_undone_source(files: RunFiles, groups: Sequence[StageGroup], one: ItemFailure) -> bool:
    """Return whether an item failed in a stage behind one that was done, and is not any more."""
    stage = one.failure.stage
    stages = next((group.stages for group in groups if stage in group.stages), ())
    if one.scope == COHORT or stage not in stages:
        return False
    return not files.are_done(stages[: stages.index(stage)], one.item)
