"""Cohorts that run in virtual time on a machine, whose durations are not made by the model that predicts them.

What a job really takes differs from its prediction by the machine's speed, the stage, the sample, the size, other jobs
beside it, a start-up time, and chance with outliers. Of what programs report or read, the time is another curve for
each stage.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count

from genomics_pipeline.engine import events
from genomics_pipeline.engine.tasks.shares import JobNeeds, MachineShares, Share
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from genomics_pipeline.planning.resource_model import STEP_DEVIATION
from genomics_pipeline.report.time_left import TimeLeft

MEMORY_MIB = 4000  # of each core
LOOKS = 10  # at the time that is left, until it is compared
OUTLIERS = 0.05  # the share of jobs whose chance is four times as great


class Sight(Enum):
    """The means by which running programs of samples are seen."""

    REPORTED = "reported"
    READ = "read"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Cohort:
    """A cohort on a machine; all errors are standard deviations of logarithms.

    Attributes:
        samples: The number of samples.
        cores: The cores of the machine.
        skew: That of the samples' sizes, which the plan knows.
        slower: How much longer all jobs take than predicted.
        stage_error: What is wrong about a stage alone.
        sample_error: What is wrong about a sample alone, in all its stages.
        exponent_error: The standard deviation of the exponent by which durations grow with predicted ones.
        noise: What is wrong about a job alone, but for outliers.
        contention: The most that jobs take longer on a machine whose cores are all in use.
        lost: The share of attempts that are lost and tried again.
        bad: The share of samples that are given up.
        sight: What is seen of programs.
        deviation: What the plan takes `stage_error` to be.
    """

    samples: int
    cores: int
    skew: float = 0.3
    slower: float = 1.0
    stage_error: float = 0.2
    sample_error: float = 0.08
    exponent_error: float = 0.1
    noise: float = 0.1
    contention: float = 0.3
    lost: float = 0.0
    bad: float = 0.0
    sight: Sight = Sight.REPORTED
    deviation: float = STEP_DEVIATION


@dataclass(frozen=True)
class Truth:
    """The truth about a stage.

    Attributes:
        factor: Its durations over the predicted ones.
        exponent: By which they grow with the predicted ones.
        usual: A predicted duration at which that changes nothing, in seconds.
        start_s: The time before the work of a job.
        first: The part of a job's time at which it begins to read or report.
        last: The part at which all is read or reported.
        bend: The exponent of the curve between.
    """

    factor: float
    exponent: float
    usual: float
    start_s: float
    first: float
    last: float
    bend: float

    def share(self, part: float) -> float:
        """Return the share that is seen at a part of a job's time."""
        return math.pow(min(1.0, max(0.0, (part - self.first) / (self.last - self.first))), self.bend)


