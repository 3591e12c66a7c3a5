"""The executions of a run in a folder, from its record, and their Map Runs, from the journals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genomics_pipeline.engine.progress import ExecutionProgress, read_progress
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.records.map_run import MapRunDescription, describe_map_run
from genomics_pipeline.records.result_files import are_readable, newest_details
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.run_folder import RunFolder


def local_chain(folder: RunFolder) -> list[RunExecution]:
    """Return the executions since the last over the whole manifest, oldest first; none where nothing was run yet."""
    record = folder.record()
    if record is None:
        return []
    return [
        RunExecution(
            f"{folder.name}-{number}", WHOLE if number == record.first else run_layout.rerun_file(number - 1, WHOLE)
        )
        for number in range(record.first, record.execution + 1)
    ]


def local_map_runs(folder: RunFolder, execution: RunExecution) -> Sequence[MapRunDescription]:
    """Return the Map Runs of an execution that have ended; those whose result files are damaged have no results.

    Raises:
        RunError: for a damaged journal.
    """
    return ended_map_runs(folder, read_progress(folder.journal(execution.name)))


def ended_map_runs(folder: RunFolder, progress: ExecutionProgress) -> list[MapRunDescription]:
    """Return the Map Runs that have ended, as `local_map_runs`."""
    ended = [describe_map_run(one) for one in progress.ended]
    return [one if has_results(folder, one) else replace(one, results=None) for one in ended]


def has_results(folder: RunFolder, run: MapRunDescription) -> bool:
    """Return whether the result files of a Map Run can be read."""
    try:
        return run.results is not None and are_readable(folder.store, newest_details(folder.store, run.results))
    except DataError:
        return False
