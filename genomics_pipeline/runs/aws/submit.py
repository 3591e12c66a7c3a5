"""The submission of a run to AWS: check the request, upload the files of the run, start one execution."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from genomics_pipeline.asl.canonical import canonical_digest, canonical_json
from genomics_pipeline.asl.payload_budget import least_duration, payload_budgets
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.executions import find_execution
from genomics_pipeline.aws.stack import describe, parameter_values
from genomics_pipeline.aws.template.parameters import most_vcpus
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.tolerance import tolerance_words
from genomics_pipeline.records.aws_run import AwsRunRecord, read_aws_run
from genomics_pipeline.records.earlier_packed import earlier_lines
from genomics_pipeline.records.execution_input import input_text
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.account import account_notes, run_need
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.items import Items, upload_large_items, upload_parts, write_items
from genomics_pipeline.runs.aws.preflight import preflight
from genomics_pipeline.runs.aws.reference import indexes_of, upload_reference
from genomics_pipeline.runs.aws.rights import refuse_missing_rights
from genomics_pipeline.runs.aws.submission import (
    CohortSize,
    Submission,
    SubmitOutcome,
    SubmitRequest,
    name_taken,
    start_submitted,
)
from genomics_pipeline.runs.aws.submission_checks import check_request
from genomics_pipeline.runs.catalog import absolute_name
from genomics_pipeline.runs.outcome import declared_metrics
from genomics_pipeline.stores.protocol import Store


def submit(request: SubmitRequest, adapters: Adapters, note: Callable[[str], None]) -> SubmitOutcome[CohortSize]:
    """Check a request, upload the files of the run and start its execution; the same call again starts nothing.

    Args:
        request: The arguments of the run.
        adapters: The store and the clients that read and write files and start the execution.
        note: Shows a line of progress.

    Raises:
        UsageError: if only parameters or samples are wrong.
        DataError: with all problems of the request, the files on S3 and the stack.
        RunError: if AWS refuses, or a right is missing that was to be checked.
    """
    clients = adapters.clients
    submission = check_request(request, adapters, note)
    with TemporaryDirectory() as folder:
        files = _write(submission, Path(folder))
        checked = _dry_run_outcome(submission, files)
        if before := find_execution(submission.execution_arn, clients):
            _refuse_deleted(submission, adapters.store)
            submitted = read_aws_run(adapters.store, submission.place)
            warnings = (*checked.warnings, *_other_tolerance(submission, submitted))
            if not request.dry_run:
                _replace_bounds(submission, submitted, adapters.store, note)
            return replace(checked, status=before["status"], warnings=warnings)
        if request.check_rights:
            refuse_missing_rights(submission, adapters, note)
        if request.preflight:
            preflight(submission, adapters, note, time.sleep)
        if request.dry_run:
            return replace(checked, warnings=(*checked.warnings, *_account_warnings(submission, checked, clients)))
        _upload(submission, files, adapters, note)
    started = _start(submission, clients)
    return replace(checked, status="RUNNING" if started else _status(submission, clients), started=started)


def _dry_run_outcome(submission: Submission, files: Mapping[str, Items]) -> SubmitOutcome[CohortSize]:
    """Return the outcome of a submission that started nothing."""
    counts = {scope: items.count for scope, items in files.items()}
    jobs, seconds = least_duration(submission.plan.stages_that_run, counts)
    return SubmitOutcome(
        run=submission.place.name,
        uri=submission.place.uri(""),
        stack=submission.request.stack,
        status=CHECKED,
        started=False,
        execution_arn=submission.execution_arn,
        size=CohortSize(counts["sample"], counts["interval"], jobs, seconds),
        warnings=tuple(submission.warnings),
        first_attempts=tuple(submission.attempts.words()),
    )


def _account_warnings(submission: Submission, checked: SubmitOutcome[CohortSize], clients: Clients) -> Iterator[str]:
    """Yield what the account lacks for a run.

    Args:
        submission: The run.
        checked: The numbers of its items.
        clients: The AWS clients.
    """
    values = parameter_values(describe(submission.request.stack, clients))
    counts = {"sample": checked.size.samples, "interval": checked.size.intervals}
    yield from account_notes(run_need(submission.plan.stages_that_run, counts, most_vcpus(values)), clients)


def _write(submission: Submission, folder: Path) -> dict[str, Items]:
    """Write the files of the run into a folder of this machine, and return its items by scope."""
    planned, place = submission.plan, submission.place
    budgets = payload_budgets(planned.pipeline, submission.document, submission.input.to_json())
    lines: dict[str, tuple[str, Iterable[str]]] = {
        "sample": (run_layout.MANIFEST, manifest_lines(planned.samples)),
        "interval": (run_layout.INTERVALS, StringIO(submission.intervals)),
    }
    items = {
        scope: write_items(
            folder / name,
            scope,
            submission.attempts.lines(scope, of_scope),
            budgets.get(scope),
            place,
            max(1, planned.parts) if scope == "sample" else 1,
        )
        for scope, (name, of_scope) in lines.items()
    }
    (folder / run_layout.DEFINITION).write_text(canonical_json(submission.document))
    (folder / run_layout.INPUT).write_text(input_text(submission.input))
    (folder / run_layout.RECORD).write_bytes(_record(submission).to_bytes())
    return items


def _record(submission: Submission) -> AwsRunRecord:
    planned = submission.plan
    return AwsRunRecord(
        run=submission.place.name,
        pipeline=planned.pipeline.name,
        stack=submission.request.stack,
        state_machine_arn=submission.deployment.state_machine_arn(planned.pipeline.name),
        execution_arn=submission.execution_arn,
        digest=submission.digest,
        definition=canonical_digest(submission.document),
        parameters=planned.overrides,
        tolerated=dict(planned.tolerated),
        accepted=submission.request.accepted,
        reference=submission.reference.uri,
        manifest=without_secrets(submission.request.manifest),
        requested_pipeline=absolute_name(submission.request.pipeline),
        samples=len(planned.samples),
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
        metrics=declared_metrics(planned.stages_that_run),
    )


def _upload(
    submission: Submission,
    files: Mapping[str, Items],
    adapters: Adapters,
    note: Callable[[str], None],
) -> None:
    place, store = submission.place, adapters.store
    indexes = indexes_of(submission.plan.pipeline, submission.plan.overrides)
    upload_reference(submission.reference, indexes, adapters, note)
    note(f"uploading to {place.uri('')}")
    upload_large_items(files.values(), place, store)
    folder = files["sample"].file.parent
    if given := "".join(gvcf_lines(submission.plan.samples)):
        store.write(place.uri(run_layout.GVCFS), given.encode())
    if earlier := earlier_lines(submission.plan.earlier):
        store.write(place.uri(run_layout.EARLIER), earlier.encode())
    upload_parts(files["sample"].file, submission.input, store)
    for name in (run_layout.MANIFEST, run_layout.INTERVALS, run_layout.DEFINITION, run_layout.INPUT, run_layout.RECORD):
        store.publish(folder / name, place.uri(name))


def _refuse_deleted(submission: Submission, store: Store) -> None:
    """Refuse a run that was deleted after it ran: AWS does not start another execution of its name.

    Raises:
        RunError: for such a run.
    """
    if store.stat(submission.place.uri(run_layout.RECORD)) is None:
        kept = f"its files were deleted, and AWS keeps the name of its execution for {quotas.RETENTION_DAYS}"
        raise RunError(f"run {submission.place.name}: {kept}; change an input, or wait")


def _replace_bounds(submission: Submission, before: AwsRunRecord, store: Store, note: Callable[[str], None]) -> None:
    """Give a run that was submitted before the bounds of this request, on which only verdicts depend.

    Args:
        submission: The run.
        before: The record of the run.
        store: The store of its files.
        note: Shows a line if they differ.
    """
    metrics = declared_metrics(submission.plan.stages_that_run)
    if metrics != before.metrics:
        store.write(submission.place.uri(run_layout.RECORD), replace(before, metrics=metrics).to_bytes())
        note(f"{submission.place.name}: the bounds of metrics are now those of this command")


def _other_tolerance(submission: Submission, before: AwsRunRecord) -> Iterator[str]:
    """Yield a warning if the run was submitted with another tolerance, which is not part of its name.

    The tolerance does not change the results.

    Args:
        submission: The run.
        before: The record of the run.
    """
    submitted, requested = before.accepted, submission.request.accepted
    if submitted != requested:
        kept, found = ("none" if one is None else tolerance_words(one) for one in (submitted, requested))
        which = f"{submission.place.name} was submitted to accept that {kept} of its samples are missing"
        yield f"{which}, which cannot change; found {found}"


def _start(submission: Submission, clients: Clients) -> bool:
    place, name = submission.place, submission.plan.pipeline.name
    machine = submission.deployment.state_machine_arn(name)
    return start_submitted(machine, place, json.dumps(submission.input.to_json()), clients)


def _status(submission: Submission, clients: Clients) -> str:
    """Return the status of the execution of the submission's name.

    Raises:
        RunError: if AWS keeps the name of an execution that ended.
    """
    execution = find_execution(submission.execution_arn, clients)
    if execution is None:
        raise name_taken(submission.place.name)
    return execution["status"]
