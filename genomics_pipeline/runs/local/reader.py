"""A run in a folder of this machine as it is read, from the journal of the engine and the files of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.records.local_run import summary_metrics
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_page.run_report import INJECTED
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.faults.fault_log import logged_injections
from genomics_pipeline.runs.local.state import FolderWatcher, folder_failures
from genomics_pipeline.runs.run_files import RunFiles, folder_files
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.routed import RoutedStore


class FolderReader:
    """A run in a folder of this machine; implements `runs.readable_run.ReadableRun`.

    Args:
        folder: The folder.
        store: Local files and S3.
    """

    def __init__(self, folder: RunFolder, store: RoutedStore) -> None:
        self._folder = folder
        self.files: RunFiles = folder_files(folder, store)

    @property
    def requested_pipeline(self) -> str:
        """The pipeline in the record of the run."""
        return self._folder.executed().arguments.pipeline

    @cached_property
    def _watcher(self) -> FolderWatcher:
        return FolderWatcher(self._folder, self.files)

    def state(self) -> RunState:
        """Read the state from the journal."""
        return self._watcher.now()

    def state_with(self, times: TimesByStage) -> RunState:
        """Read the state, and give the records that are read for it to `times`."""
        return self._watcher.now(times)

    def declared_metrics(self) -> DeclaredMetrics:
        """Read the metrics from the record of the run."""
        record = self._folder.record()
        return summary_metrics(record, self.files.shown_key(run_layout.RECORD)) if record else {}

    def facts(self) -> Iterator[tuple[str, str]]:
        """Read them from the record of the run."""
        record = self._folder.executed()
        given = record.arguments
        options = ["--out", str(self._folder.path), "--reference", given.reference, "--pipeline", given.pipeline]
        for name, values in (("--param", given.parameters), ("--bound", given.bounds), ("--sample", given.samples)):
            options += [word for value in values for word in (name, value)]
        for name, value in (("--tolerate", given.tolerate), ("--max-failures", given.max_failures)):
            options += [name, value] if value else []
        options += [f"--containers={given.containers}"] if given.containers else []
        options += [*given.others, *(given.slurm.words() if given.slurm else ())]
        if given.manifest:
            yield "Command", command_line("run", given.manifest, *options)
            yield "Sample sheet", given.manifest
        yield "Reference", given.reference
        yield "Pipeline", record.pipeline
        yield "Digest of definition, input and items", record.digest
        injected = Counter(one.fault for one in logged_injections(self._folder.path / run_layout.INJECTED_FAULTS))
        yield from ((INJECTED, f"{fault}: {quantity(times, 'time')}") for fault, times in injected.items())

    def failed_items(self) -> list[ItemFailure]:
        """Read the failures from the result files and the journal."""
        return self._watcher.failed_items()

    def failures(self) -> Iterator[ItemFailure]:
        """Read the failures from the result files and the journal."""
        return folder_failures(self._folder, self.files)

    def started_children(self) -> tuple[int, dict[str, int]]:
        """Return none: no execution of a folder is on AWS."""
        return 0, {}
