"""The files about a run for other tools, made of its records: of a run on AWS, which does not write them itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.report import graph_svg, multiqc_table, trace_table
from genomics_pipeline.report.task_trace import TaskTrace
from genomics_pipeline.report.timeline import FILE as TIMELINE
from genomics_pipeline.report.timeline import Timeline
from genomics_pipeline.runs.outcome import outcomes_of_state
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.seen_records import SeenRecords
from genomics_pipeline.runs.task_trace import run_traces
from genomics_pipeline.stores.publish import publishing

MADE = (graph_svg.FILE, multiqc_table.FILE, trace_table.FILE, TIMELINE)


def write_run_info(run: ReadableRun, target: Path) -> int:
    """Write the graph, the table for MultiQC and the traces of a run, and return the number of files.

    Args:
        run: The run.
        target: The folder that corresponds to the run's ``results/``.

    Raises:
        RunError: if the run has no definition or no execution; if AWS cannot be reached.
    """
    files, seen = run.files, SeenRecords()
    folder = target / run_layout.PIPELINE_INFO.removeprefix(run_layout.RESULTS)
    definition = read_run_definition(files.store, files.place.uri(run_layout.DEFINITION))
    state = run.state_with(seen)
    graph = graph_svg.graph_svg(f"Pipeline {state.pipeline}", definition, failures=False)
    table = multiqc_table.multiqc_table(outcomes_of_state(files, run.declared_metrics(), state, seen))
    for name, text in ((graph_svg.FILE, graph), (multiqc_table.FILE, table)):
        with publishing(folder / name, target) as out:
            out.write(text.encode())
    _write_traces(run, folder, target)
    return len(MADE)


def _write_traces(run: ReadableRun, folder: Path, target: Path) -> None:
    """Write the table and the timeline of the tasks, whose records are read once.

    Args:
        run: The run.
        folder: The folder of the files.
        target: The folder of all results.
    """
    timeline = Timeline()
    with publishing(folder / trace_table.FILE, target) as table, publishing(folder / TIMELINE, target) as events:

        def noted() -> Iterator[TaskTrace]:
            for trace in run_traces(run):
                events.writelines(line.encode() for line in timeline.lines(trace))
                yield trace

        events.write(timeline.head().encode())
        table.writelines(line.encode() for line in trace_table.trace_lines(noted()))
        events.write(timeline.tail().encode())
