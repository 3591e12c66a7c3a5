"""A simulation of an execution on one machine, whose cores and memory its jobs share by the rules of the local runner.

Shares are granted by `engine.tasks.admission`, the very code that grants them to the jobs of a local run; jobs only
take virtual time. The times of the same execution are always the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.engine.fast_forward import FastForwardLoop
from genomics_pipeline.engine.tasks.admission import Admission, LeastMemory


@dataclass(frozen=True, slots=True)
class LocalStage:
    """A stage on a machine.

    Attributes:
        stage: Its name.
        vcpus: The most cores of a job.
        memory_mib: The memory that a job declares.
        least_mib: The memory that a job needs at least, by its cores.
        seconds: Returns the duration of the job of a child, by the child's index and the job's cores.
    """

    stage: str
    vcpus: int
    memory_mib: int
    least_mib: LeastMemory
    seconds: Callable[[int, int], float]


@dataclass(frozen=True, slots=True)
class LocalPhase:
    """A state of the execution: a Distributed Map, or the Task of a cohort stage, which has one child.

    Attributes:
        stages: The stages of a child, in order.
        children: The number of children.
        max_concurrency: The most children at a time.
    """

    stages: Sequence[LocalStage]
    children: int
    max_concurrency: int


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
        seconds: From the start of its first job to the end of its last.
        stages: The times of each stage.
    """

    seconds: float = 0.0
    stages: dict[str, LocalTimes] = field(default_factory=dict)


def simulate_here(
    phases: Sequence[LocalPhase], cores: int, memory_mib: int, jobs: int | None, between_s: float
) -> LocalTrace:
    """Return the times of phases that follow each other on a machine.

    Args:
        phases: The phases.
        cores: The cores for jobs.
        memory_mib: The memory for jobs.
        jobs: The most jobs at a time; None for as many as fit.
        between_s: The time from the end of a job to the start of the next one on its cores.
    """
    trace = LocalTrace()

    async def run() -> None:
        admission = Admission(cores, memory_mib, jobs)
        for phase in phases:
            await _run_phase(phase, admission, between_s, trace)

    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        runner.run(run())
    return trace


async def _run_phase(phase: LocalPhase, admission: Admission, between_s: float, trace: LocalTrace) -> None:
    waiting = iter(range(phase.children))

    async def run_children() -> None:
        for child in waiting:
            for stage in phase.stages:
                await _run_job(stage, child, admission, between_s, trace)

    await asyncio.gather(*(run_children() for _ in range(min(phase.children, phase.max_concurrency))))


async def _run_job(stage: LocalStage, child: int, admission: Admission, between_s: float, trace: LocalTrace) -> None:
    loop, times = asyncio.get_running_loop(), trace.stages.setdefault(stage.stage, LocalTimes())
    queued = loop.time()
    share = await admission.acquire(stage.vcpus, stage.memory_mib, stage.least_mib)
    start, seconds = loop.time(), stage.seconds(child, share.vcpus)
    await asyncio.sleep(seconds)
    trace.seconds = times.last = loop.time()
    times.jobs += 1
    times.first = min(times.first, start)
    times.running_s += seconds
    times.waited_s += start - queued
    times.core_s += seconds * share.vcpus
    await asyncio.sleep(between_s)
    admission.release(share)


class _VirtualLoop(FastForwardLoop):
    """An event loop in which computation takes no time."""

    def time(self) -> float:
        """Return the skipped time."""
        return self.skipped
