"""The files about a run in `results/pipeline_info/`: versions of software, parameters, metrics, traces of tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from tempfile import TemporaryFile

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_bounds import StageBounds, file_form
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.report import graph_svg, multiqc_table, trace_table
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.report.run_summary import RunSummary
from genomics_pipeline.report.task_trace import TaskTrace
from genomics_pipeline.report.timeline import FILE as TIMELINE
from genomics_pipeline.report.timeline import Timeline
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.software_versions import FILE, software_versions
from genomics_pipeline.runs.task_trace import task_traces


def write_pipeline_info(
    folder: RunFolder,
    files: RunFiles,
    pipeline: Pipeline,
    overrides: Mapping[str, Mapping[str, Value]],
    bounds: StageBounds,
    summary: RunSummary,
    failures: Iterable[ItemFailure] = (),
) -> None:
    """Write the versions of the software, the metrics, ``parameters.json``, the graph, and the traces of the tasks.

    Args:
        folder: The folder of the run.
        files: Its files.
        pipeline: The pipeline of the run.
        overrides: The overridden parameters by stage and name.
        bounds: The bounds of metrics that the run has in place of the pipeline's.
        summary: The outcome of the run.
        failures: The failures of tasks that may have left no record of their own.
    """
    target = folder.path / run_layout.PIPELINE_INFO
    parameters = {
        stage.name: {
            **resolve(
                stage.step.parameters, {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
            ),
            **file_form(bounds.get(stage.name, {})),
        }
        for stage in pipeline.stages
    }
    folder.write(target / FILE, software_versions(files).text())
    folder.write(target / multiqc_table.FILE, multiqc_table.multiqc_table(summary))
    folder.write(target / "parameters.json", json.dumps(parameters, indent=2) + "\n")
    definition = read_run_definition(files.store, files.place.uri(run_layout.DEFINITION))
    folder.write(target / graph_svg.FILE, graph_svg.graph_svg(f"Pipeline {pipeline.name}", definition, failures=False))
    _write_traces(folder, task_traces(files, failures))


def _write_traces(folder: RunFolder, traces: Iterable[TaskTrace]) -> None:
    """Write the table and the timeline of the tasks, whose records are read once."""
    target = folder.path / run_layout.PIPELINE_INFO
    with TemporaryFile("w+", dir=folder.path / run_layout.ENGINE, encoding="utf-8") as events:
        timeline = Timeline()
        events.write(timeline.head())

        def noted() -> Iterator[TaskTrace]:
            for trace in traces:
                events.writelines(timeline.lines(trace))
                yield trace

        folder.write(target / trace_table.FILE, trace_table.trace_lines(noted()))
        events.write(timeline.tail())
        events.seek(0)
        folder.write(target / TIMELINE, events)
