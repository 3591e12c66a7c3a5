"""The state of a job queue of a stack, as a run sees it: who waits, and what blocks the job at its head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.block_reasons import cancelled_after
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.block_advice import BLOCK_ADVICE, block_reason
from genomics_pipeline.report.duration import duration

QUIET_S = 600  # for so long hosts may be starting, so that a job that waits is no news


@dataclass(frozen=True, slots=True)
class QueueState:
    """The jobs at the front of a queue, of which Batch shows `quotas.FRONT_OF_QUEUE`.

    Attributes:
        queue: The name of the queue.
        waiting: The number of these jobs.
        own: The number of those that belong to the run.
        first_place: The place of the run's first job, from 1; None where the run has none among them.
        job: The name of the job at the head.
        since: The time since which it is there, in seconds since the epoch.
        status_reason: Batch's reason why it cannot start; empty where there is none.
        link: The link to it in AWS's console.
    """

    queue: str
    waiting: int
    own: int
    first_place: int | None
    job: str
    since: float
    status_reason: str = ""
    link: str = ""

    def to_json(self, now: float) -> dict[str, Any]:
        """Return the object that ``--json`` prints.

        Args:
            now: Seconds since the epoch.
        """
        return {
            "queue": self.queue,
            "waiting": self.waiting,
            "of_this_run": self.own,
            "first_place": self.first_place,
            "head": {
                "job_name": self.job,
                "of_this_run": self.first_place == 1,
                "seconds": round(now - self.since, 3),
                "reason": block_reason(self.status_reason),
                "status_reason": self.status_reason,
                "console": self.link,
            },
        }

    def lines(self, now: float) -> Iterator[str]:
        """Yield what people read; nothing where the run's jobs do not wait in the queue.

        Args:
            now: Seconds since the epoch.
        """
        is_full = self.waiting >= quotas.FRONT_OF_QUEUE.value
        if not self.own and not is_full:
            return
        which = f"first {self.waiting:,} waiting jobs" if is_full else quantity(self.waiting, "waiting job", ",")
        are = "is" if self.own == 1 else "are"
        yield f"queue {self.queue}: {self.own:,} of the {which} {are} of this run{self._place()}"
        whose = "" if self.first_place == 1 else ", of another run,"
        waited = now - self.since
        reason = f": {self.status_reason}" if self.status_reason else ""
        yield f"  the job at its head{whose} waits for {duration(waited)}{reason}"
        yield from (f"  {line}" for line in self._advice(waited))
        if self.link:
            yield f"  that job in the console: {self.link}"

    def _place(self) -> str:
        if self.first_place is None:
            return ""
        before = self.first_place - 1
        others = f" behind {quantity(before, 'job', ',')}" if before else ""
        return f", the first at place {self.first_place:,}{others}"

    def _advice(self, waited: float) -> Iterator[str]:
        if reason := block_reason(self.status_reason):
            limit = cancelled_after(reason)
            end = f"; the queue cancels the job after {limit} at its head" if limit else ""
            yield f"blocked: {BLOCK_ADVICE[reason].means}"
            yield f"to do: {BLOCK_ADVICE[reason].to_do}{end}"
        elif waited >= QUIET_S and not self.status_reason:
            yield "Batch gives no reason: hosts are busy or starting, or the account's vCPU quota is used up"
