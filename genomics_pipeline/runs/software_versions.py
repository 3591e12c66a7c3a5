"""The versions of the software that made a run's results, in the form that nf-core writes and MultiQC reads.

MultiQC takes files named ``*_mqc_versions.yml``: a mapping of groups to software to versions (MultiQC's documentation,
"Listing software versions"). Where tasks used different versions, as after an upgrade, all of them are listed. All are
those of the completion records, so that they are right wherever a task ran, and whoever reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import StageGroup
from genomics_pipeline.worker.tool_versions import WORKER_TOOLS

FILE = "genomics_pipeline_software_mqc_versions.yml"
WORKFLOW = "workflow"  # the group of the worker, which all stages share


class SoftwareVersions:
    """The versions that completion records name.

    Args:
        stages: The stages, in the order in which they are to be listed.
    """

    def __init__(self, stages: Iterable[str]) -> None:
        self._found: dict[str, dict[str, set[str]]] = {name: {} for name in (*stages, WORKFLOW)}

    def add(self, record: CompletionRecord) -> None:
        """Add the versions of a step and of its tools."""
        for name, version in ((record.step, record.provenance.version), *record.tools.items()):
            group = WORKFLOW if name in WORKER_TOOLS else record.stage
            self._found[group].setdefault(name, set()).add(version)

    def text(self) -> str:
        """Return the text of the file, without the stages that no record names."""
        return "".join(
            _lines({group: {name: sorted(found) for name, found in tools.items()} for group, tools in self._groups()})
        )

    def _groups(self) -> Iterator[tuple[str, dict[str, set[str]]]]:
        return ((group, tools) for group, tools in self._found.items() if tools)


def software_versions(files: RunFiles) -> SoftwareVersions:
    """Return the versions of a run, from all its completion records.

    Args:
        files: The files of the run.

    Raises:
        RunError: if the run has no readable definition.
    """
    groups = files.groups()
    versions = SoftwareVersions(chain.from_iterable(group.stages for group in groups))
    add_records(versions, files, groups)
    return versions


def add_records(versions: SoftwareVersions, files: RunFiles, groups: Iterable[StageGroup]) -> None:
    """Add the versions of all items of groups.

    Args:
        versions: The versions.
        files: The files of the run.
        groups: The groups.
    """
    for group in groups:
        for item in files.items(group.scope):
            for stage in group.stages:
                if record := files.record(stage, item):
                    versions.add(record)


def _lines(groups: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    """Yield the lines of a mapping in YAML, whose quoted strings and lists are those of JSON."""
    for group, tools in groups.items():
        yield f"{json.dumps(group)}:\n"
        for name, versions in tools.items():
            value = versions[0] if len(versions) == 1 else versions
            yield f"    {json.dumps(name)}: {json.dumps(value)}\n"
