"""CloudWatch log streams of Batch jobs."""

from __future__ import annotations

from genomics_pipeline.aws.batch import BatchError, BatchJobs
from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.classify import attempt_log_streams
from genomics_pipeline.model.errors import RunError


def log_streams(job_id: str, clients: Clients) -> tuple[str | None, ...]:
    """Return the log streams of a job's attempts, None for an attempt without one; empty if the job has expired.

    Raises:
        RunError: if the call fails.
    """
    try:
        jobs = list(BatchJobs(clients).describe([job_id]))
    except BatchError as error:
        raise RunError(f"cannot describe the Batch job {job_id}: {error}") from error
    if not jobs:
        return ()
    attempts = [attempt.get("container", {}).get("logStreamName") for attempt in jobs[0].get("attempts", ())]
    return attempt_log_streams(attempts, jobs[0].get("container", {}).get("logStreamName"))


def last_lines(group: str, stream: str, count: int, clients: Clients) -> list[str] | None:
    """Return the last lines of a stream, in their order; None if there is no such stream.

    Args:
        group: The log group.
        stream: The stream.
        count: The greatest number of lines.
        clients: The AWS clients.

    Raises:
        RunError: if the call fails.
    """
    lines: list[str] = []
    token: dict[str, str] = {}
    with aws_call(f"read the log stream {stream} of {group}"):
        while len(lines) < count:
            try:
                page = clients.logs.get_log_events(
                    logGroupName=group,
                    logStreamName=stream,
                    startFromHead=False,
                    **token,  # type: ignore[arg-type]
                )
            except clients.logs.exceptions.ResourceNotFoundException:
                return None
            lines[:0] = [event["message"].rstrip("\n") for event in page["events"]]
            if not page["events"] or token.get("nextToken") == page["nextBackwardToken"]:
                break
            token = {"nextToken": page["nextBackwardToken"]}
    return lines[-count:]
