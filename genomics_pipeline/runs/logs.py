"""The logs of a run that a user asks to see."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.record_run import RecordRun
from genomics_pipeline.runs.run_files import LogEnd, RunFiles
from genomics_pipeline.runs.stage_groups import StageGroup


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The logs that a user asks to see.

    Attributes:
        failed: Whether to show the logs of failed items only.
        item: The sample, the interval or ``cohort``; None for all items, with `failed` only.
        stage: The stage; None for all stages.
        attempt: The number of the attempt of the Batch job, from 1; None for the last attempt.
        lines: The number of last lines to show.
    """

    failed: bool = False
    item: str | None = None
    stage: str | None = None
    attempt: int | None = None
    lines: int = 50


@dataclass(frozen=True, slots=True)
class ItemLog:
    """The log of a stage over an item.

    Attributes:
        stage: The stage.
        item: The item.
        end: The end of the log.
        failure: The failure of the item; None unless it failed.
    """

    stage: str
    item: str
    end: LogEnd
    failure: ItemFailure | None = None


def find_logs(run: RunBackend, query: LogQuery) -> Iterator[ItemLog]:
    """Yield the logs that a query asks for.

    Raises:
        UsageError: for a stage that the run does not have; for a query with neither an item nor `LogQuery.failed`.
        RunError: for an item that the run does not have, or that has no log yet.
    """
    if isinstance(run, RecordRun):
        yield from _step_logs(run, query)
        return
    files = run.files
    groups = files.groups()
    _refuse_stage(query.stage, groups)
    scope = None if query.item is None else files.scope_of_item(query.item)
    if query.failed:
        for failure in run.failed_items():
            stage = failure.failure.stage
            if stage and query.stage in (None, stage) and query.item in (None, failure.item):
                end = run.log_end(stage, failure.item, query.lines, query.attempt, failure.failure)
                yield ItemLog(stage, failure.item, end, failure)
        return
    if query.item is None:
        raise UsageError("expected --sample NAME or --failed: a run has too many logs to show them all")
    stages = [stage for group in groups if group.scope == scope for stage in group.stages]
    selected = [stage for stage in stages if query.stage in (None, stage)]
    begun = [stage for stage in selected if _has_begun(files, stage, query.item)]
    if not begun:
        raise RunError(f"{query.item}: expected a log of {' or '.join(selected) or query.stage}, found none yet")
    for stage in begun:
        yield ItemLog(stage, query.item, run.log_end(stage, query.item, query.lines, query.attempt, None))


def head_log(run: str, lines: int) -> LogEnd:
    """Return the end of the output of a run's head that is a job of Slurm.

    Args:
        run: The folder of the run.
        lines: The greatest number of lines.

    Raises:
        RunError: for a run without such a head, or whose head has not begun yet.
    """
    log = Path(run) / run_layout.SLURM_HEAD / run_layout.LOG
    if not log.is_file():
        raise RunError(f"{run}: expected the output of a head that is a job (run --slurm-head), found none yet: {log}")
    with log.open(errors="replace") as file:
        return LogEnd(str(log), [line.rstrip("\n") for line in deque(file, lines)])


def _step_logs(run: RecordRun, query: LogQuery) -> Iterator[ItemLog]:
    """Yield the logs of a run over records: one of each step, since records have none of their own."""
    if query.item is not None or query.attempt is not None:
        raise UsageError(
            "--sample, --attempt: expected a run over samples, found one over records: a log for each step"
        )
    for step, end in run.step_logs(query.lines):
        if query.stage in (None, step):
            yield ItemLog(step, "all records", end)


def _refuse_stage(stage: str | None, groups: Sequence[StageGroup]) -> None:
    known = [name for group in groups for name in group.stages]
    if stage is not None and stage not in known:
        raise UsageError(f"--stage {stage}: no such stage in this run; {did_you_mean(stage, known)}")


def _has_begun(files: RunFiles, stage: str, item: str) -> bool:
    keys = run_layout.job_record(stage, item), run_layout.log(stage, item)
    return any(files.store.stat(files.place.uri(key)) for key in keys)
