"""Admission of jobs to this machine, whose cores and memory are shared evenly in the order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """The cores and memory of one job."""

    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class _WaitingJob:
    vcpus: int
    memory_mib: int
    admitted: asyncio.Future[Share]


class Admission:
    """The granting of shares of this machine, whose sum never exceeds the machine.

    A share is an even part of the free cores among the waiting jobs, at least one core and at most what the job
    declares; its memory is at least in proportion to its cores. Shares are granted only after all jobs that are ready
    now have joined the queue, so that the first of several does not get the whole machine.
    """

    def __init__(self, cores: int, memory_mib: int) -> None:
        self._cores = cores
        self._memory_mib = memory_mib
        self._free = [cores, memory_mib]
        self._queue: deque[_WaitingJob] = deque()
        self._scheduled = False

    async def acquire(self, vcpus: int, memory_mib: int) -> Share:
        """Wait for a share of at most `vcpus` cores and `memory_mib` of memory, and return it."""
        admitted = asyncio.get_running_loop().create_future()
        waiting = _WaitingJob(vcpus, memory_mib, admitted)
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
        self._free[0] += share.vcpus
        self._free[1] += share.memory_mib
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._admit)

    def _admit(self) -> None:
        self._scheduled = False
        while self._queue:
            first = self._queue[0]
            share = self._share(first)
            if first.admitted.cancelled():
                return  # `acquire` removes it from the queue and schedules another call
            if share.vcpus > self._free[0] or share.memory_mib > self._free[1]:
                return  # nobody overtakes the first in the queue, or a large job might never start
            self._queue.popleft()
            self._free[0] -= share.vcpus
            self._free[1] -= share.memory_mib
            first.admitted.set_result(share)

    def _share(self, job: _WaitingJob) -> Share:
        free_vcpus, free_mib = self._free
        vcpus = max(1, min(job.vcpus, free_vcpus // len(self._queue)))
        if job.memory_mib > free_mib:  # only as many cores as the free memory is in proportion to
            vcpus = max(1, min(vcpus, free_mib * self._cores // self._memory_mib))
        concurrent = max(1, min(len(self._queue), free_vcpus))
        least_mib = self._memory_mib * vcpus // self._cores
        return Share(vcpus, max(1, min(job.memory_mib, max(least_mib, free_mib // concurrent))))
