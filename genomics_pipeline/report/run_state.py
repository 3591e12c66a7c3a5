"""The state of a run, in a folder or on AWS: its Map Runs, its failures and its missing items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.tolerance import are_intervals_accepted, is_accepted
from genomics_pipeline.report.queue_state import QueueState
from genomics_pipeline.report.stage_times import StageTimes

PENDING = "pending"
CHECKED = "CHECKED"  # the status of a dry run
UNKNOWN = "UNKNOWN"  # of a run of which only the bucket was read: it may be running, or was stopped
FIRST = 5  # names of missing items that are shown


@dataclass(frozen=True, slots=True)
class MapRunState:
    """The state of one Map Run; numbers are of items.

    Attributes:
        label: The Map Run's Label.
        status: The status in the words of DescribeMapRun; PENDING before the Map Run begins.
        total: The number of items; None where it is not known yet.
        succeeded: The number of items that succeeded.
        failed: The number of items that failed, timed out or were aborted.
        running: The number of items that run now.
        started: Seconds since the epoch; None before the Map Run begins.
        stopped: Seconds since the epoch; None before the Map Run ends.
        before: The number of items that ended in earlier executions of the run; included in the other numbers.
        arn: The ARN of the Map Run; None before it begins, and while it is running in a folder.
    """

    label: str
    status: str
    total: int | None = None
    succeeded: int = 0
    failed: int = 0
    running: int = 0
    started: float | None = None
    stopped: float | None = None
    before: int = 0
    arn: str | None = None
    parts: tuple[MapRunState, ...] = ()

    @property
    def ended(self) -> int:
        """The number of items that ended, successfully or not."""
        return self.succeeded + self.failed

    @property
    def pending(self) -> int | None:
        """The number of items that have not begun."""
        return None if self.total is None else max(0, self.total - self.ended - self.running)

    def rate_per_min(self, now: float) -> float | None:
        """Return the mean number of items that ended in a minute of this execution; None before the first."""
        ended = self.ended - self.before
        if self.started is None or not ended:
            return None
        return 60 * ended / max((self.stopped or now) - self.started, 1e-3)

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds that the remaining items take at that rate; None where that is not known."""
        rate = self.rate_per_min(now)
        if self.stopped or rate is None or self.total is None:
            return None
        return 60 * (self.total - self.ended) / rate


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """An item that is not done, although its child execution has ended.

    Attributes:
        item: The name of the item.
        failure: The failure.
        scope: The scope of the item: sample, interval or cohort.
        of_batch: Whether its child had several items; such a child fails as a whole.
        pending: Whether the item did not fail itself: it never started, or stopped when others of its batch failed.
        log_link: The link to the log of its last attempt in AWS's console; None where there is none.
    """

    item: str
    failure: Failure
    scope: str = "sample"
    of_batch: bool = False
    pending: bool = False
    log_link: str | None = None

    @property
    def label(self) -> str:
        """The class of the failure, or `PENDING`."""
        return PENDING if self.pending else str(self.failure.failure_class)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        failure = self.failure
        return {
            "item": self.item,
            "stage": failure.stage,
            "class": str(failure.failure_class),
            "message": failure.message,
            "exit_code": failure.exit_code,
            "job_id": failure.job_id,
            "log_streams": list(failure.log_streams),
            **({"console": self.log_link} if self.log_link else {}),
        }


@dataclass(slots=True)
class Missing:
    """Counts of the items that a run which ended has not done.

    Attributes:
        samples: The number of samples of the run, done or not; of a run over records that of its records.
        by_scope: The number of missing items by scope: sample, interval, cohort or record.
        by_class: The number of missing items by `ItemFailure.label`.
        first: The names of the first few.
    """

    samples: int
    by_scope: Counter[str] = field(default_factory=Counter)
    by_class: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def add(self, one: ItemFailure) -> None:
        """Count an item."""
        self.by_scope[one.scope] += 1
        self.by_class[one.label] += 1
        if len(self.first) < FIRST:
            self.first.append(one.item)

    def is_accepted(self, accepted: Mapping[str, float] | None) -> bool:
        """Return whether no more items are missing than the user accepts with ``--tolerate``."""
        samples, intervals = self.by_scope["sample"] + self.by_scope[RECORD], self.by_scope["interval"]
        if samples + intervals != self.by_scope.total():  # the cohort itself
            return False
        return is_accepted(accepted, samples, self.samples) and are_intervals_accepted(accepted, intervals)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        if RECORD in self.by_scope:
            return {
                "records": self.by_scope[RECORD],
                "of_records": self.samples,
                "by_class": dict(self.by_class.most_common()),
                "first": list(self.first),
            }
        return {
            "samples": self.by_scope["sample"],
            "of_samples": self.samples,
            "intervals": self.by_scope["interval"],
            "cohort": bool(self.by_scope["cohort"]),
            "by_class": dict(self.by_class.most_common()),
            "first": list(self.first),
        }


