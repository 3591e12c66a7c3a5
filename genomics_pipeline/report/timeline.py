"""The timeline of a run in the trace event format, which Perfetto (ui.perfetto.dev) and chrome://tracing open.

Source: "Trace Event Format", the JSON object format with complete events (``X``) and metadata events (``M``); times are
in microseconds. Each item is a thread, in which its stages wait and run; each scope is a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.report.task_trace import TaskTrace

FILE = "timeline.json"
PROCESSES = {"sample": "samples", "interval": "intervals", "cohort": "cohort"}
_WAITING, _RUNNING, _FAILED = "waiting", "running", "failed"


class Timeline:
    """The text of a timeline, of which tasks are added one at a time."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str, str], int] = {}

    def head(self) -> str:
        """Return the beginning of the file, with the names of its processes."""
        events: list[dict[str, Any]] = []
        for number, name in enumerate(PROCESSES.values(), 1):
            events.append({"ph": "M", "name": "process_name", "pid": number, "args": {"name": name}})
            events.append({"ph": "M", "name": "process_sort_index", "pid": number, "args": {"sort_index": number}})
        return '{"displayTimeUnit": "ms", "traceEvents": [\n' + ",\n".join(dumps(one).decode() for one in events)

    def lines(self, trace: TaskTrace) -> Iterator[str]:
        """Yield the events of a task; none if the newest execution did not run it, or its times are not known."""
        if trace.started is None or trace.ended is None or trace.reused:
            return
        pid, key = 1 + list(PROCESSES).index(trace.scope), (trace.scope, trace.item)
        thread = self._threads.get(key)
        if thread is None:
            thread = self._threads[key] = len(self._threads) + 1
            yield _line({"ph": "M", "name": "thread_name", "pid": pid, "tid": thread, "args": {"name": trace.item}})
        where = {"ph": "X", "pid": pid, "tid": thread}
        if trace.waited and trace.submitted is not None:
            times = {"ts": _microseconds(trace.submitted), "dur": _microseconds(trace.waited)}
            yield _line({**where, "name": f"{_WAITING}: {trace.stage}", "cat": _WAITING, **times})
        times = {"ts": _microseconds(trace.started), "dur": _microseconds(trace.ended - trace.started)}
        kind = _RUNNING if trace.failure_class is None else _FAILED
        yield _line({**where, "name": trace.stage, "cat": kind, **times, "args": _arguments(trace)})

    def tail(self) -> str:
        """Return the end of the file."""
        return "\n]}\n"


def timeline_text(traces: Iterable[TaskTrace]) -> Iterator[str]:
    """Yield the parts of the file for the traces of a run."""
    timeline = Timeline()
    yield timeline.head()
    for trace in traces:
        yield from timeline.lines(trace)
    yield timeline.tail()


def _line(event: dict[str, Any]) -> str:
    return f",\n{dumps(event).decode()}"


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)


def _arguments(trace: TaskTrace) -> dict[str, Any]:
    members = {
        "attempt": trace.attempt,
        "cpus": trace.vcpus,
        "processor_seconds": trace.processor_seconds,
        "memory": trace.memory_bytes,
        "peak_memory": trace.peak_memory_bytes,
        "instance_type": trace.host.get("instance_type"),
        "failure_class": trace.failure_class and str(trace.failure_class),
        "message": trace.message or None,
    }
    return {name: value for name, value in members.items() if value is not None}
