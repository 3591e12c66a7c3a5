"""The outputs of the task of one item: their paths, their checks, their records, and their publication."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model import budgets, run_layout
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE, METRICS, OutputSpec, StepSpec
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import FileRecord, OutputRecord
from genomics_pipeline.records.metrics import metrics_misfit
from genomics_pipeline.stores.bounded_file import read_bounded
from genomics_pipeline.stores.checksum import file_sha256
from genomics_pipeline.stores.open_folder import may_have_links
from genomics_pipeline.stores.protocol import OversizedObject, Publication, Store
from genomics_pipeline.worker.command import fill_in
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.task_resources import TaskResources
from genomics_pipeline.worker.verified import VerifiedFiles


@dataclass(frozen=True, slots=True)
class TaskOutputs:
    """The outputs of the task of one item.

    Attributes:
        payload: The task.
        spec: The step.
        item: The item's id.
        parameters: All parameters, with defaults.
        folder: The folder that the program writes them to.
    """

    payload: TaskPayload
    spec: StepSpec
    item: str
    parameters: Mapping[str, Value]
    folder: Path

    def path(self, spec: OutputSpec) -> Path:
        """Return the path that the program writes an output to, with the placeholders of its name filled in.

        Raises:
            StepFailed: if a parameter makes its name anything but a plain file name.
        """
        name = fill_in(spec.path, {self.payload.scope: self.item, **self.parameters})
        if "/" in name or "\0" in name or name in (".", ".."):
            message = f"output {spec.name}: expected a plain file name of {spec.path}, found {name!r}"
            raise StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, message, self.item)
        return self.folder / name

    def records(self, log: str) -> dict[str, OutputRecord]:
        """Return the records of the outputs by name, in the folders that the pipeline publishes them to.

        Args:
            log: URI of the program's log.

        Raises:
            StepFailed: if the program did not write one, or not as it is declared.
        """
        paths = {name: (spec, self.path(spec)) for name, spec in self.spec.outputs.items()}
        written = {name: one for name, one in paths.items() if not (one[0].optional and not one[1].is_file())}
        return {name: self._record(spec, path, log) for name, (spec, path) in written.items()}

    def _record(self, spec: OutputSpec, path: Path, log: str) -> OutputRecord:
        indexes = [index for ending in spec.indexes if (index := path.with_name(f"{path.name}.{ending}")).is_file()]
        if not path.is_file() or (spec.indexes and not indexes):
            missing = "it" if not path.is_file() else f"its index (.{', .'.join(spec.indexes)})"
            message = f"expected the output {spec.name}, {path.name}: the program succeeded without writing {missing}"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.item, log)
        for file in (path, *indexes):
            self._refuse_link(file, log)
        below = fill_in(self.payload.publish[spec.name], {self.payload.scope: self.item}).strip("/")
        folder = f"{run_layout.RESULTS}{below}".rstrip("/")  # `below` is empty for a step run by itself
        if spec.name == METRICS and path.suffix == ".json" and (misfit := _metrics_misfit(path)):
            raise StepFailed(FailureClass.TOOL_ERROR, 1, f"output {spec.name}, {path.name}: {misfit}", self.item, log)
        index_records = tuple(FileRecord(**_facts(index, folder)) for index in indexes)
        return OutputRecord(**_facts(path, folder), indexes=index_records)

    def _refuse_link(self, file: Path, log: str) -> None:
        """Refuse an output that is a link to a file outside of the task: a program may not choose what is published.

        Raises:
            StepFailed: for such a link.
        """
        if not may_have_links(file, self.folder.parent):
            return
        target = Path(os.path.realpath(file))
        if not target.is_relative_to(os.path.realpath(self.folder.parent)):
            message = f"expected the output {file.name}, found a symbolic link to {target}; copy that file instead"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.item, log)

    def publish(
        self, log: Publication, outputs: Mapping[str, OutputRecord], store: Store, resources: TaskResources
    ) -> dict[str, OutputRecord]:
        """Move the log and the outputs to their places, each output after its indexes; return their final records.

        Args:
            log: The log.
            outputs: The records of the outputs by name.
            store: The store of the outputs.
            resources: The resources of the task, which say whether it is cancelled.
        """
        records = [file for output in outputs.values() for file in output.files]
        uris = [self.payload.run.uri(file.key) for file in records]
        paths = [self.folder / file.key.rpartition("/")[2] for file in records]
        options = resources.cancelled, self.payload.intermediate
        files = [Publication(path, uri, *options) for path, uri in zip(paths, uris, strict=True)]
        store.publish_all([log, *files])
        verified = VerifiedFiles.of(store, self.payload.run)
        for uri, file in zip(uris, records, strict=True):
            verified.add(uri, file.sha256)
        return {name: self._with_version(record, store) for name, record in outputs.items()}

    def _with_version(self, record: OutputRecord, store: Store) -> OutputRecord:
        """Return the record of an output that was published, with its version if it may be read in parts."""
        uri = self.payload.run.uri(record.key)
        if not record.indexes or store.local(uri) is not None or (info := store.stat(uri)) is None:
            return record
        return replace(record, version=info.version)


def _metrics_misfit(path: Path) -> str | None:
    """Return what is wrong with a file of metrics, or None; one that no record's reader takes is not read either."""
    with path.open("rb") as stream:
        try:
            return metrics_misfit(read_bounded(stream, budgets.RECORD_SIZE, path.name))
        except OversizedObject as error:
            found = f"found {path.stat().st_size:,} bytes"
            return f"expected metrics of at most {error.budget}, {found}; write fewer values, or another output"


def _facts(path: Path, folder: str) -> dict[str, Any]:
    """Return the members of a file's record, before the file is published to a folder."""
    return {"key": f"{folder}/{path.name}", "size_bytes": path.stat().st_size, "sha256": file_sha256(path)}
