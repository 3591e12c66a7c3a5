"""Admission of jobs to this machine, whose cores and memory are shared evenly in the order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LeastMemory = Callable[[int], int]  # the memory, in MiB, that a job needs at least with this number of cores


@dataclass(frozen=True, slots=True)
class Share:
    """The cores and memory of one job."""

    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class _WaitingJob:
    vcpus: int
    memory_mib: int
    least_mib: LeastMemory
    admitted: asyncio.Future[Share]


class Admission:
    """The granting of shares of this machine, whose sum never exceeds the machine.

    A share is an even part of the free cores among the waiting jobs that fit into the free memory together, at least
    one core and at most what the job declares. Its memory is what the job needs at least or, where that is more, in
    proportion to its cores and at most what it declares. Shares are granted only after all jobs that are ready now have
    joined the queue, so that the first of several does not get the whole machine.

    Args:
        cores: Cores of the machine.
        memory_mib: Memory of the machine.
        jobs: The greatest number of shares at the same time; None for as many as fit.
    """

    def __init__(self, cores: int, memory_mib: int, jobs: int | None = None) -> None:
        self._cores = cores
        self._memory_mib = memory_mib
        self._free = [cores, memory_mib, min(cores, jobs or cores)]
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
        waiting = _WaitingJob(vcpus, memory_mib, lambda count: min(least_mib(count), self._memory_mib), admitted)
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
        self._give(share, 1)
        self._schedule()

    def _give(self, share: Share, sign: int) -> None:
        for place, amount in enumerate((share.vcpus, share.memory_mib, 1)):
            self._free[place] += sign * amount

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
            share = self._share(first)
            if share is None:
                return  # nobody overtakes the first in the queue, or a large job might never start
            self._queue.popleft()
            self._give(share, -1)
            first.admitted.set_result(share)

    def _share(self, job: _WaitingJob) -> Share | None:
        """Return the share of the first job in the queue; None while it does not fit.

        The number of jobs that start beside it is chosen so that they use most cores; more jobs where two are equal.
        """
        free_vcpus, free_mib, free_jobs = self._free
        chosen, used = None, 0
        for concurrent in range(min(len(self._queue), free_vcpus, free_jobs), 0, -1):
            vcpus = min(job.vcpus, free_vcpus // concurrent)
            while vcpus and job.least_mib(vcpus) > free_mib // concurrent:
                vcpus -= 1
            uses = concurrent * vcpus + self._remainder(job, concurrent, vcpus)
            if vcpus and uses > used:
                chosen, used = (concurrent, vcpus), uses
        if chosen is None:
            return None
        concurrent, vcpus = chosen
        fair = min(self._memory_mib * vcpus // self._cores, free_mib // concurrent)
        return Share(vcpus, max(1, job.least_mib(vcpus), min(job.memory_mib, fair)))

    def _remainder(self, job: _WaitingJob, concurrent: int, vcpus: int) -> int:
        """Return how many of several such jobs can have one core more, where the cores cannot be divided evenly."""
        free_vcpus, free_mib, _ = self._free
        more = free_vcpus % concurrent if vcpus == free_vcpus // concurrent < job.vcpus else 0
        needed = more and (concurrent - more) * job.least_mib(vcpus) + more * job.least_mib(vcpus + 1)
        return more if needed <= free_mib else 0
