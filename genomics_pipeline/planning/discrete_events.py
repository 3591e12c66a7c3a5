"""A discrete-event simulation of an execution under the quotas of an account: when children, jobs and hosts start.

Times are seconds since the start of the execution. A child waits for its turn among the starts of its Map Run, each of
its jobs for SubmitJob's rate and then for vCPUs. Batch starts hosts while jobs wait, Spot hosts before On-Demand ones,
and jobs start in the order in which they were submitted. Hosts are pools of vCPUs: how jobs fit on single hosts is not
simulated.
"""

from __future__ import annotations

import heapq
import math
import random
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.planning.account import ON_DEMAND, AccountLimits, HostPool, TokenBucket
from genomics_pipeline.planning.scripts import MOST_LOST, SUCCEEDS, ChildScript, TaskScript

FIRST_BACKOFF_S, MOST_BACKOFF_S, MOST_REFUSED = 2, 300, 20  # of throttled submissions: `asl.task_state.SUBMIT_RETRY`
_START, _SUBMIT, _END, _HOST = range(4)


@dataclass(frozen=True, slots=True)
class StageLoad:
    """A stage of a phase.

    Attributes:
        stage: The stage.
        vcpus: The vCPUs of a job.
        rungs: The entries of its memory ladder.
        seconds: The duration of its job in each child.
        refused: How often the submission of a child's first job is refused whatever the rate, by index of the child.
    """

    stage: str
    vcpus: int
    rungs: int
    seconds: Sequence[float]
    refused: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """A state of the execution: a Distributed Map, or the Task of a cohort stage, which has one child.

    Attributes:
        name: The name of the state.
        stages: The stages of a child, in order.
        children: The number of children.
        max_concurrency: The most children at a time, of all of its Map Runs together.
        scripts: The scripts of the children of which a job fails, by index.
        map_runs: The Map Runs among which the children are divided, each of which starts children at its own rate.
        sizes: The number of items of each child; empty for one each.
        tolerated: The failed items beyond which it fails: its jobs are stopped, and nothing else begins.
        arrival_s: The time between the arrivals of two children, none of which begins before it arrives.
    """

    name: str
    stages: Sequence[StageLoad]
    children: int
    max_concurrency: int
    scripts: Mapping[int, ChildScript]
    map_runs: int = 1
    sizes: Sequence[int] = ()
    tolerated: float = math.inf
    arrival_s: float = 0.0


@dataclass(slots=True)
class SimulatedStage:
    """The times of a stage.

    Attributes:
        first: The start of its first job.
        last: The end of its last job.
        running_s: The time of all attempts together, failed ones included, on Spot and on On-Demand hosts.
        waited_s: The time that all jobs together waited for vCPUs.
        attempts: The number of attempts.
        running: The attempts that run.
        most: The most attempts at a time.
    """

    first: float = float("inf")
    last: float = 0.0
    running_s: list[float] = field(default_factory=lambda: [0.0, 0.0])
    waited_s: float = 0.0
    attempts: int = 0
    running: int = 0
    most: int = 0


@dataclass(slots=True)
class Trace:
    """The times and the greatest uses of a simulated execution.

    Attributes:
        seconds: Its duration.
        stages: The times of each stage.
        throttled: The submissions that SubmitJob refused because of its rate, each of which is retried.
        most_refused: The most refusals of one job; more than `MOST_REFUSED` fail its child.
        children: The most children at a time, by the name of the phase.
        most_vcpus: The most vCPUs at a time, of Spot and of On-Demand hosts.
        hosts: The hosts that were started.
        on_demand_hosts: Those of them that are On-Demand hosts.
        starts: The times at which children started.
        submits: The times at which jobs were submitted, refused submissions included.
        ends: The times at which attempts ended.
        child_s: The time that each child took from its arrival, or the start of its phase, to its end.
        stopped: Whether it failed because more items failed than are tolerated.
    """

    seconds: float = 0.0
    stages: dict[str, SimulatedStage] = field(default_factory=dict)
    throttled: int = 0
    most_refused: int = 0
    children: dict[str, int] = field(default_factory=dict)
    most_vcpus: list[int] = field(default_factory=lambda: [0, 0])
    hosts: int = 0
    on_demand_hosts: int = 0
    starts: array[float] = field(default_factory=lambda: array("d"))
    submits: array[float] = field(default_factory=lambda: array("d"))
    ends: array[float] = field(default_factory=lambda: array("d"))
    child_s: array[float] = field(default_factory=lambda: array("d"))
    stopped: bool = False

    @property
    def most_children(self) -> int:
        """The most children of a Map Run at a time."""
        return max(self.children.values(), default=0)


