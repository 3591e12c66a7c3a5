"""Admission of jobs to this machine, whose cores and memory are shared evenly in the order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.shares import JobNeeds, LeastMemory, MachineShares, Share


@dataclass(frozen=True, slots=True)
class _WaitingJob:
    needs: JobNeeds
    admitted: asyncio.Future[Share]


class Admission:
    """The granting of shares of this machine: see `MachineShares`.

    Shares are granted only after all jobs that are ready now have joined the queue, so that the first of several does
    not get the whole machine.

    Args:
        cores: Cores of the machine.
        memory_mib: Memory of the machine.
        jobs: The greatest number of shares at the same time; None for as many as fit.
    """

    def __init__(self, cores: int, memory_mib: int, jobs: int | None = None) -> None:
        self._shares = MachineShares(cores, memory_mib, jobs)
        self._queue: deque[_WaitingJob] = deque()
        self._scheduled = False

    async def acquire(self, vcpus: int, memory_mib: int, least_mib: LeastMemory) -> Share:
        """Wait for a share and return it.

        Args:
            vcpus: The most cores.
            memory_mib: The most memory, unless more is needed.
            least_mib: The memory that is needed with a number of cores; what exceeds the machine counts as all of it.
        """
        admitted = asyncio.get_running_loop().create_future()
        waiting = _WaitingJob(JobNeeds(vcpus, memory_mib, least_mib), admitted)
        self._queue.append(waiting)
        self._schedule()
        try:
            share: Share = await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self.release(admitted.result())  # it was granted in the moment of the cancellation
            else:
                self._queue.remove(waiting)
                self._schedule()
            raise
        return share

    def release(self, share: Share) -> None:
        """Return a share to the machine."""
        self._shares.give_back(share)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._admit)

    def _admit(self) -> None:
        self._scheduled = False
        while self._queue:
            first = self._queue[0]
            if first.admitted.cancelled():
                return  # `acquire` removes it from the queue and schedules another call
            share = self._shares.next_share(first.needs, len(self._queue))
            if share is None:
                return  # nobody overtakes the first in the queue, or a large job might never start
            self._queue.popleft()
            self._shares.take(share)
            first.admitted.set_result(share)