@dataclass
class VirtualRun:
    """A run of a cohort.

    Attributes:
        cohort: The cohort.
        seed: The seed of all chance.
    """

    cohort: Cohort
    seed: int
    chosen: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = random.Random(self.seed)
        cohort = self.cohort
        sizes = [self._error(cohort.skew) for _ in range(cohort.samples)]
        intervals = [self.chosen.uniform(0.7, 1.3) for _ in range(24)]
        whole = cohort.samples**0.8
        self.phases = [
            LocalPhase(
                "Sample", [_stage("alignment", 8, 900, sizes), _stage("calling", 4, 500, sizes)], len(sizes), 1000
            ),
            LocalPhase("Interval", [_stage("aggregation", 2, 4 * whole, intervals)], len(intervals), 1000),
            LocalPhase("gather", [_stage("gather", 1, 2 * whole, [1.0])], 1, 1),
            LocalPhase("annotation", [_stage("annotation", 4, 8 * whole, [1.0])], 1, 1),
        ]
        self.phases = [
            replace(phase, stages=[replace(one, deviation=cohort.deviation) for one in phase.stages])
            for phase in self.phases
        ]
        self._truth = {stage.stage: self._truth_of(stage) for phase in self.phases for stage in phase.stages}
        self._samples = [self._error(cohort.sample_error) for _ in sizes]
        self._contention = self.chosen.uniform(0.0, cohort.contention)
        self._bad = {
            child: self.chosen.randrange(2) for child in range(len(sizes)) if self.chosen.random() < cohort.bad
        }

    def _truth_of(self, stage: LocalStage) -> Truth:
        cohort, chosen = self.cohort, self.chosen
        return Truth(
            cohort.slower * self._error(cohort.stage_error),
            chosen.gauss(1.0, cohort.exponent_error),
            stage.seconds(0, stage.needs.vcpus),
            chosen.uniform(0.0, 3.0),
            chosen.uniform(0.0, 0.05),
            chosen.uniform(0.85 if cohort.sight is Sight.REPORTED else 0.6, 1.0),
            self._error(0.15),
        )

    def _error(self, spread: float) -> float:
        return math.exp(self.chosen.gauss(-(spread**2) / 2, spread))

    def seconds(self, number: int, child: int, stage: LocalStage, share: Share, in_use: int) -> float:
        """Return how long a job really takes.

        Args:
            number: The number of its phase.
            child: The number of its child.
            stage: Its stage.
            share: Its share of the machine.
            in_use: The cores that jobs have when it starts.
        """
        truth, predicted = self._truth[stage.stage], stage.seconds(child, share.vcpus)
        chance = self._error(self.cohort.noise * (4 if self.chosen.random() < OUTLIERS else 1))
        of_sample = self._samples[child] if number == 0 else 1.0
        beside = 1 + self._contention * in_use / self.cohort.cores
        work = predicted * math.pow(predicted / truth.usual, truth.exponent - 1) * truth.factor
        return truth.start_s + work * chance * of_sample * beside

    def ratio_after(self, share: float) -> float:
        """Return the time that was expected to be left after a share of the work, over the time that really was."""
        work = self._run(lambda now, done: None, None)
        self.__post_init__()
        left = TimeLeft(self.phases, self.cohort.cores, MEMORY_MIB * self.cohort.cores)
        expected: list[tuple[float, float]] = []
        looks = iter([*(share * number / LOOKS for number in range(1, LOOKS + 1)), math.inf])
        after = next(looks)

        def look(now: float, done: float) -> None:
            nonlocal after
            if done >= after * work[1]:
                seconds = left.seconds(now).middle
                if done >= share * work[1]:
                    expected.append((now, seconds))
                while done >= after * work[1]:
                    after = next(looks)

        end, _ = self._run(look, left)
        now, seconds = expected[0]
        return seconds / (end - now)

    def _run(self, look: Callable[[float, float], None], left: TimeLeft | None) -> tuple[float, float]:
        """Run the cohort; return its end, and its work in core-seconds.

        Args:
            look: Called with the time and the work that is done, after each of many steps.
            left: Observes the events.
        """
        now = done = 0.0
        take: Callable[[events.Event, float], object] = left.take if left else lambda event, now: None
        machine = MachineShares(self.cohort.cores, MEMORY_MIB * self.cohort.cores)
        for number, phase in enumerate(self.phases):
            label = phase.label if phase.label[0].isupper() else None
            queue = deque((child, 0) for child in range(phase.children))
            if label:
                take(events.MapRunStarted(label, "", phase.children, 0), now)
                for child in range(phase.children):
                    take(events.ChildStarted(label, child, "", {}), now)
            order, ending = count(), list[tuple[float, int, int, int, Share, float, bool]]()
            running: dict[tuple[int, int], tuple[float, float, int, events.JobUsage]] = {}
            while queue or ending:
                while queue and (share := machine.next_share(phase.stages[queue[0][1]].needs, len(queue))):
                    child, stage = queue.popleft()
                    machine.take(share)
                    in_use = share.vcpus + sum(vcpus for _, _, vcpus, _ in running.values())
                    seconds, fails = self.seconds(number, child, phase.stages[stage], share, in_use), False
                    if self.chosen.random() < self.cohort.lost or (self._bad.get(child) == stage and number == 0):
                        seconds, fails = seconds * self.chosen.random(), True
                    usage = events.JobUsage()
                    name = phase.stages[stage].stage
                    at = (name, label, child if label else None)
                    take(events.JobStarted("", "", "", share.vcpus, share.memory_mib, 0.0, *at, usage), now)
                    heapq.heappush(ending, (now + seconds, next(order), child, stage, share, now, fails))
                    running[child, stage] = now, now + seconds, share.vcpus, usage
                until = ending[0][0]
                for step in range(1, 11):  # looks between two ends
                    moment = now + (until - now) * step / 10.5
                    if number == 0:
                        self._show(phase, running, moment)
                    look(moment, done + sum((moment - one[0]) * one[2] for one in running.values()))
                now, _, child, stage, share, started, fails = heapq.heappop(ending)
                machine.give_back(share)
                del running[child, stage]
                done += (now - started) * share.vcpus
                name, where = phase.stages[stage].stage, (label, child if label else None)
                code = None if fails else 0
                take(events.JobEnded("", "", "", code, None, now - started, name, *where), now)
                given_up = fails and number == 0 and self._bad.get(child) == stage
                if fails and not given_up:
                    queue.append((child, stage))
                elif not given_up and stage + 1 < len(phase.stages):
                    queue.append((child, stage + 1))
                elif label:
                    status = "FAILED" if given_up else "SUCCEEDED"
                    take(events.ChildEnded(label, child, "", {}, status, None, None, 1), now)
        return now, done

    def _show(
        self,
        phase: LocalPhase,
        running: dict[tuple[int, int], tuple[float, float, int, events.JobUsage]],
        now: float,
    ) -> None:
        """Let programs show how far they are.

        Args:
            phase: The phase of samples.
            running: The start, the end, the cores and the usage of each job that runs, by child and stage.
            now: The time.
        """
        for (_, stage), (first, last, _, usage) in running.items():
            share = self._truth[phase.stages[stage].stage].share((now - first) / (last - first))
            if self.cohort.sight is Sight.REPORTED:
                usage.progress = TaskProgress(int(1e6 * share), "reads", share)
            elif self.cohort.sight is Sight.READ:
                usage.read_share = share


def _stage(name: str, vcpus: int, seconds: float, sizes: list[float]) -> LocalStage:
    """Return a stage whose jobs take these seconds on the cores that they declare, a tenth of it whatever the cores."""

    def duration(child: int, cores: int) -> float:
        return seconds * sizes[child] * (0.1 + 0.9 * vcpus / min(cores, vcpus))

    return LocalStage(name, JobNeeds(vcpus, 8000, lambda cores: 1000 + 200 * cores), duration)
