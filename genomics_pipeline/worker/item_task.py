"""The task of one item: stage in, run the step's program, stage out, write the completion record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import CompletionRecord, write_completion
from genomics_pipeline.stores.given_file import find_index, stat_given
from genomics_pipeline.stores.protocol import ANY, Expected, Publication, Store, TransferFailed
from genomics_pipeline.worker.changes import WatchedFiles
from genomics_pipeline.worker.command import argv
from genomics_pipeline.worker.credentials import without_credentials
from genomics_pipeline.worker.excerpt import spans_of
from genomics_pipeline.worker.failure import DISK_FULL, StepFailed
from genomics_pipeline.worker.inputs import Input, Staging
from genomics_pipeline.worker.left_out import read_left_out
from genomics_pipeline.worker.outputs import TaskOutputs
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.program_failure import refuse_failure
from genomics_pipeline.worker.program_log import begin_log, last_lines, renew_lost_log
from genomics_pipeline.worker.progress_file import ProgressFile
from genomics_pipeline.worker.ranged import Excerpts, RemoteFile
from genomics_pipeline.worker.read_positions import ReadPositions, input_paths
from genomics_pipeline.worker.review import Review
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.task_resources import TaskResources
from genomics_pipeline.worker.tool_versions import read_tool_versions, worker_versions
from genomics_pipeline.worker.verified import VerifiedFiles

FOLDERS = ("in", "out", "tmp")  # of a task


@dataclass(frozen=True, slots=True)
class ItemTask:
    """The task of one item.

    Attributes:
        payload: The task.
        step: The step.
        store: The store of its inputs and outputs.
        resources: The resources that it may use.
        item: The item.
        name: The item's id.
        review: What its outputs are made of, and why they are made.
        folder: A folder for its temporary files.
    """

    payload: TaskPayload
    step: StepFolder
    store: Store
    resources: TaskResources
    item: Mapping[str, Any]
    name: str
    review: Review
    folder: Path

    @property
    def parameters(self) -> Mapping[str, Value]:
        """All parameters, with defaults."""
        return self.review.provenance.parameters

    def run(self, inputs: list[Input]) -> CompletionRecord:
        """Run the command and publish its outputs.

        Raises:
            StepFailed: if it failed, or did not write its declared outputs.
        """
        clock, started = monotonic(), datetime.now(UTC)
        log, outputs = self.folder / run_layout.LOG, self._outputs()
        watched = WatchedFiles.of(self.store, self._read_in_place(inputs))
        end, staging = self._run_program(inputs, log)
        renew_lost_log(log)
        log_uri = self.payload.run.uri(run_layout.log(self.payload.stage, self.name))
        lines = list(map(staging.with_names, last_lines(log)))
        try:
            if not end.cancelled:
                watched.refuse_changed(f"{self.payload.stage} of {self.name}")
            refuse_failure(end, lines, self.step.spec, self.resources, self.folder, self.name, log_uri)
            records, tools = outputs.records(log_uri), self._tool_versions(log_uri)
        except Exception as error:
            self.store.publish(log, log_uri)  # also if the task is cancelled, since the log explains it
            if isinstance(error, StepFailed):
                error.processor_seconds, error.peak_memory_mib = end.processor_seconds, end.peak_memory_mib
            raise
        published = outputs.publish(Publication(log, log_uri), records, self.store, self.resources)
        record = CompletionRecord(
            stage=self.payload.stage,
            item=self.name,
            provenance=self.review.provenance,
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(monotonic() - clock, 3),
            vcpus=self.resources.vcpus,
            memory_mib=self.resources.memory_mib,
            peak_memory_mib=end.peak_memory_mib,
            outputs=published,
            sources={each.source: each.files[0].version for each in inputs if each.source},
            intermediate=self.payload.intermediate,
            host=dict(self.resources.host),
            tools=tools,
            processor_seconds=round(end.processor_seconds, 3),
            left_out_seconds=round(read_left_out(self.folder / run_layout.LEFT_OUT, end.processor_seconds), 3),
            input_bytes=sum(each.size_bytes(staging.read_bytes) for each in inputs),
            parameter_bytes=sum(staging.parameter_bytes.values()),
            because=self.review.reasons,
            compared_with=self.review.before.started if self.review.before else "",
            job=self.resources.job,
            submitted=self.resources.submitted,
            failed_attempts=self.review.failed.attempts if self.review.failed else (),
        )
        write_completion(self.store, self.payload.run, record)
        return record

    def _tool_versions(self, log: str) -> dict[str, str]:
        """Return the versions of the worker, and those that the program has written.

        Raises:
            StepFailed: if they cannot be used.
        """
        try:
            return worker_versions() | read_tool_versions(self.folder / run_layout.TOOL_VERSIONS)
        except DataError as error:
            raise StepFailed(FailureClass.TOOL_ERROR, 1, str(error), self.name, log) from None

    def _outputs(self) -> TaskOutputs:
        return TaskOutputs(self.payload, self.step.spec, self.name, self.parameters, self.folder / "out")

    def _read_in_place(self, inputs: list[Input]) -> list[str]:
        """Return the URIs of the files that the program reads, which are not copied if they are local."""
        files = [file.uri for each in inputs for file in each.all_files()]
        return [*files, *(str(self.parameters[name]) for name in self.review.provenance.files)]

    def _run_program(self, inputs: list[Input], log: Path) -> tuple[ProcessEnd, Staging]:
        """Stage in and run the command; return its end, and the staging, which counted the bytes."""
        for folder_name in FOLDERS:
            (self.folder / folder_name).mkdir()
        with Streams(self.store) as streams:
            verified = VerifiedFiles.of(self.store, self.payload.run)
            staging = Staging(self.store, streams, self.resources.cancelled, verified)
            task = self._task({each.spec.name: each.local(staging, self.folder / "in") for each in inputs}, staging)
            if missing := {each.spec.name: list(each.missing) for each in inputs if each.spec.missing}:
                task["missing"] = missing
            if content := {each.spec.name: list(each.content) for each in inputs if each.content}:
                task["content"] = content
            file = self.folder / run_layout.TASK
            file.write_text(json.dumps(task, indent=2))  # in ASCII, which also holds paths that are not UTF-8
            try:
                command = argv(self.step, task, file)
                begin_log(log, command, [note for each in inputs for note in each.notes])
                end = run_process(
                    command,
                    self.folder / "tmp",
                    log,
                    self.resources.cancelled,
                    streams.failed,
                    environment=program_environment(self.resources.environment, self.folder),
                    memory_mib=self.resources.memory_mib if self.resources.limit_programs else None,
                    interpreters=self.resources.interpreters,
                    report_memory=self.resources.report_memory,
                    look=self._observer(inputs, task["inputs"]),
                )
            except OSError as error:
                if error.errno in DISK_FULL:
                    raise
                message = f"{command[0]}: cannot be started: {error.strerror}"
                raise StepFailed(FailureClass.TOOL_ERROR, 127, message, self.name) from None
        if streams.failure and not self.resources.cancelled.is_set():
            raise streams.failure
        return end, staging

    def _observer(self, inputs: list[Input], local: Mapping[str, Any]) -> Callable[[int], object]:
        """Return what looks at the program while it runs: at what it reports, and at what it has read.

        Args:
            inputs: The inputs.
            local: Their local files, as in ``task.json``.
        """
        progress = ProgressFile(self.folder / run_layout.PROGRESS, self.resources.report_progress)
        read = [local[each.spec.name] for each in inputs if each.spec.type != "reference"]
        reading = ReadPositions(input_paths(read), self.resources.report_reading)

        def look(group: int) -> None:
            progress.look()
            reading.look(group)

        return look

    def _task(self, inputs: Mapping[str, Any], staging: Staging) -> dict[str, Any]:
        """Return the content of ``task.json``."""
        outputs = self._outputs()
        return {
            "step": self.step.spec.name,
            "version": self.step.spec.version,
            "item": dict(self.item),
            "inputs": inputs,
            "outputs": {name: str(outputs.path(spec)) for name, spec in self.step.spec.outputs.items()},
            "parameters": {name: self._local(name, value, staging) for name, value in self._parameters_with_files()},
            "vcpus": self.resources.vcpus,
            "memory_mib": self.resources.memory_mib,
            "scratch": str(self.folder / "tmp"),
            "versions": str(self.folder / run_layout.TOOL_VERSIONS),
            "progress": str(self.folder / run_layout.PROGRESS),
            "left_out": str(self.folder / run_layout.LEFT_OUT),
        }

    def _local(self, name: str, value: Value, staging: Staging) -> Value:
        """Return a parameter's value, or the local path if it is a file, whose bytes are counted."""
        spec = self.step.spec.parameters[name]
        if spec.type != "file" or not isinstance(value, str):
            return value
        folder = self.folder / "in" / "parameters" / name
        folder.mkdir(parents=True)
        index = find_index(value, spec.indexes, self.store)
        regions = self.item.get("regions", ())
        if spec.ranged and regions and index and self.store.local(value) is None:
            excerpts = Excerpts(self.store, spans_of(regions, spec.margin_bp), self.resources.cancelled)
            file, its_index = (RemoteFile.given(uri, self.store) for uri in (value, index))
            version = self.review.provenance.files.get(name, "")
            path, staging.parameter_bytes[name] = excerpts.fetch(file._replace(version=version), its_index, folder)
            return staging.named(path, value)
        expected = Expected(version=self.review.provenance.files.get(name))
        wanted = [*([(index, ANY)] if index else []), (value, expected)]
        paths = [staging.fetch(uri, folder, version) for uri, version in wanted]
        staging.parameter_bytes[name] = sum(Path(path).stat().st_size for path in paths)
        return paths[-1]

    def _parameters_with_files(self) -> list[tuple[str, Value]]:
        """Return the parameters, after a check that every file among them exists and can be read."""
        for name, value in self.parameters.items():
            if self.step.spec.parameters[name].type == "file" and isinstance(value, str):
                try:
                    stat_given(value, self.store)
                except TransferFailed:
                    raise
                except DataError as error:
                    raise DataError(f"parameter {name}: {error}") from None
        return list(self.parameters.items())


def program_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables of a step's program: without credentials, and with a folder for its own temporary files.

    Args:
        environment: The variables of this process.
        folder: The folder of the task.
    """
    return {**without_credentials(environment), "TMPDIR": str(folder / "tmp")}
