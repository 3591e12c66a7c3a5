"""The provenance of results: versions of software and values of parameters, in `results/pipeline_info/`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_bounds import StageBounds, file_form
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.report import multiqc_table
from genomics_pipeline.report.run_summary import RunSummary
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.software_versions import FILE, software_versions


def write_pipeline_info(
    folder: RunFolder,
    files: RunFiles,
    pipeline: Pipeline,
    overrides: Mapping[str, Mapping[str, Value]],
    bounds: StageBounds,
    summary: RunSummary,
) -> None:
    """Write the versions of the software, the table of metrics, and ``parameters.json``, a file of parameters.

    Args:
        folder: The folder of the run.
        files: Its files.
        pipeline: The pipeline of the run.
        overrides: The overridden parameters by stage and name.
        bounds: The bounds of metrics that the run has in place of the pipeline's.
        summary: The outcome of the run.
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
