"""The logs of items: which of a run's many logs a user asks to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.run_files import LogEnd, RunFiles, StageGroup

COMPARED = 10_000  # items among which a misspelt one is looked for


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The logs that a user asks to see.

    Attributes:
        failed: Only of items that failed.
        item: Only of this sample, interval or ``cohort``.
        stage: Only of this stage.
        attempt: Of this attempt of the Batch job, from 1; of the last one where it is None.
        lines: How many of the last lines.
    """

    failed: bool = False
    item: str | None = None
    stage: str | None = None
    attempt: int | None = None
    lines: int = 50


@dataclass(frozen=True, slots=True)
class ItemLog:
    """The log of one stage over one item.

    Attributes:
        stage: The stage.
        item: The item.
        end: The end of the log.
        failure: Why the item failed, if it did.
    """

    stage: str
    item: str
    end: LogEnd
    failure: ItemFailure | None = None


def find_logs(run: RunBackend, query: LogQuery) -> Iterator[ItemLog]:
    """Yield the logs that a query asks for.

    Raises:
        UsageError: for a stage that the run does not have, or without an item or `LogQuery.failed`.
        RunError: for an item that it does not have, or that has no log yet.
    """
    files = run.files
    groups = files.groups()
    _refuse_stage(query.stage, groups)
    scope = None if query.item is None else _scope(files, groups, query.item)
    if query.failed:
        for failure in run.state().failures:
            stage = failure.failure.stage
            if stage and query.stage in (None, stage) and query.item in (None, failure.item):
                end = run.log_end(stage, failure.item, query.lines, query.attempt, failure.failure)
                yield ItemLog(stage, failure.item, end, failure)
        return
    if query.item is None:
        raise UsageError("expected --sample NAME or --failed: a run has too many logs to show them all")
    stages = [stage for group in groups if group.scope == scope for stage in group.stages]
    asked = [stage for stage in stages if query.stage in (None, stage)]
    begun = [stage for stage in asked if _begun(files, stage, query.item)]
    if not begun:
        raise RunError(f"{query.item}: expected a log of {' or '.join(asked) or query.stage}, found none yet")
    for stage in begun:
        yield ItemLog(stage, query.item, run.log_end(stage, query.item, query.lines, query.attempt, None))


def _refuse_stage(stage: str | None, groups: Sequence[StageGroup]) -> None:
    known = [name for group in groups for name in group.stages]
    if stage is not None and stage not in known:
        raise UsageError(f"--stage {stage}: no such stage in this run; {did_you_mean(stage, known)}")


def _scope(files: RunFiles, groups: Sequence[StageGroup], item: str) -> str:
    known: list[str] = []
    for scope in dict.fromkeys(group.scope for group in groups):
        for name in files.items(scope):
            if name == item:
                return scope
            if len(known) < COMPARED:
                known.append(name)
    raise RunError(f"{item}: no such sample in this run; {did_you_mean(item, known)}")


def _begun(files: RunFiles, stage: str, item: str) -> bool:
    keys = run_layout.job_record(stage, item), run_layout.log(stage, item)
    return any(files.store.stat(files.place.uri(key)) for key in keys)