def simulate(phases: Sequence[Phase], limits: AccountLimits, seed: int) -> Trace:
    """Return what happens in an execution whose phases follow each other.

    Args:
        phases: Its phases.
        limits: The limits of the account.
        seed: The seed of backoffs and of the moments at which attempts fail.
    """
    trace = Trace()
    pool = HostPool(limits)
    chance = random.Random(seed)  # noqa: S311  # a simulation
    bucket = TokenBucket(limits.submit_rate, limits.submit_burst)
    for phase in phases:
        if phase.children and not trace.stopped:
            trace.seconds = _PhaseRun(phase, limits, trace, pool, bucket, chance).run(trace.seconds)
    return trace


class _PhaseRun:
    """A phase while it runs.

    Args:
        phase: The phase.
        limits: The limits of the account.
        trace: Receives what happens.
        pool: The hosts.
        bucket: SubmitJob's rate.
        chance: The source of chance.
    """

    def __init__(
        self,
        phase: Phase,
        limits: AccountLimits,
        trace: Trace,
        pool: HostPool,
        bucket: TokenBucket,
        chance: random.Random,
    ) -> None:
        self._phase, self._limits, self._trace, self._pool, self._bucket = phase, limits, trace, pool, bucket
        self._chance = chance
        self._times = [trace.stages.setdefault(stage.stage, SimulatedStage()) for stage in phase.stages]
        self._heap: list[tuple[float, int, int, int, int, int]] = []  # time, number, kind, and three of the kind's own
        self._number = 0
        self._queue: deque[tuple[int, int, float]] = deque()  # child, stage, time of the submission
        self._waiting = 0
        self._open = self._next = 0
        self._next_start = self._begun = 0.0
        self._alarm = -1.0  # the time of the next look at children that may start
        self._failed = 0
        self._scripts: dict[tuple[int, int], list[int]] = {}

    def run(self, now: float) -> float:
        """Run the phase from a time on, and return the time of its end."""
        self._next_start = self._begun = now
        self._start_children(now)
        while self._heap:
            now, _, kind, one, two, three = heapq.heappop(self._heap)
            if kind == _END:
                self._end(now, one, two, three)
            elif kind == _START:
                self._start_children(now)
            elif kind == _SUBMIT:
                self._submit(now, one, two, three)
            else:
                self._pool.capacity[one] += two
                self._trace.hosts += 1
                self._trace.on_demand_hosts += one == ON_DEMAND
                self._place(now)
        return now if self._trace.stopped else max(self._begun, *(times.last for times in self._times))

    def _push(self, time: float, kind: int, one: int = 0, two: int = 0, three: int = 0) -> None:
        self._number += 1
        heapq.heappush(self._heap, (time, self._number, kind, one, two, three))

    def _start_children(self, now: float) -> None:
        """Start the next children, as many and as fast as allowed."""
        phase = self._phase
        while self._next < phase.children and self._open < phase.max_concurrency:
            due = max(self._next_start, self._arrival(self._next))
            if due > now:
                if due != self._alarm:
                    self._alarm = due
                    self._push(due, _START)
                return
            self._next_start = max(self._next_start, now) + 1 / (self._limits.child_starts * phase.map_runs)
            child = self._next
            self._next += 1
            self._open += 1
            most = self._trace.children.get(self._phase.name, 0)
            self._trace.children[self._phase.name] = max(most, self._open)
            self._trace.starts.append(now)
            self._submit(now, child, 0, 0)

    def _arrival(self, child: int) -> float:
        return self._begun + child * self._phase.arrival_s

    def _submit(self, now: float, child: int, stage: int, refused: int) -> None:
        """Submit a job; if SubmitJob's rate does not allow it, try again after a backoff with full jitter, or fail."""
        self._trace.submits.append(now)
        if refused < self._phase.stages[stage].refused.get(child, 0) or not self._bucket.take(now):
            self._trace.throttled += 1
            self._trace.most_refused = max(self._trace.most_refused, refused + 1)
            if refused == MOST_REFUSED:
                self._fail(now, child)
                return
            most = min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2**refused)
            self._push(now + self._chance.uniform(0, most), _SUBMIT, child, stage, refused + 1)
            return
        self._enqueue(now, child, stage)

    def _enqueue(self, now: float, child: int, stage: int) -> None:
        self._queue.append((child, stage, now))
        self._waiting += self._phase.stages[stage].vcpus
        self._place(now)

    def _place(self, now: float) -> None:
        """Start the first jobs of the queue for which there are vCPUs, and hosts for the others."""
        while self._queue:
            child, number, since = self._queue[0]
            stage, times = self._phase.stages[number], self._times[number]
            kind = self._pool.take(stage.vcpus)
            if kind is None:
                break
            self._queue.popleft()
            self._waiting -= stage.vcpus
            start = now + self._limits.job_start_s
            seconds = stage.seconds[child] * self._share(child, number)
            times.first = min(times.first, start)
            times.running_s[kind] += seconds
            times.waited_s += now - since
            times.attempts += 1
            times.running += 1
            times.most = max(times.most, times.running)
            self._trace.most_vcpus[kind] = max(self._trace.most_vcpus[kind], self._pool.used[kind])
            self._push(start + seconds, _END, child, number, kind)
        if self._queue:
            for time, kind, vcpus in self._pool.order(now, self._waiting):
                self._push(time, _HOST, kind, vcpus)

    def _script(self, child: int, stage: int) -> list[int] | None:
        """Return the kills, losses and failure that are still to come; None for a job that succeeds."""
        if child not in self._phase.scripts:
            return None
        script: TaskScript = self._phase.scripts[child].get(self._phase.stages[stage].stage, SUCCEEDS)
        return self._scripts.setdefault((child, stage), [script.out_of_memory, script.hosts_lost, script.fails])

    def _share(self, child: int, stage: int) -> float:
        """Return the share of its duration that an attempt lasts: one that does not succeed, any."""
        left = self._script(child, stage)
        return self._chance.random() if left and any(left) else 1.0

    def _end(self, now: float, child: int, number: int, kind: int) -> None:
        """End an attempt: of a job that is retried, that fails for good, or that succeeds."""
        self._pool.used[kind] -= self._phase.stages[number].vcpus
        self._times[number].last = now
        self._times[number].running -= 1
        self._trace.ends.append(now)
        left = self._script(child, number)
        if left and left[0]:
            left[0] -= 1
            stage = self._phase.stages[number]
            script = self._phase.scripts[child][stage.stage]
            if script.out_of_memory - left[0] < (script.rungs or stage.rungs):
                self._submit(now, child, number, 0)
            else:
                self._fail(now, child)
        elif left and left[1]:
            left[1] -= 1
            lost = self._phase.scripts[child][self._phase.stages[number].stage].hosts_lost - left[1]
            if lost < MOST_LOST:
                self._enqueue(now, child, number)  # Batch starts another attempt
            else:
                self._submit(now, child, number, 0)
        elif left and left[2]:
            self._fail(now, child)
        elif number + 1 == len(self._phase.stages):
            self._close(now, child)
        else:
            self._submit(now, child, number + 1, 0)
        if self._queue:
            self._place(now)

    def _fail(self, now: float, child: int) -> None:
        """End a child that failed; beyond the tolerated failures, stop all that runs and is queued."""
        self._failed += self._phase.sizes[child] if self._phase.sizes else 1
        if self._failed <= self._phase.tolerated:
            self._close(now, child)
            return
        self._trace.stopped = True
        for time, _, kind, _, number, market in self._heap:
            if kind == _END:
                self._times[number].running_s[market] -= time - now
        self._heap.clear()
        self._queue.clear()

    def _close(self, now: float, child: int) -> None:
        self._open -= 1
        self._trace.child_s.append(now - self._arrival(child))
        self._start_children(now)