@dataclass(frozen=True, slots=True)
class CohortCheck:
    """A verdict of a stage on the whole cohort that is not good.

    Attributes:
        stage: The stage.
        metric: The metric that it judges.
        verdict: ``warn`` or ``bad``.
        reason: Why.
    """

    stage: str
    metric: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run.

    Attributes:
        run: The name of the run.
        place: The folder or the URI of the run.
        pipeline: The name of the pipeline.
        status: The status in the words of DescribeExecution; ABORTED also for a run in a folder whose process is gone;
            `UNKNOWN` where only the bucket was read, and does not show whether it is running or was stopped.
        started: Seconds since the epoch.
        stopped: Seconds since the epoch; None while the run is running.
        map_runs: The Map Runs, in the order of the definition.
        cohort: The name of each stage that runs once, and whether it is done.
        failures: The items that are known to have failed.
        error: The message of the failure of the whole run; None unless it failed.
        execution: The name of the newest execution.
        executions: The number of executions, including reruns.
        missing: The items that are not done; None while the run is running, and where all are done.
        accepted: The greatest ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
        links: Links to AWS's console by what they show; none for a run in a folder.
        stages: The times of the tasks that are done, by stage; none while the run is running.
        checks: The verdicts on the whole cohort that are not good.
        queues: The queues in which jobs wait while a run on AWS is running.
        queues_problem: Why they could not be read; None where they could.
        last_record: The time of the newest file by which the state is known, where only files were read.
        head: The job of Slurm that is the head of the run, in words; None where none waits or runs.
    """

    run: str
    place: str
    pipeline: str
    status: str
    started: float
    stopped: float | None
    map_runs: Sequence[MapRunState]
    cohort: Sequence[tuple[str, bool]]
    failures: Sequence[ItemFailure]
    error: str | None = None
    execution: str = ""
    executions: int = 1
    missing: Missing | None = None
    accepted: Mapping[str, float] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    stages: Sequence[StageTimes] = ()
    checks: Sequence[CohortCheck] = ()
    queues: Sequence[QueueState] = ()
    queues_problem: str | None = None
    last_record: float | None = None
    head: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Tell whether the run is running, or succeeded with all samples but those that the user accepts to miss."""
        if self.status == "SUCCEEDED":
            return self.missing is None or self.missing.is_accepted(self.accepted)
        return self.status == "RUNNING"

    @property
    def samples(self) -> int:
        """The number of samples that the Map Runs have items for; 0 where it is not known yet."""
        return max((one.total or 0 for one in self.map_runs if one.label.startswith("Sample")), default=0)

    def failures_by_class(self) -> Counter[str]:
        """Return the number of failed items by failure class."""
        return Counter(str(one.failure.failure_class) for one in self.failures)

    def to_json(self, now: float) -> dict[str, Any]:
        """Return the object that ``--json`` prints.

        Args:
            now: Seconds since the epoch.
        """
        return {
            "run": self.run,
            "place": self.place,
            "pipeline": self.pipeline,
            "status": self.status,
            "execution": self.execution,
            "executions": self.executions,
            **({"head": self.head} if self.head else {}),
            "seconds": round((self.stopped or now) - self.started, 3),
            "map_runs": [_map_run(one, now) for one in self.map_runs],
            "cohort": {stage: "done" if done else "pending" for stage, done in self.cohort},
            **({"queues": [one.to_json(now) for one in self.queues]} if self.queues else {}),
            **({"queues_problem": self.queues_problem} if self.queues_problem else {}),
            **({"stages": [one.to_json() for one in self.stages]} if self.stages else {}),
            **({"checks": [asdict(one) for one in self.checks]} if self.checks else {}),
            "failures": {
                "by_class": dict(self.failures_by_class().most_common()),
                "items": [one.to_json() for one in self.failures],
            },
            **({"console": dict(self.links)} if self.links else {}),
            **({"error": self.error} if self.error else {}),
            **({"missing": {**self.missing.to_json(), "accepted": self.is_accepted}} if self.missing else {}),
        }


def _map_run(one: MapRunState, now: float) -> dict[str, Any]:
    rate, left = one.rate_per_min(now), one.seconds_left(now)
    return {
        "label": one.label,
        "status": one.status,
        "total": one.total,
        "succeeded": one.succeeded,
        "failed": one.failed,
        "running": one.running,
        "pending": one.pending,
        "items_per_min": None if rate is None else round(rate, 2),
        "seconds_left": None if left is None else round(left, 1),
        "arn": one.arn,
        **({"parts": [_map_run(part, now) for part in one.parts]} if one.parts else {}),
    }
