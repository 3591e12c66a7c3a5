"""What a step's program said over an item: the right log of the right attempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genomics_pipeline.aws import logs as cloudwatch
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.records.job import read_job
from genomics_pipeline.runs.find_run import CloudRun, LocalRun
from genomics_pipeline.runs.run_files import RunFiles, StageGroup, run_files
from genomics_pipeline.runs.run_state import ItemFailure
from genomics_pipeline.runs.status import looker
from genomics_pipeline.stores.protocol import MissingObject

COMPARED = 10_000  # items among which a misspelt one is looked for


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asks to see.

    Attributes:
        failed: Only of items that failed.
        item: Only of this sample, interval or ``cohort``.
        stage: Only of this stage.
        attempt: Of Batch, from 1; the last one where it is None.
        lines: How many of the last lines.
    """

    failed: bool = False
    item: str | None = None
    stage: str | None = None
    attempt: int | None = None
    lines: int = 50


@dataclass(frozen=True, slots=True)
class Log:
    """The end of one log.

    Attributes:
        stage: The stage.
        item: The item.
        source: Where it was found: a file, an object, or a log stream.
        lines: Its last lines, in their order.
        failure: Why the item failed, if it did.
    """

    stage: str
    item: str
    source: str
    lines: Sequence[str]
    failure: ItemFailure | None = None


def find_logs(run: LocalRun | CloudRun, wanted: Wanted) -> Iterator[Log]:
    """The logs that are asked for.

    Raises:
        UsageError: for a stage that the run does not have, or without an item or `Wanted.failed`.
        RunError: for an item that it does not have, or that has no log yet.
    """
    files = run_files(run)
    groups = files.groups()
    _refuse_stage(wanted.stage, groups)
    if wanted.attempt is not None and isinstance(run, LocalRun):
        raise UsageError("--attempt: expected a run on AWS, found one in a folder, which keeps the last attempt's log")
    scope = None if wanted.item is None else _scope(files, groups, wanted.item)
    if wanted.failed:
        for failure in looker(run)().failures:
            stage = failure.failure.stage
            if stage and wanted.stage in (None, stage) and wanted.item in (None, failure.item):
                yield _log(run, files, stage, wanted, failure)
        return
    if wanted.item is None:
        raise UsageError("expected --sample NAME or --failed: a run has too many logs to show them all")
    stages = [stage for group in groups if group.scope == scope for stage in group.stages]
    found = [stage for stage in stages if wanted.stage in (None, stage)]
    begun = [stage for stage in found if _begun(files, stage, wanted.item)]
    if not begun:
        raise RunError(f"{wanted.item}: expected a log of {' or '.join(found) or wanted.stage}, found none yet")
    for stage in begun:
        yield _log(run, files, stage, wanted, None)


def _refuse_stage(stage: str | None, groups: Sequence[StageGroup]) -> None:
    known = [name for group in groups for name in group.stages]
    if stage is not None and stage not in known:
        raise UsageError(f"--step {stage}: no such stage in this run; {did_you_mean(stage, known)}")


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


def _log(run: LocalRun | CloudRun, files: RunFiles, stage: str, wanted: Wanted, failure: ItemFailure | None) -> Log:
    item = failure.item if failure else str(wanted.item)
    told = _stream(run, files, stage, item, wanted, failure) if isinstance(run, CloudRun) else None
    if told is None:
        key = run_layout.log(stage, item)
        told = files.shown_key(key), _lines(files, key)[-wanted.lines :]
    return Log(stage, item, *told, failure)


def _lines(files: RunFiles, key: str) -> list[str]:
    try:
        return files.store.read(files.place.uri(key)).decode("utf-8", "replace").splitlines()
    except MissingObject:
        return ["(no log: the program was never started, or its log has expired)"]


def _stream(
    run: CloudRun, files: RunFiles, stage: str, item: str, wanted: Wanted, failure: ItemFailure | None
) -> tuple[str, list[str]] | None:
    """A Batch job's log stream and its end; None where there is none (any more)."""
    known = failure.failure.log_streams if failure else ()
    if not known and (job := _job_id(files, stage, item)):
        known = cloudwatch.streams(job, run.clients)
    if wanted.attempt is not None and not 1 <= wanted.attempt <= len(known):
        raise RunError(f"{item}: expected attempt {wanted.attempt} of {stage}, found {len(known)}")
    for stream in [known[wanted.attempt - 1]] if wanted.attempt else reversed(known):
        if stream is None:  # the host was lost, or the image not found, before the container began
            continue
        group = run.deployment.names.log_group
        lines = cloudwatch.last_lines(group, stream, wanted.lines, run.clients)
        if lines is not None:
            return f"{group} {stream}", lines
    if wanted.attempt and wanted.attempt < len(known):
        raise RunError(f"{item}: expected a log of attempt {wanted.attempt} of {stage}, found none, or it has expired")
    return None


def _job_id(files: RunFiles, stage: str, item: str) -> str | None:
    attempt = read_job(files.store, files.place, stage, item)
    return attempt.job_id if attempt else None
