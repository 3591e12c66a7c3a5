"""The work of a stage: when its tasks ran and waited, and what they asked for and used."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from genomics_pipeline.planning.memory_saving import AskedResources
from genomics_pipeline.report.task_trace import TaskTrace

MIB = 1 << 20


@dataclass(slots=True)
class WorkOfStage:
    """The tasks of a stage that are done, and its attempts that failed.

    Attributes:
        stage: The stage.
        scope: The scope of its items.
        starts: The start of each task, seconds since the epoch.
        seconds: The duration of each task.
        peaks_mib: The peak memory of each task.
        waiting_s: How long the tasks waited from the submission of their jobs to their start, all together.
        failed: How many attempts failed, also those that others followed.
        failed_s: How long these ran.
        failed_by_class: Their number by class.
        failed_times: The start and the duration of those whose times are known.
        vcpus: The most cores that a task could use.
        memory_mib: The most memory that a task could use.
        processor_s: The time of the programs on all cores.
        core_s: The durations times the cores that the tasks could use.
        asked: The durations by what the tasks could use, and their kind of host.
    """

    stage: str
    scope: str
    starts: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))
    peaks_mib: array[float] = field(default_factory=lambda: array("d"))
    waiting_s: float = 0.0
    failed: int = 0
    failed_s: float = 0.0
    failed_by_class: Counter[str] = field(default_factory=Counter)
    failed_times: list[tuple[float, float]] = field(default_factory=list)
    vcpus: int = 0
    memory_mib: int = 0
    processor_s: float = 0.0
    core_s: float = 0.0
    asked: dict[AskedResources, float] = field(default_factory=dict)

    def add(self, task: TaskTrace) -> None:
        """Add an attempt of a task, which has ended."""
        seconds = task.seconds or 0.0
        if task.failure_class is not None:
            self.failed += 1
            self.failed_s += seconds
            self.failed_by_class[task.failure_class] += 1
            if task.started is not None:
                self.failed_times.append((task.started, seconds))
            return
        vcpus, memory_mib = task.vcpus or 0, (task.memory_bytes or 0) // MIB
        self.starts.append(task.started or 0.0)
        self.seconds.append(seconds)
        self.peaks_mib.append((task.peak_memory_bytes or 0) / MIB)
        self.waiting_s += task.waited or 0.0
        self.vcpus = max(self.vcpus, vcpus)
        self.memory_mib = max(self.memory_mib, memory_mib)
        self.processor_s += task.processor_seconds or 0.0
        self.core_s += seconds * vcpus
        kind, market, zone = (task.host.get(name, "") for name in ("instance_type", "market", "zone"))
        asked = AskedResources(kind, market, zone, vcpus, memory_mib)
        self.asked[asked] = self.asked.get(asked, 0.0) + seconds

    @property
    def tasks(self) -> int:
        """Return the number of tasks."""
        return len(self.starts)

    @property
    def first_s(self) -> float:
        """Return when the first task or failed attempt began."""
        return min([*self.starts, *(start for start, _ in self.failed_times)])

    @property
    def last_s(self) -> float:
        """Return when the last task or failed attempt ended."""
        return max(start + seconds for start, seconds in self._times(with_failures=True))

    @property
    def working_s(self) -> float:
        """Return the durations of all tasks together."""
        return sum(self.seconds)

    @property
    def has_times(self) -> bool:
        """Return whether the times of a task or of a failed attempt are known."""
        return bool(self.starts or self.failed_times)

    def _times(self, with_failures: bool) -> list[tuple[float, float]]:
        """Return the start and the duration of each task, and of each failed attempt if they are wanted."""
        return [*zip(self.starts, self.seconds, strict=True), *(self.failed_times if with_failures else ())]

    def running(self, first_s: float, last_s: float, buckets: int, with_failures: bool = False) -> Sequence[float]:
        """Return the mean number of tasks that ran in each of some equal parts of a time.

        Args:
            first_s: The beginning of the time.
            last_s: Its end.
            buckets: The number of parts.
            with_failures: Whether to count failed attempts, too.
        """
        times = self._times(with_failures)
        width = max(last_s - first_s, 1e-3) / buckets
        edges = [first_s + width * number for number in range(buckets + 1)]
        before = _busy_until(sorted(start for start, _ in times), edges)
        after = _busy_until(sorted(start + seconds for start, seconds in times), edges)
        busy = [one - two for one, two in zip(before, after, strict=True)]
        return [max(0.0, (later - earlier) / width) for earlier, later in pairwise(busy)]


def _busy_until(moments: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Return for each edge the seconds from each earlier moment until it, all together.

    Args:
        moments: Moments, in their order.
        edges: The edges.
    """
    sums = [0.0, *accumulate(moments)]
    counts = [bisect_left(moments, edge) for edge in edges]
    return [count * edge - sums[count] for count, edge in zip(counts, edges, strict=True)]


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of numbers in their order.

    Args:
        ordered: The numbers, at least one.
        percent: The percentage, above 0.

    >>> percentile([1, 2, 3, 4, 50], 50), percentile([1, 2, 3, 4, 50], 95)
    (3, 50)
    """
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]
