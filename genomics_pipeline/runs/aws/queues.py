"""The queues of a stack, as one of its runs sees them."""

from __future__ import annotations

from genomics_pipeline.aws.console import job_link
from genomics_pipeline.aws.job_queues import front_of_queue
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.report.queue_state import QueueState
from genomics_pipeline.runs.aws.own_jobs import is_job_of
from genomics_pipeline.runs.aws.run import AwsRun


def queue_states(run: AwsRun) -> tuple[list[QueueState], str | None]:
    """Return the states of the queues in which jobs wait, and the problem that prevented reading them.

    The state of a run is useful without that of its queues: a right that is missing must not hide it.
    """
    names = run.names
    try:
        states = [_queue_state(run, queue) for queue in (names.job_queue, names.on_demand_queue)]
    except RunError as error:
        return [], str(error)
    return [one for one in states if one is not None], None


def _queue_state(run: AwsRun, queue: str) -> QueueState | None:
    """Return the state of a queue; None where no job waits."""
    front = front_of_queue(queue, run.clients)
    if not front:
        return None
    own = [place for place, job in enumerate(front, 1) if is_job_of(run.place, job.detail)]
    head = front[0]
    return QueueState(
        queue=queue,
        waiting=len(front),
        own=len(own),
        first_place=own[0] if own else None,
        job=head.detail["jobName"],
        since=head.since,
        status_reason=head.detail.get("statusReason", ""),
        link=job_link(head.detail["jobId"], run.partition, run.region),
    )
