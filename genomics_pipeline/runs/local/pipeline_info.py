"""The provenance of results: versions of software and values of parameters, in `results/pipeline_info/`."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.worker.step_folder import StepFolder

TOOLS = ("genomics-pipeline", "pysam", "pybwa")


def write_pipeline_info(
    folder: RunFolder,
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    overrides: Mapping[str, Mapping[str, Value]],
) -> None:
    """Write ``software_versions.json`` and ``parameters.json``.

    Args:
        folder: The folder of the run.
        pipeline: The pipeline of the run.
        steps: The steps of the pipeline by name.
        overrides: The overridden parameters by stage and name.
    """
    target = folder.path / run_layout.PIPELINE_INFO
    versions = {
        "python": platform.python_version(),
        **{tool: version(tool) for tool in TOOLS},
        "steps": {name: step.spec.version for name, step in sorted(steps.items())},
    }
    parameters = {
        stage.name: resolve(
            stage.step.parameters, {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        )
        for stage in pipeline.stages
    }
    for name, content in (("software_versions", versions), ("parameters", parameters)):
        folder.write(target / f"{name}.json", json.dumps(content, indent=2) + "\n")
