"""The state of a run, in a folder or on AWS: its Map Runs, its failures and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model.classify import Failure

PENDING = "pending"
FIRST = 5  # names that are shown at a run's end


@dataclass(frozen=True, slots=True)
class MapRunState:
    """The state of one Map Run; numbers are of items.

    Attributes:
        label: The Map Run's Label.
        status: As DescribeMapRun has it; PENDING before it begins.
        total: How many there are; None where that is not known yet.
        started: Seconds since the epoch; None before it begins.
        stopped: Likewise.
        before: How many of those that ended did in earlier executions of the run.
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

    @property
    def ended(self) -> int:
        """The number of items that ended, successfully or not."""
        return self.succeeded + self.failed

    @property
    def pending(self) -> int | None:
        """The number of items that have not begun."""
        return None if self.total is None else max(0, self.total - self.ended - self.running)

    def rate_per_min(self, now: float) -> float | None:
        """Return how many items ended a minute, so far; None before the first."""
        ended = self.ended - self.before
        if self.started is None or not ended:
            return None
        return 60 * ended / max((self.stopped or now) - self.started, 1e-3)

    def seconds_left(self, now: float) -> float | None:
        """Return how long the remaining items take at that rate, in seconds; None where that is not known."""
        rate = self.rate_per_min(now)
        if self.stopped or rate is None or self.total is None:
            return None
        return 60 * (self.total - self.ended) / rate


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One item that is not done, though its execution has ended.

    Attributes:
        item: Its name.
        failure: Why.
        scope: sample, interval or cohort.
        of_batch: Others were in its child, which failed as a whole.
        pending: It did not fail itself: it was never started, or did not go on when others of its batch failed.
    """

    item: str
    failure: Failure
    scope: str = "sample"
    of_batch: bool = False
    pending: bool = False

    @property
    def label(self) -> str:
        """Its class, or `PENDING`."""
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
        }


@dataclass(slots=True)
class Missing:
    """Counts of the items that a run which ended has not done.

    Attributes:
        samples: The number of samples of the run, done or not.
        by_scope: The number of missing items by scope: sample, interval or cohort.
        by_class: The number of missing items by `ItemFailure.label`.
        first: The names of the first few.
    """

    samples: int
    by_scope: Counter[str] = field(default_factory=Counter)
    by_class: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def add(self, one: ItemFailure) -> None:
        """Count one item."""
        self.by_scope[one.scope] += 1
        self.by_class[one.label] += 1
        if len(self.first) < FIRST:
            self.first.append(one.item)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "samples": self.by_scope["sample"],
            "of_samples": self.samples,
            "intervals": self.by_scope["interval"],
            "cohort": bool(self.by_scope["cohort"]),
            "by_class": dict(self.by_class.most_common()),
            "first": list(self.first),
        }


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run.

    Attributes:
        run: The run's name.
        place: Its folder or URI.
        pipeline: The name of its pipeline.
        status: As DescribeExecution has it; a run in a folder whose process is gone is ABORTED.
        started: Seconds since the epoch.
        stopped: Likewise; None while it runs.
        map_runs: In the definition's order.
        cohort: Each stage that runs once, and whether it is done.
        failures: The items that failed, as far as they are known yet.
        error: Why the whole run failed.
        execution: The newest execution's name.
        executions: How many there were, reruns counted.
        missing: What a run that ended does not have; None while it runs.
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

    def failures_by_class(self) -> Counter[str]:
        """Return how many items failed, by class."""
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
            "seconds": round((self.stopped or now) - self.started, 3),
            "map_runs": [_map_run(one, now) for one in self.map_runs],
            "cohort": {stage: "done" if done else "pending" for stage, done in self.cohort},
            "failures": {
                "by_class": dict(self.failures_by_class().most_common()),
                "items": [one.to_json() for one in self.failures],
            },
            **({"error": self.error} if self.error else {}),
            **({"missing": self.missing.to_json()} if self.missing else {}),
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
    }
