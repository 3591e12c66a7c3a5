"""The metrics that AWS's services would have of a run on the fakes: state machines, and queues of Batch.

Sources: Step Functions developer guide, "Monitoring with CloudWatch metrics"; Batch user guide, "Using CloudWatch
Metrics with AWS Batch". Metrics that the fakes cannot count are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.job_queues import queue_name
from tests.fakes.step_functions.execution import Execution

SAMPLING_S = 5  # of the number of open Map Runs
ENDS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}
Points = list[tuple[float, float]]


@dataclass
class Attempt:
    """An attempt of a job."""

    job_id: str
    queue: str
    number: int
    began: float
    ended: float = 0
    exit_code: int = 0

    def end(self, moment: float, exit_code: int) -> None:
        """Note its end."""
        self.ended, self.exit_code = moment, exit_code


def service_metrics(
    execution: Execution, attempts: Sequence[Attempt], submitted: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the metrics of AWS/States and AWS/Batch.

    Args:
        execution: The execution of the run.
        attempts: All attempts of its jobs.
        submitted: The times of the jobs' submissions by their ids.
    """
    series: dict[tuple[str, str, str, str], Points] = defaultdict(list)
    for machine, name, moment in _executions(execution):
        series["AWS/States", name, "StateMachineArn", machine].append((moment, 1))
    for queue, name, moment, value in _jobs(attempts, submitted):
        series["AWS/Batch", name, "JobQueueName", queue].append((moment, value))
    found = [
        {"namespace": namespace, "name": name, "dimensions": {dimension: of}, "points": points}
        for (namespace, name, dimension, of), points in sorted(series.items())
    ]
    open_runs = list(_open_map_runs(execution))
    return [*found, _open_metric(open_runs)]


def _executions(execution: Execution) -> Iterator[tuple[str, str, float]]:
    """Yield the starts and ends of the run and of the children of its maps, by the ARN of the state machine."""
    ran: list[Any] = [execution.list_entry(), *(child.list_entry() for child in execution.children.values())]
    for one in ran:
        yield one["stateMachineArn"], "ExecutionsStarted", one["startDate"]
        yield one["stateMachineArn"], f"Executions{ENDS[one['status']]}", one["stopDate"]


def _open_map_runs(execution: Execution) -> Iterator[tuple[float, float]]:
    for arn in execution.map_runs:
        description = execution.map_run(arn)
        yield description["startDate"], description["stopDate"]


def _open_metric(runs: Iterable[tuple[float, float]]) -> dict[str, Any]:
    """Return how many Map Runs were open, from the first to the last."""
    spans = list(runs)
    points, moment, last = Points(), min(start for start, _ in spans), max(stop for _, stop in spans)
    while moment <= last:
        points.append((moment, sum(start <= moment < stop for start, stop in spans)))
        moment += SAMPLING_S
    return {"namespace": "AWS/States", "name": "ApproximateOpenMapRunCount", "dimensions": {}, "points": points}


def _jobs(attempts: Sequence[Attempt], submitted: Mapping[str, float]) -> Iterator[tuple[str, str, float, float]]:
    """Yield the transitions of the jobs, and how long their attempts lasted in milliseconds."""
    by_job: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_job[attempt.job_id].append(attempt)
    for job_id, tried in by_job.items():
        queue = queue_name(tried[0].queue)
        runnable = submitted[job_id]
        yield queue, "JobsSubmitted", runnable, 1
        for attempt in tried:
            yield queue, "JobsMovedToRunnable", runnable, 1
            yield queue, "JobAttemptRunnableToStartingDuration", attempt.began, 1000 * (attempt.began - runnable)
            yield queue, "JobsMovedToRunning", attempt.began, 1
            yield queue, "JobAttemptExecutionDuration", attempt.ended, 1000 * (attempt.ended - attempt.began)
            runnable = attempt.ended
            if attempt is not tried[-1]:
                yield queue, "JobsRetried", runnable, 1
        yield queue, "JobsMovedToFailed" if tried[-1].exit_code else "JobsMovedToSucceeded", runnable, 1
