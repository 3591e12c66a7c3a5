"""The state and the tasks of a run in the OpenMetrics text format, for whoever scrapes it.

Source: OpenMetrics 1.0.0, https://github.com/prometheus/OpenMetrics. All is gathered in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.report.stage_times import Distribution
from genomics_pipeline.report.task_trace import TaskTrace

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PREFIX = "genomics_pipeline"
_QUANTILES = (0.5, 0.95)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_STATES: Mapping[str, Callable[..., int]] = {
    "succeeded": lambda run: run.succeeded,
    "failed": lambda run: run.failed,
    "running": lambda run: run.running,
    "pending": lambda run: run.pending or 0,
}


@dataclass(slots=True)
class _StageTotals:
    """Sums and distributions over the attempts of a stage; `ends` counts the newest of each task alone."""

    ends: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    seconds: Distribution = field(default_factory=Distribution)
    memory: Distribution = field(default_factory=Distribution)
    waited: Distribution = field(default_factory=Distribution)
    processor_seconds: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0

    def add(self, trace: TaskTrace) -> None:
        """Add an attempt."""
        end = str(trace.failure_class) if trace.failure_class else "succeeded"
        self.attempts[end] = self.attempts.get(end, 0) + 1
        if trace.is_newest:
            end = "reused" if trace.reused and not trace.failure_class else end
            self.ends[end] = self.ends.get(end, 0) + 1
        self.processor_seconds += trace.processor_seconds or 0
        self.read_bytes += trace.read_bytes or 0
        self.written_bytes += trace.written_bytes or 0
        for value, numbers in (
            (trace.seconds, self.seconds),
            (trace.peak_memory_bytes, self.memory),
            (trace.waited, self.waited),
        ):
            if value is not None:
                numbers.add(value)


def open_metrics_lines(state: RunState, traces: Iterable[TaskTrace]) -> Iterator[str]:
    """Yield the lines of a run's metrics, each with its line break.

    Args:
        state: The state of the run.
        traces: The traces of its tasks.
    """
    stages: dict[str, _StageTotals] = {}
    for trace in traces:
        stages.setdefault(trace.stage, _StageTotals()).add(trace)
    run = ("run", state.run)
    yield from _family("run_info", "info", "The run and the status of its newest execution.")
    yield _sample("run_info", 1, run, ("status", state.status))
    yield from _family("items", "gauge", "Items of each Map Run by state.")
    for map_run in state.map_runs:
        for name, number in _STATES.items():
            yield _sample("items", number(map_run), run, ("map_run", map_run.label), ("state", name))
    yield from _family("tasks", "gauge", "Tasks by stage and end: succeeded, reused, or the class of the failure.")
    for stage, totals in stages.items():
        for end, count in sorted(totals.ends.items()):
            yield _sample("tasks", count, run, ("stage", stage), ("end", end))
    yield from _family("attempts", "counter", "Attempts of tasks by stage and end, also those that others followed.")
    for stage, totals in stages.items():
        for end, count in sorted(totals.attempts.items()):
            yield _sample("attempts_total", count, run, ("stage", stage), ("end", end))
    for name, unit, words, distribution in _SUMMARIES:
        yield from _family(name, "summary", words, unit)
        for stage, totals in stages.items():
            yield from _summary(name, distribution(totals), run, ("stage", stage))
    for name, unit, words, total in _TOTALS:
        yield from _family(name, "counter", words, unit)
        for stage, totals in stages.items():
            yield _sample(f"{name}_total", total(totals), run, ("stage", stage))
    yield "# EOF\n"


_SUMMARIES: tuple[tuple[str, str, str, Callable[[_StageTotals], Distribution]], ...] = (
    ("task_duration_seconds", "seconds", "Durations of tasks, staging included.", lambda one: one.seconds),
    (
        "task_wait_seconds",
        "seconds",
        "Times from the submission of a job to the start of a task.",
        lambda one: one.waited,
    ),
    ("task_peak_memory_bytes", "bytes", "Peak memory of the programs of tasks.", lambda one: one.memory),
)
_TOTALS: tuple[tuple[str, str, str, Callable[[_StageTotals], float]], ...] = (
    ("task_processor_seconds", "seconds", "Times of programs on all cores.", lambda one: one.processor_seconds),
    ("task_read_bytes", "bytes", "Sizes of inputs and of files of parameters.", lambda one: one.read_bytes),
    ("task_written_bytes", "bytes", "Sizes of outputs and of their indexes.", lambda one: one.written_bytes),
)


def _family(name: str, kind: str, words: str, unit: str = "") -> Iterator[str]:
    full = f"{_PREFIX}_{name.removesuffix('_info') if kind == 'info' else name}"
    yield f"# TYPE {full} {kind}\n"
    if unit:
        yield f"# UNIT {full} {unit}\n"
    yield f"# HELP {full} {words}\n"


def _sample(name: str, value: float, *labels: tuple[str, str]) -> str:
    text = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in labels)
    return f"{_PREFIX}_{name}{{{text}}} {value:.15g}\n"


def _summary(name: str, numbers: Distribution, *labels: tuple[str, str]) -> Iterator[str]:
    count = numbers.counts.total()
    for quantile in _QUANTILES if count else ():
        yield _sample(name, numbers.percentile(100 * quantile), *labels, ("quantile", str(quantile)))
    yield _sample(f"{name}_count", count, *labels)
    yield _sample(f"{name}_sum", sum(value * times for value, times in numbers.counts.items()), *labels)
