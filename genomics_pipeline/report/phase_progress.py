"""The progress of a phase of an execution: what runs, waits and is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from genomics_pipeline.engine.events import JobUsage
from genomics_pipeline.engine.tasks.shares import Share
from genomics_pipeline.planning.local_phases import LocalPhase
from genomics_pipeline.report.measured_durations import RunningPart
from genomics_pipeline.report.share_curves import ShareTrack
from genomics_pipeline.report.virtual_schedule import ChildStage, PhaseNeeds


@dataclass(frozen=True, slots=True)
class RunningShare:
    """A job that runs.

    Attributes:
        started: Its start, in seconds.
        share: Its share of the machine.
        usage: What it reports while it runs.
        track: The shares of its work that were seen.
    """

    started: float
    share: Share
    usage: JobUsage
    track: ShareTrack = field(default_factory=ShareTrack)

    def look(self, now: float) -> None:
        """Note what it reports now."""
        progress, read = self.usage.progress, self.usage.read_share
        if progress is not None and progress.share is not None:
            self.track.note(progress.share, now - self.started, is_read=False)
        elif read is not None:
            self.track.note(read, now - self.started, is_read=True)


@dataclass(slots=True, eq=False)
class PhaseProgress:
    """The progress of a phase.

    Attributes:
        expected: The phase.
        resumed: The number of its items that had ended before the execution was resumed, the first of all.
        running: The jobs that run.
        ready: The jobs that wait, in the order in which they will run.
    """

    expected: LocalPhase
    resumed: int = 0
    running: dict[ChildStage, RunningShare] = field(default_factory=dict)
    ready: dict[ChildStage, None] = field(default_factory=dict)
    _items: int = 0
    _seen: set[int] = field(default_factory=set)  # children that have started
    _children: int = 0  # that the plan expects
    _vcpus: dict[int, int] = field(default_factory=dict)  # of the newest job, by the place of its stage

    def __post_init__(self) -> None:
        self._children = self.expected.children

    @property
    def places(self) -> dict[str, int]:
        """The place of each stage, by its name."""
        return {one.stage: place for place, one in enumerate(self.expected.stages)}

    @property
    def needs(self) -> PhaseNeeds:
        """The needs of its jobs."""
        return PhaseNeeds([one.needs for one in self.expected.stages], self.expected.max_concurrency)

    def begin_map_run(self, items: int, resumed: int) -> None:
        """Count a Map Run that begins: the plan may have expected more children than there are items.

        Args:
            items: The number of its items.
            resumed: The number of those that had ended before.
        """
        self._items += items
        self.resumed += resumed
        self.expected = replace(self.expected, children=min(self._children, self._items))

    def start(self, child: int) -> None:
        """Count a child that starts."""
        self._seen.add(child)
        self.ready[child, 0] = None

    def begin(self, job: ChildStage, now: float, share: Share, usage: JobUsage) -> None:
        """Count a job that begins.

        Args:
            job: The job.
            now: The time.
            share: Its share of the machine.
            usage: What it reports while it runs.
        """
        self._seen.add(job[0])
        self.ready.pop(job, None)
        self.running[job] = RunningShare(now, share, usage)
        self._vcpus[job[1]] = share.vcpus

    def end_job(self, job: ChildStage, *, is_done: bool) -> RunningShare | None:
        """Count a job that ended, and return it; None for one that did not run.

        Args:
            job: The job.
            is_done: Whether it succeeded; else it runs again, unless its child ends.
        """
        child, stage = job
        running = self.running.pop(job, None)
        if not is_done:
            self.ready[job] = None
        elif stage + 1 < len(self.expected.stages):
            self.ready[child, stage + 1] = None
        return running

    def end_child(self, child: int) -> int | None:
        """Count a child that ended, and return the place of the stage that it waited for; None for none."""
        self._seen.add(child)
        for stage in range(len(self.expected.stages)):
            if (child, stage) in self.ready:
                del self.ready[child, stage]
                return stage
        return None

    def predicted(self, job: ChildStage, vcpus: int) -> float:
        """Return the predicted duration of a job on a number of cores."""
        return self.expected.stages[job[1]].seconds(min(job[0], self._children - 1), vcpus)

    def usual_vcpus(self, stage: int, cores: int) -> int:
        """Return the cores that a job of a stage has.

        Args:
            stage: The place of the stage.
            cores: The cores of the machine.
        """
        return self._vcpus.get(stage) or min(self.expected.stages[stage].needs.vcpus, cores)

    def parts(self, now: float) -> Iterator[tuple[ChildStage, RunningPart]]:
        """Yield the jobs that run, with what is seen of them now."""
        for job, one in self.running.items():
            one.look(now)
            stage, predicted = self.expected.stages[job[1]].stage, self.predicted(job, one.share.vcpus)
            yield job, RunningPart(stage, predicted, now - one.started, one.track.seen)

    def fresh(self) -> Iterator[int]:
        """Yield the children that have not started; those of an execution that was resumed had ended before."""
        passed = 0
        for child in range(self.expected.children):
            if child not in self._seen:
                if passed < self.resumed:
                    passed += 1
                else:
                    yield child

    def jobs_left(self) -> bool:
        """Return whether any job is left."""
        return bool(self.running or self.ready) or next(self.fresh(), None) is not None
