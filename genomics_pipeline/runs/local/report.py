"""The report that a run in a folder of this machine writes at its end."""

from __future__ import annotations

from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.local.reader import FolderReader
from genomics_pipeline.runs.reporting.read import ReportRequest
from genomics_pipeline.runs.reporting.write import write_report
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.routed import RoutedStore


def write_run_report(folder: RunFolder, pipeline: Pipeline, store: RoutedStore) -> None:
    """Write the report of a run that has ended, beside its results.

    Args:
        folder: The folder of the run.
        pipeline: The pipeline of the run.
        store: Local files and S3.
    """
    steps = {stage.name: stage.step for stage in pipeline.stages}
    write_report(FolderReader(folder, store), ReportRequest(steps=steps))
