"""A simulation of an execution on machines of one's own, whose cores and memory are shared by the rules of a runner.

On this machine, shares are granted by `engine.tasks.admission`, the very code that grants them to the jobs of a local
run; on a cluster, by `cluster`. Jobs only take virtual time. The times of the same execution are always the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from genomics_pipeline.engine.fast_forward import FastForwardLoop
from genomics_pipeline.engine.tasks.shares import LeastMemory, Share
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage

S = TypeVar("S", bound=Share)


class JobRoom(Protocol[S]):
    """Cores and memory for jobs."""

    async def acquire(self, vcpus: int, memory_mib: int, least_mib: LeastMemory) -> S:
        """Wait for a share and return it; see `Admission.acquire`."""

    def release(self, share: S) -> None:
        """Return a share."""


@dataclass(frozen=True, slots=True)
class JobOverhead:
    """The times around the work of a job, in seconds.

    Attributes:
        submit: From the moment that it is ready to its place in the queue.
        start: On its cores, before its work.
        end: On its cores, after its work.
        seen: After that, until its end is known and the next job of its child is ready.
    """

    submit: float = 0.0
    start: float = 0.0
    end: float = 0.0
    seen: float = 0.0


@dataclass(slots=True)
class LocalTimes:
    """The times of a stage, in seconds since the first job could start.

    Attributes:
        jobs: The number of its jobs.
        first: The start of its first job.
        last: The end of its last job.
        running_s: The durations of its jobs together.
        waited_s: The time that they waited for cores, together.
        core_s: Their durations times their cores.
    """

    jobs: int = 0
    first: float = float("inf")
    last: float = 0.0
    running_s: float = 0.0
    waited_s: float = 0.0
    core_s: float = 0.0


@dataclass(slots=True)
class LocalTrace:
    """The times of a simulated execution.

    Attributes:
        seconds: From the moment that its first job is ready until the end of its last is known.
        stages: The times of each stage.
        submits: The time and the stage of each job's submission.
        most_jobs: The most jobs that run at a time.
        most_queued: The most jobs that run or wait for cores at a time.
        most_cores: The most cores that jobs have at a time.
    """

    seconds: float = 0.0
    stages: dict[str, LocalTimes] = field(default_factory=dict)
    submits: list[tuple[float, str]] = field(default_factory=list)
    most_jobs: int = 0
    most_queued: int = 0
    most_cores: int = 0


@dataclass(slots=True)
class _InUse:
    """The jobs and cores in use at a moment."""

    jobs: int = 0
    queued: int = 0
    cores: int = 0


def simulate_jobs(phases: Sequence[LocalPhase], room: JobRoom[S], overhead: JobOverhead) -> LocalTrace:
    """Return the times of phases that follow each other.

    Args:
        phases: The phases.
        room: The cores and the memory for jobs.
        overhead: The times around each job.
    """
    run = _SimulatedJobs(room, overhead)
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        runner.run(run.phases(phases))
    return run.trace


class _SimulatedJobs(Generic[S]):
    """A simulated execution.

    Args:
        room: The cores and the memory for jobs.
        overhead: The times around each job.
    """

    def __init__(self, room: JobRoom[S], overhead: JobOverhead) -> None:
        self._room, self._overhead = room, overhead
        self.trace, self._in_use = LocalTrace(), _InUse()

    async def phases(self, phases: Sequence[LocalPhase]) -> None:
        """Run phases one after another."""
        for phase in phases:
            waiting = iter(range(phase.children))
            most = min(phase.children, phase.max_concurrency)
            await asyncio.gather(*(self._children(phase, waiting) for _ in range(most)))

    async def _children(self, phase: LocalPhase, waiting: Iterator[int]) -> None:
        for child in waiting:
            for stage in phase.stages:
                await self._job(stage, child)

    async def _job(self, stage: LocalStage, child: int) -> None:
        loop, overhead, trace = asyncio.get_running_loop(), self._overhead, self.trace
        times = trace.stages.setdefault(stage.stage, LocalTimes())
        await asyncio.sleep(overhead.submit)
        queued = loop.time()
        trace.submits.append((queued, stage.stage))
        self._count(0, 1, 0)
        share = await self._room.acquire(stage.needs.vcpus, stage.needs.memory_mib, stage.needs.least_mib)
        self._count(1, 0, share.vcpus)
        waited_s = loop.time() - queued
        await asyncio.sleep(overhead.start)
        start, seconds = loop.time(), stage.seconds(child, share.vcpus)
        await asyncio.sleep(seconds)
        times.last = loop.time()
        times.jobs += 1
        times.first = min(times.first, start)
        times.running_s += seconds
        times.waited_s += waited_s
        times.core_s += (overhead.start + seconds) * share.vcpus
        trace.seconds = times.last + overhead.seen
        await asyncio.sleep(overhead.end)
        self._count(-1, -1, -share.vcpus)
        self._room.release(share)
        await asyncio.sleep(overhead.seen)

    def _count(self, jobs: int, queued: int, cores: int) -> None:
        """Note jobs that start or end, are submitted or end, and their cores."""
        trace, now = self.trace, self._in_use
        now.jobs, now.queued, now.cores = now.jobs + jobs, now.queued + queued, now.cores + cores
        trace.most_jobs, trace.most_queued = max(trace.most_jobs, now.jobs), max(trace.most_queued, now.queued)
        trace.most_cores = max(trace.most_cores, now.cores)


class _VirtualLoop(FastForwardLoop):
    """An event loop in which computation takes no time."""

    def time(self) -> float:
        """Return the skipped time."""
        return self.skipped
