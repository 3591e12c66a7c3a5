"""The result files of the Map Runs of a run, as they lie below its folder, without asking who wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.result_files import newest_details
from genomics_pipeline.runs.run_files import RunFiles


@dataclass(frozen=True, slots=True)
class WrittenResults:
    """The result files of one Map Run.

    Attributes:
        details: ResultWriterDetails after its last redrive: ``Bucket``, and ``Key`` of the manifest.
        modified: The time of the last write of a manifest, in whole seconds since the epoch.
    """

    details: Mapping[str, str]
    modified: int


def written_results(files: RunFiles, label: str) -> list[WrittenResults]:
    """Return the result files of every Map Run with a Label that wrote some, oldest first.

    Args:
        files: The files of the run.
        label: The Label.
    """
    place = files.place
    folder = place.uri(f"{run_layout.map_runs(label)}/")
    modified: dict[str, int] = {}
    for info in files.store.list(folder):
        uuid, _, rest = info.uri.removeprefix(folder).partition("/")
        if rest.rpartition("/")[2] == run_layout.RESULT_MANIFEST:
            modified[uuid] = max(info.modified, modified.get(uuid, 0))
    found = []
    for uuid, moment in modified.items():
        details = {"Bucket": place.bucket, "Key": place.prefix + run_layout.result_manifest(label, uuid)}
        found.append(WrittenResults(newest_details(files.store, details), moment))
    return sorted(found, key=lambda one: one.modified)
