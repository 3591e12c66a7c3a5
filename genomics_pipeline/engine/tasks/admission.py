"""Admission of jobs: the cores and memory of this machine, shared fairly in the order of arrival."""

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
    """Shares of this machine, whose sum never exceeds it.

    A share is an even part of what is free among the jobs that wait, at least one core and at most what the job
    declares; its memory is at least its cores' part of the machine's. Nothing is given out before everything that is
    ready now has asked, so that the first job of several does not take the whole machine.
    """

    def __init__(self, cores: int, memory_mib: int) -> None:
        self._cores = cores
        self._memory_mib = memory_mib
        self._free = [cores, memory_mib]
        self._queue: deque[_WaitingJob] = deque()
        self._scheduled = False

    async def acquire(self, vcpus: int, memory_mib: int) -> Share:
        """Wait for a share."""
        admitted = asyncio.get_running_loop().create_future()
        waiting = _WaitingJob(vcpus, memory_mib, admitted)
        self._queue.append(waiting)
        self._schedule()
        try:
            share: Share = await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self.release(admitted.result())  # granted and cancelled at the same time
            else:
                self._queue.remove(waiting)
                self._schedule()
            raise
        return share

    def release(self, share: Share) -> None:
        """Give a share back."""
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
                return  # its acquire takes it out of the queue, and calls again
            if share.vcpus > self._free[0] or share.memory_mib > self._free[1]:
                return  # the first in line is not overtaken, or a large one would never begin
            self._queue.popleft()
            self._free[0] -= share.vcpus
            self._free[1] -= share.memory_mib
            first.admitted.set_result(share)

    def _share(self, job: _WaitingJob) -> Share:
        free_vcpus, free_mib = self._free
        vcpus = max(1, min(job.vcpus, free_vcpus // len(self._queue)))
        if job.memory_mib > free_mib:  # fewer cores, of which what is free is enough memory
            vcpus = max(1, min(vcpus, free_mib * self._cores // self._memory_mib))
        at_once = max(1, min(len(self._queue), free_vcpus))
        least = self._memory_mib * vcpus // self._cores
        return Share(vcpus, max(1, min(job.memory_mib, max(least, free_mib // at_once))))
