"""The rest of an execution in virtual time: its jobs share the machine by the rules of the local runner."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from genomics_pipeline.engine.tasks.shares import JobNeeds, MachineShares, Share

ChildStage = tuple[int, int]  # the child, and the place of the stage among those of its phase


@dataclass(frozen=True, slots=True)
class PhaseNeeds:
    """A phase: a Distributed Map, or the Task of a cohort stage, which has one child.

    Attributes:
        stages: The needs of the job of each stage of a child, in order.
        max_concurrency: The most children at a time.
    """

    stages: Sequence[JobNeeds]
    max_concurrency: int


@dataclass(slots=True)
class PhaseRest:
    """The rest of a phase.

    Attributes:
        needs: The phase.
        running: The seconds that are left of each job that runs, with its share of the machine.
        ready: The jobs that wait, in order.
        children: The children that have not started, in order.
        seconds: Returns the duration of a job on a number of cores.
        ends: Returns whether a job is the last of its child although stages follow.
    """

    needs: PhaseNeeds
    running: Mapping[ChildStage, tuple[float, Share]] = field(default_factory=dict)
    ready: Iterable[ChildStage] = ()
    children: Iterable[int] = ()
    seconds: Callable[[ChildStage, int], float] = lambda job, vcpus: 0.0
    ends: Callable[[ChildStage], bool] = lambda job: False


def seconds_left(rest: Iterable[PhaseRest], machine: MachineShares) -> float:
    """Return the seconds until all phases have ended, one after the other.

    Args:
        rest: What is left of each phase.
        machine: The machine, free.
    """
    now = 0.0
    for phase in rest:
        now = _run_phase(phase, machine, now)
    return now


def _run_phase(phase: PhaseRest, machine: MachineShares, now: float) -> float:
    numbers, last = count(), len(phase.needs.stages) - 1
    ending: list[tuple[float, int, ChildStage, Share]] = []
    for job, (seconds, share) in phase.running.items():
        machine.take(share)
        heapq.heappush(ending, (now + seconds, next(numbers), job, share))
    queue, fresh = deque(phase.ready), iter(phase.children)
    active = len(ending) + len(queue)
    while True:
        while active < phase.needs.max_concurrency and (child := next(fresh, None)) is not None:
            queue.append((child, 0))
            active += 1
        while queue and (own := machine.next_share(phase.needs.stages[queue[0][1]], len(queue))) is not None:
            job = queue.popleft()
            machine.take(own)
            heapq.heappush(ending, (now + phase.seconds(job, own.vcpus), next(numbers), job, own))
        if not ending:
            return now
        now, _, job, share = heapq.heappop(ending)
        machine.give_back(share)
        child, stage = job
        if stage < last and not phase.ends(job):
            queue.append((child, stage + 1))
        else:
            active -= 1
