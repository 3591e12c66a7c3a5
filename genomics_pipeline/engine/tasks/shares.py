"""Shares of a machine, whose cores and memory its jobs divide evenly among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LeastMemory = Callable[[int], int]  # the memory, in MiB, that a job needs at least with this number of cores


@dataclass(frozen=True, slots=True)
class Share:
    """The cores and memory of one job."""

    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class JobNeeds:
    """The needs of a job.

    Attributes:
        vcpus: The most cores.
        memory_mib: The most memory, unless more is needed.
        least_mib: The memory that is needed with a number of cores; what exceeds the machine counts as all of it.
    """

    vcpus: int
    memory_mib: int
    least_mib: LeastMemory


class MachineShares:
    """The shares of a machine that are taken, whose sum never exceeds the machine.

    A share is an even part of the free cores among the waiting jobs that fit into the free memory together, at least
    one core and at most what the job declares. Its memory is what the job needs at least or, where that is more, in
    proportion to its cores and at most what it declares.

    Args:
        cores: Cores of the machine.
        memory_mib: Memory of the machine.
        jobs: The greatest number of shares at the same time; None for as many as fit.
    """

    def __init__(self, cores: int, memory_mib: int, jobs: int | None = None) -> None:
        self._cores = cores
        self._memory_mib = memory_mib
        self._free = [cores, memory_mib, min(cores, jobs or cores)]

    def take(self, share: Share) -> None:
        """Take a share of the machine."""
        self._give(share, -1)

    def give_back(self, share: Share) -> None:
        """Return a share to the machine."""
        self._give(share, 1)

    def _give(self, share: Share, sign: int) -> None:
        for place, amount in enumerate((share.vcpus, share.memory_mib, 1)):
            self._free[place] += sign * amount

    def next_share(self, job: JobNeeds, waiting: int) -> Share | None:
        """Return the share of the first job in a queue; None while it does not fit.

        The number of jobs that start beside it is chosen so that they use most cores; more jobs where two are equal.

        Args:
            job: The job.
            waiting: The number of jobs in the queue.
        """
        free_vcpus, free_mib, free_jobs = self._free
        chosen, used = None, 0
        for concurrent in range(min(waiting, free_vcpus, free_jobs), 0, -1):
            vcpus = min(job.vcpus, free_vcpus // concurrent)
            while vcpus and self._least(job, vcpus) > free_mib // concurrent:
                vcpus -= 1
            uses = concurrent * vcpus + self._remainder(job, concurrent, vcpus)
            if vcpus and uses > used:
                chosen, used = (concurrent, vcpus), uses
            if used == free_vcpus:
                break  # fewer jobs cannot use more
        if chosen is None:
            return None
        concurrent, vcpus = chosen
        fair = min(self._memory_mib * vcpus // self._cores, free_mib // concurrent)
        return Share(vcpus, max(1, self._least(job, vcpus), min(job.memory_mib, fair)))

    def _least(self, job: JobNeeds, vcpus: int) -> int:
        return min(job.least_mib(vcpus), self._memory_mib)

    def _remainder(self, job: JobNeeds, concurrent: int, vcpus: int) -> int:
        """Return how many of several such jobs can have one core more, where the cores cannot be divided evenly."""
        free_vcpus, free_mib, _ = self._free
        more = free_vcpus % concurrent if vcpus == free_vcpus // concurrent < job.vcpus else 0
        needed = more and (concurrent - more) * self._least(job, vcpus) + more * self._least(job, vcpus + 1)
        return more if needed <= free_mib else 0
