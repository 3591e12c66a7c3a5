"""The sign-off of a run: its verification, whose verdict is kept beside the run and shown in its report."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from genomics_pipeline import __version__
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.records.verification import KEPT, VerificationRecord, write_verification
from genomics_pipeline.report.verification import Verification, verdict
from genomics_pipeline.runs.readable_run import ReadableRun, VerifiableRun
from genomics_pipeline.runs.reporting.read import ReportRequest
from genomics_pipeline.runs.reporting.write import write_report
from genomics_pipeline.runs.verify import verify
from genomics_pipeline.worker.failure import os_error_message


def sign_off(run: VerifiableRun, quick: bool) -> tuple[Verification, VerificationRecord]:
    """Verify a run and keep the verdict; return the verification, with a note where it cannot be kept, and the record.

    Args:
        run: The run.
        quick: See `runs.verify.verify`.

    Raises:
        RunError: see `runs.verify.verify`.
    """
    files, at = run.files, datetime.now(UTC).isoformat(timespec="milliseconds")
    found = verify(run, quick)
    record = VerificationRecord(
        at=at,
        version=__version__,
        execution=run.state().execution,
        verdict=verdict(found),
        verified=not found.deviations,
        definition=files.definition_digest(),
        unchecked=found.unchecked,
        deviations=[str(one) for one in found.deviations[:KEPT]],
    )
    try:
        write_verification(files.store, files.place, record)
    except (PipelineError, OSError) as error:  # such as of a user who may only read the bucket
        reason = os_error_message(error) if isinstance(error, OSError) else error
        note = f"the verdict is not kept for the report: {reason}"
        found = replace(found, notes=(*found.notes, note))
    return found, record


def renew_report(run: ReadableRun, prices: Path | None) -> None:
    """Write the report of a run again, which now has the verdict; nothing where there is none, or it cannot be written.

    Args:
        run: The run.
        prices: The folder of the user's own prices; None for none.
    """
    with suppress(PipelineError, OSError):
        if run.files.store.stat(run.files.place.uri(run_layout.REPORT)) is not None:
            write_report(run, ReportRequest(prices))
