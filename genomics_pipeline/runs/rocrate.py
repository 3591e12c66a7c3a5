"""The RO-Crate of a run, from its records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from tempfile import TemporaryFile

from genomics_pipeline.model import run_layout
from genomics_pipeline.report.run_crate import CrateRun, RunCrate
from genomics_pipeline.runs.readable_run import ReadableRun

INPUTS = (run_layout.INPUT, run_layout.MANIFEST, run_layout.INTERVALS, run_layout.GVCFS, run_layout.EARLIER)


def run_crate(run: ReadableRun, licence: str) -> Iterator[str]:
    """Yield the parts of ``ro-crate-metadata.json``, in bounded memory.

    Args:
        run: The run, which has ended or not.
        licence: The licence of its results: a URI, or words.

    Raises:
        RunError: if the run has no readable definition; if AWS cannot be reached.
        UsageError: for a run over records.
    """
    files, state, groups = run.files, run.state(), run.files.groups()
    crated = CrateRun(
        name=state.run,
        pipeline=state.pipeline,
        stages=[stage for group in groups for stage in group.stages],
        inputs=[key for key in INPUTS if files.store.stat(files.place.uri(key)) is not None],
        started=datetime.fromtimestamp(state.started, UTC).isoformat(timespec="seconds"),
        succeeded=state.status == "SUCCEEDED",
        licence=licence,
    )
    with TemporaryFile("w+") as parts, TemporaryFile("w+") as controls:
        crate = RunCrate(crated, parts, controls)
        yield from crate.head()
        for group in groups:
            for item, records in files.ended(group):
                yield from crate.item(item, records)
        yield from crate.tail()
