"""The versions of the software that made a run's results, in the form that nf-core writes and MultiQC reads.

MultiQC takes files named ``*_mqc_versions.yml``: a mapping of groups to software to versions (MultiQC's documentation,
"Listing software versions"). Where tasks used different versions, as after an upgrade, all of them are listed.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.records.items import read_item_ids
from genomics_pipeline.runs.run_files import COHORT
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder

FILE = "genomics_pipeline_software_mqc_versions.yml"
PACKAGE = "genomics-pipeline"


def software_versions(folder: RunFolder, pipeline: Pipeline) -> str:
    """Return the text of the file, from the completion records of a run.

    Args:
        folder: The folder of the run.
        pipeline: The pipeline of the run.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for stage in pipeline.stages:
        tools: dict[str, set[str]] = {stage.step.name: {stage.step.version}}
        for record in _records(folder, stage):
            tools[stage.step.name].add(record.provenance.version)
            for name, value in record.tools.items():
                tools.setdefault(name, set()).add(value)
        found[stage.name] = {name: sorted(values) for name, values in tools.items()}
    found["workflow"] = {PACKAGE: [version(PACKAGE)], "python": [platform.python_version()]}
    return "".join(_lines(found))


def _records(folder: RunFolder, stage: Stage) -> Iterable[CompletionRecord]:
    place = RunPlace(folder.name, BUCKET, "")
    file = run_layout.ITEM_FILES.get(stage.scope)
    items = [COHORT] if file is None else read_item_ids(folder.store, folder.uri(file))
    for item in items:
        if record := read_completion(folder.store, place, stage.name, item):
            yield record


def _lines(groups: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    """Yield the lines of a mapping in YAML, whose quoted strings and lists are those of JSON."""
    for group, tools in groups.items():
        yield f"{json.dumps(group)}:\n"
        for name, versions in tools.items():
            value = versions[0] if len(versions) == 1 else versions
            yield f"    {json.dumps(name)}: {json.dumps(value)}\n"
