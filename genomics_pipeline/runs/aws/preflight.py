"""The preflight of a submission: the pipeline `preflight` over the FASTQ files of its samples, before its execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple
from itertools import accumulate, repeat
from operator import mul

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem, RunError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.records.backend import RecordAwsBackend
from genomics_pipeline.runs.aws.records.submit import RecordSubmitRequest, submit_records
from genomics_pipeline.runs.aws.run import AwsRun, read_record, run_place
from genomics_pipeline.runs.aws.submission import RecordsSize, Submission, SubmitOutcome
from genomics_pipeline.runs.fastq_checks import READING, reading_stage, stage_reading
from genomics_pipeline.runs.status import watch

PIPELINE = "preflight"


def preflight(
    submission: Submission, adapters: Adapters, note: Callable[[str], None], wait: Callable[[float], object]
) -> None:
    """Run the preflight of a submission to its end; one that ended is not started again while its files are the same.

    Args:
        submission: The submission; after a dry run, its preflight is checked, too, and no more.
        adapters: The store and the clients that start and read the run.
        note: Shows a line of progress.
        wait: Waits for the given number of seconds.

    Raises:
        UsageError: if only parameters are wrong.
        DataError: with a problem for each lane whose files cannot be used.
        RunError: if AWS refuses, or the preflight itself failed.
    """
    samples = [one for one in submission.plan.samples if any(lane.fastq_1 for lane in one.lanes)]
    if not samples:
        note("preflight: no FASTQ files to check")
        return
    request = submission.request
    outcome = submit_records(
        RecordSubmitRequest(
            request.manifest,
            PIPELINE,
            stack=request.stack,
            parameters=tuple(_parameters(submission)),
            samples=samples,
            dry_run=request.dry_run,
        ),
        adapters,
        lambda text: None,
    )
    if outcome.status == CHECKED:
        note(f"preflight: {quantity(outcome.size.objects, 'file')} would be checked")
        return
    started = "submitted" if outcome.started else "submitted before"
    note(f"preflight: {outcome.run} ({started}), {quantity(outcome.size.objects, 'file')}")
    _await_end(outcome, submission, adapters, wait)
    note("preflight: all files can be used")


def _parameters(submission: Submission) -> Iterator[str]:
    """Yield the parameters of the step that say how files are read, as those of the stage that aligns them."""
    plan = submission.plan
    if (stage := reading_stage(plan.pipeline)) is not None:
        reading = stage_reading(stage, plan.pipeline, plan.overrides)
        yield from (f"{PIPELINE}.{name}={value}" for name, value in zip(READING, astuple(reading), strict=True))


def _await_end(
    outcome: SubmitOutcome[RecordsSize], submission: Submission, adapters: Adapters, wait: Callable[[float], object]
) -> None:
    place = run_place(outcome.run, submission.deployment.bucket)
    record = read_record(place, adapters.store)
    run = AwsRun(outcome.run, place, adapters.clients, adapters.store, record)
    pauses = accumulate(repeat(2.0), mul, initial=1.0)
    for state in watch(RecordAwsBackend(run), lambda most: wait(min(most, next(pauses)))):  # noqa: B007
        pass
    rows = list(_written_failures(RecordAwsBackend(run), wait))
    sheet = without_secrets(submission.request.manifest)
    if rows:
        raise DataError(list(_problems(rows, outcome, sheet)))
    if state.status != "SUCCEEDED":
        raise RunError(
            f"preflight {outcome.run}: {state.status}: {state.error or 'it ended before all files were read'}"
        )


def _written_failures(backend: RecordAwsBackend, wait: Callable[[float], object]) -> Iterator[FailedRecord]:
    """Yield the records without a result; ResultWriter's files are written some seconds after the end."""
    for _ in range(6):
        with suppress(RunError):
            yield from list(backend.failed_records())
            return
        wait(backend.poll_s)
    yield from backend.failed_records()


def _problems(rows: list[FailedRecord], outcome: SubmitOutcome[RecordsSize], sheet: str) -> Iterator[Problem]:
    """Yield a problem for each lane, then the command that makes another attempt where the files are not at fault.

    Args:
        rows: The lanes without a result.
        outcome: The preflight.
        sheet: The path or URI of the sample sheet.
    """
    most = budgets.SHEET_ERRORS.value
    for row in rows[:most]:
        value = row.value if isinstance(row.value, dict) else {}
        message = row.failure.message
        if row.label != FailureClass.BAD_INPUT:
            where = f"sample {value.get('sample')}, lane {value.get('lane')}"
            message = f"{where}: expected a look at its files, found {row.label.replace('_', ' ')}: {message}"
        yield Problem(message, sheet, value.get("line"))
    if len(rows) > most:
        all_ = command_line("results", outcome.run, "--failed")
        yield Problem(f"preflight {outcome.run}: {len(rows) - most:,} more lanes cannot be used: {all_}")
    if any(row.label != FailureClass.BAD_INPUT for row in rows):
        again = command_line("rerun", outcome.run)
        yield Problem(f"preflight {outcome.run}: its files may be whole; {again}, then repeat this command")
