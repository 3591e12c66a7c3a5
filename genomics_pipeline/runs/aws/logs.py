"""Logs of Batch jobs: the log stream of an attempt."""

from __future__ import annotations

from genomics_pipeline.aws import logs as cloudwatch
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.job import read_job
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.run_files import LogEnd


def log_end(
    run: AwsRun, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None
) -> LogEnd | None:
    """Return the end of the log stream of a Batch job; None where there is no stream, or it has expired.

    Args:
        run: The run.
        stage: The stage.
        item: The item.
        lines: The greatest number of lines.
        attempt: The attempt, from 1; None for the last attempt that has a log.
        failure: The failure of the item, where it failed.

    Raises:
        RunError: for an attempt that does not exist, or whose log has expired.
    """
    streams = failure.log_streams if failure else ()
    if not streams and (job := read_job(run.store, run.place, stage, item)):
        streams = cloudwatch.log_streams(job.attempt.job_id, run.clients)
    if attempt is not None and not 1 <= attempt <= len(streams):
        raise RunError(f"{item}: expected attempt {attempt} of {stage}, found {len(streams)}")
    for stream in [streams[attempt - 1]] if attempt else reversed(streams):
        if stream is None:  # the host was lost, or the image not found, before the container started
            continue
        group = run.names.log_group
        last_lines = cloudwatch.last_lines(group, stream, lines, run.clients)
        if last_lines is not None:
            return LogEnd(f"{group} {stream}", last_lines)
    if attempt and attempt < len(streams):
        raise RunError(f"{item}: expected a log of attempt {attempt} of {stage}, found none, or it has expired")
    return None
