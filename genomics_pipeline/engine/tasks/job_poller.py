"""Polling for the ends of jobs that run elsewhere: all jobs in one poll, less often while none ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.tasks.job_runner import JobDetail

FIRST_POLL_S, LONGEST_POLL_S, GROWTH = 1.0, 30.0, 1.5


@dataclass(frozen=True, slots=True)
class PollRate:
    """The limits on polling.

    Attributes:
        jobs_per_call: Maximum number of jobs that a call describes.
        calls_per_s: Maximum number of calls in a second.
    """

    jobs_per_call: int
    calls_per_s: float


class JobPoller:
    """The wait for the ends of jobs.

    Args:
        ended_jobs: Returns the details of those jobs, by ID, that have ended; called in a thread with all IDs.
        rate: The limits on polling.
        clock: The source of delays between polls.
    """

    def __init__(
        self, ended_jobs: Callable[[Sequence[str]], Mapping[str, JobDetail]], rate: PollRate, clock: Clock
    ) -> None:
        self._ended_jobs = ended_jobs
        self._rate = rate
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[JobDetail]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def end(self, job_id: str) -> JobDetail:
        """Wait until a job has ended and return its detail; an exception of a poll is raised to all callers."""
        end: asyncio.Future[JobDetail] = asyncio.get_running_loop().create_future()
        self._waiting[job_id] = end
        if self._polling is None:
            self._polling = asyncio.ensure_future(self._poll())
        try:
            return await end
        finally:
            del self._waiting[job_id]

    async def _poll(self) -> None:
        try:
            delay = FIRST_POLL_S
            while self._waiting:
                known = set(self._waiting)
                least = len(known) / self._rate.jobs_per_call / self._rate.calls_per_s
                await self._clock.sleep(max(delay, least))
                ended = await asyncio.to_thread(self._ended_jobs, sorted(self._waiting))
                for job_id, detail in ended.items():
                    if (waiting := self._waiting.get(job_id)) and not waiting.done():
                        waiting.set_result(detail)
                await asyncio.sleep(0)  # lets the callers continue, who may submit other jobs
                changed = ended or not known >= set(self._waiting)
                delay = FIRST_POLL_S if changed else min(delay * GROWTH, LONGEST_POLL_S)
        except Exception as error:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(error)
        finally:
            self._polling = None
