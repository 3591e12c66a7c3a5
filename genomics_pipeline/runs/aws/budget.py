"""A budget of a run on AWS: when its costs pass it, nothing new begins; what has begun ends, and the run is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.aws.jobs import active_jobs
from genomics_pipeline.aws.map_runs import limit_concurrency
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.job_name import may_be_job_of
from genomics_pipeline.planning.run_cost import SpendingAccount
from genomics_pipeline.planning.typical_hosts import typical_cost
from genomics_pipeline.prices.load import load_prices
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.report.run_state import MapRunState, RunState
from genomics_pipeline.runs.aws.cancel import cancel, remaining_jobs
from genomics_pipeline.runs.aws.own_jobs import is_job_of
from genomics_pipeline.runs.aws.run import AwsRun

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

ESTIMATE_EVERY_S = 60.0  # listing the records of ten thousand samples takes a hundred requests
LEAST = 1  # of MaxConcurrency: 0 means no limit (API reference, UpdateMapRun)


@dataclass(frozen=True, slots=True)
class _Lowered:
    """A Map Run whose concurrency was lowered, and the number of items that have ended once all that began have."""

    arn: str
    label: str
    ended: int


class BudgetGuard:
    """A guard of the costs of one run while it is watched.

    Args:
        run: The run.
        dollars: The budget.
        prices_folder: The folder of the user's own prices.
        note: Shows a line.
        clock: Returns seconds, for the pause between two estimates and the elapsed time of jobs.
    """

    def __init__(
        self,
        run: AwsRun,
        dollars: float,
        prices_folder: Path | None,
        note: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._run, self._dollars, self._note, self._clock = run, dollars, note, clock
        self._prices = load_prices(run.region, prices_folder)
        self._account = SpendingAccount(lambda region: load_prices(region, prices_folder), volume_gib=0)
        self._seen: set[tuple[str, str]] = set()
        self._next = 0.0
        self._lowered: dict[str, _Lowered] = {}
        self._is_passed = False

    def look(self, state: RunState) -> None:
        """Compare the costs with the budget, and act.

        Args:
            state: The state of the run.

        Raises:
            RunError: if AWS cannot be reached, or refuses.
        """
        if state.status != "RUNNING":
            return
        if not self._is_passed and self._clock() >= self._next:
            spent = self.spent()
            self._next = self._clock() + ESTIMATE_EVERY_S
            self._is_passed = spent > self._dollars
            if self._is_passed:
                self._note(f"about ${spent:,.2f} are spent, more than the budget of ${self._dollars:,.2f}")
        if self._is_passed:
            self._stop_beginnings(state)
            if self._lowered and self._has_drained(state):
                self._note("what had begun has ended; the run is cancelled, and what is done is kept")
                cancel(self._run, self._note)

    def end(self, state: RunState) -> None:
        """Terminate the jobs of a run that was cancelled, which a command that was killed meanwhile may have left.

        Args:
            state: The last state of the run.

        Raises:
            RunError: if AWS cannot be reached, or refuses.
        """
        if state.status == "ABORTED" and any(remaining_jobs(self._run)):
            cancel(self._run, self._note)

    def spent(self) -> float:
        """Return an estimate of the dollars so far: of the tasks that are done, and of the jobs that run.

        Raises:
            RunError: if AWS cannot be reached.
        """
        self._read_new_records()
        done = sum(one.dollars for one in self._account.stages.values())
        return done + sum(map(self._job_dollars, self._running_jobs()))

    def _read_new_records(self) -> None:
        """Add the completion records that were written since the last look; none is read twice."""
        place = self._run.place
        prefix = place.uri(run_layout.STEPS)
        for one in self._run.store.list(prefix):
            stage, item = [*one.uri.removeprefix(prefix).split("/"), ""][:2]
            is_record = one.uri == place.uri(run_layout.completion_record(stage, item))
            if is_record and (one.uri, one.version) not in self._seen:
                self._seen.add((one.uri, one.version))
                if record := read_completion(self._run.store, place, stage, item):
                    self._account.add(record)

    def _running_jobs(self) -> list[JobDetailTypeDef]:
        names = self._run.names
        found = []
        for queue in (names.job_queue, names.on_demand_queue):
            jobs = active_jobs(queue, partial(may_be_job_of, self._run.name), self._run.clients)
            found += [job for job in jobs if job["status"] == "RUNNING" and is_job_of(self._run.place, job)]
        return found

    def _job_dollars(self, job: JobDetailTypeDef) -> float:
        """Return the dollars of a running job so far; its host is not known yet."""
        container = job["container"]
        needs = {one["type"]: float(one["value"]) for one in container.get("resourceRequirements", ())}
        vcpus = needs.get("VCPU", container.get("vcpus", 1))
        memory_mib = needs.get("MEMORY", container.get("memory", 1))
        is_spot = not job["jobQueue"].endswith(f"/{self._run.names.on_demand_queue}")
        seconds = max(0.0, self._clock() - job["startedAt"] / 1000)
        per_hour = typical_cost(self._prices, vcpus, memory_mib, is_spot=is_spot)
        return per_hour * seconds / 3600

    def _stop_beginnings(self, state: RunState) -> None:
        """Set MaxConcurrency of each Map Run that is running to the least, once."""
        for one in _map_runs(state):
            if one.status == "RUNNING" and one.arn is not None and one.arn not in self._lowered:
                limit_concurrency(one.arn, LEAST, self._run.clients)
                self._lowered[one.arn] = _Lowered(one.arn, one.label, one.ended + one.running)
                self._note(f"{one.label}: MaxConcurrency is {LEAST} now; {one.running} items that began go on")

    def _has_drained(self, state: RunState) -> bool:
        """Return whether every item has ended that had begun when its Map Run was lowered."""
        ended = {one.arn: one.ended for one in _map_runs(state) if one.status == "RUNNING"}
        return all(ended.get(one.arn, one.ended) >= one.ended for one in self._lowered.values())


def _map_runs(state: RunState) -> Iterator[MapRunState]:
    """Yield the Map Runs of a run, one by one where several divide the items of a Label among them."""
    for one in state.map_runs:
        yield from one.parts or (one,)
