"""The traces of tasks as a table of tab-separated values, with the names and units of Nextflow's raw trace file.

Source: Nextflow's reference, "trace", https://docs.seqera.io/nextflow/reference/config/trace: columns, and the units of
``trace.raw``. ``hash``, ``rchar`` and ``wchar`` are left out, since ours would mean something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from genomics_pipeline.model.printable import table_cell
from genomics_pipeline.report.task_trace import TaskTrace

FILE = "trace.tsv"
MISSING = "-"  # as Nextflow writes it
_Cell = str | int | float | None


def trace_lines(traces: Iterable[TaskTrace]) -> Iterator[str]:
    r"""Yield the header, then a line for each attempt of each task.

    >>> trace = TaskTrace(stage="map", item="a", scope="sample", exit_code=0, submitted=1.0, started=2.5, ended=4.0,
    ...                   seconds=1.5, processor_seconds=3.0)
    >>> header, line = trace_lines([trace])
    >>> cells = dict(zip(header.split("\t"), line.split("\t")))
    >>> cells["name"], cells["status"], cells["submit"], cells["duration"], cells["realtime"], cells["%cpu"]
    ('map (a)', 'COMPLETED', '1000', '3000', '1500', '200.0')
    """
    yield "\t".join(_COLUMNS) + "\n"
    for number, trace in enumerate(traces, 1):
        cells = (str(number), *(_text(value(trace)) for name, value in _COLUMNS.items() if name != "task_id"))
        yield "\t".join(cells) + "\n"


def _text(value: _Cell) -> str:
    if value is None or value == "":
        return MISSING
    return table_cell(value) if isinstance(value, str) else str(value)


def _status(trace: TaskTrace) -> str:
    if trace.failure_class is not None:
        return "FAILED"
    return "CACHED" if trace.reused else "COMPLETED"


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _duration(trace: TaskTrace) -> int | None:
    if trace.submitted is None or trace.ended is None:
        return None
    return max(0, round((trace.ended - trace.submitted) * 1000))


def _cpu(trace: TaskTrace) -> float | None:
    if trace.processor_seconds is None or not trace.seconds:
        return None
    return round(100 * trace.processor_seconds / trace.seconds, 1)


_COLUMNS: Mapping[str, Callable[[TaskTrace], _Cell]] = {
    "task_id": lambda _: None,
    "native_id": lambda trace: trace.job_id,
    "process": lambda trace: trace.stage,
    "tag": lambda trace: trace.item,
    "name": lambda trace: f"{trace.stage} ({trace.item})",
    "status": _status,
    "exit": lambda trace: trace.exit_code,
    "attempt": lambda trace: trace.attempt,
    "cpus": lambda trace: trace.vcpus,
    "memory": lambda trace: trace.memory_bytes,
    "submit": lambda trace: _milliseconds(trace.submitted),
    "start": lambda trace: _milliseconds(trace.started),
    "complete": lambda trace: _milliseconds(trace.ended),
    "duration": _duration,
    "realtime": lambda trace: _milliseconds(trace.seconds),
    "%cpu": _cpu,
    "peak_rss": lambda trace: trace.peak_memory_bytes or None,
    "step": lambda trace: trace.step,
    "version": lambda trace: trace.version,
    "scope": lambda trace: trace.scope,
    "input_bytes": lambda trace: trace.read_bytes,
    "output_bytes": lambda trace: trace.written_bytes,
    "failure_class": lambda trace: trace.failure_class and str(trace.failure_class),
    "message": lambda trace: trace.message,
    "instance_type": lambda trace: trace.host.get("instance_type"),
    "zone": lambda trace: trace.host.get("zone"),
    "market": lambda trace: trace.host.get("market"),
    "log": lambda trace: trace.log,
}
