"""The file of a run's report: beside its results, or where the user wants it."""

from __future__ import annotations

import errno
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_page.page import report_page
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.reporting.read import ReportRequest, read_report
from genomics_pipeline.stores.publish import publish_bytes


def write_report(
    run: ReadableRun, request: ReportRequest, out: Path | None = None, refresh_s: int | None = None
) -> str:
    """Write the report of a run, and return its path or URI.

    Args:
        run: The run.
        request: What to read.
        out: The file; None for that of the run, beside its results.
        refresh_s: The interval in seconds at which the browser reads the file again; None for never.

    Raises:
        RunError: see `read_report`; if the run's own file cannot be written.
        DataError: see `read_report`.
    """
    text = report_page(read_report(run, request), refresh_s).encode()
    if out is not None:
        publish_bytes(out, text)
        return str(out)
    shown = run.files.shown_key(run_layout.REPORT)
    try:
        run.files.store.write(run.files.place.uri(run_layout.REPORT), text)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        command = command_line("report", run.files.shown, "--out", Path(run_layout.REPORT).name)
        advice = f"write it to a place of yours: {command}"
        raise RunError(f"{shown}: expected a file that can be written, found: {error.strerror}; {advice}") from None
    return shown
