"""The task of one item: stage in, run the step's program, stage out, write the completion record."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.step import (
    BAD_INPUT_EXIT_CODE,
    OUT_OF_DISK_EXIT_CODE,
    OUT_OF_MEMORY_EXIT_CODE,
    OutputSpec,
)
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import CompletionRecord, FileRecord, OutputRecord, write_completion
from genomics_pipeline.records.metrics import METRICS, metrics_misfit
from genomics_pipeline.stores.checksum import file_sha256
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import Expected, Publication, Store, TransferFailed
from genomics_pipeline.worker.changes import WatchedFiles
from genomics_pipeline.worker.command import argv, fill_in
from genomics_pipeline.worker.failure import (
    CANCELLED_EXIT_CODE,
    DISK_FULL,
    StepFailed,
    disk_full_message,
    mentions_full_disk,
    mentions_lack_of_memory,
)
from genomics_pipeline.worker.inputs import Input, Staging
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.program_log import error_message, last_lines
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.task_resources import TaskResources
from genomics_pipeline.worker.verified import VerifiedFiles

FOLDERS = ("in", "out", "tmp")  # of a task
FULL_BYTES = 1 << 20  # a disk with less free space is full: programs report that in many ways, or not at all


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
        parameters: All parameters, with defaults.
        versions: Versions of the files that parameters name.
        folder: A folder for its temporary files.
    """

    payload: TaskPayload
    step: StepFolder
    store: Store
    resources: TaskResources
    item: Mapping[str, Any]
    name: str
    parameters: Mapping[str, Value]
    versions: Mapping[str, str]
    folder: Path

    def run(self, inputs: list[Input], fingerprint: str) -> CompletionRecord:
        """Run the command and publish its outputs.

        Raises:
            StepFailed: if it failed, or did not write its declared outputs.
        """
        clock, started = monotonic(), datetime.now(UTC)
        log = self.folder / run_layout.LOG
        watched = WatchedFiles.of(self.store, self._read_in_place(inputs))
        end = self._run_program(inputs, log)
        log_uri = self.payload.run.uri(run_layout.log(self.payload.stage, self.name))
        lines = last_lines(log)
        try:
            if not end.cancelled:
                watched.refuse_changed(f"{self.payload.stage} of {self.name}")
            self._refuse_failure(end, lines, log_uri)
            outputs = {
                name: self._output(spec, self.folder / "out" / self._file_name(spec), log_uri)
                for name, spec in self.step.spec.outputs.items()
            }
        except Exception:
            self.store.publish(log, log_uri)  # also if the task is cancelled, since the log explains it
            raise
        self._publish(Publication(log, log_uri), outputs.values())
        record = CompletionRecord(
            stage=self.payload.stage,
            item=self.name,
            step=self.step.spec.name,
            version=self.step.spec.version,
            fingerprint=fingerprint,
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(monotonic() - clock, 3),
            vcpus=self.resources.vcpus,
            memory_mib=self.resources.memory_mib,
            peak_memory_mib=end.peak_memory_mib,
            parameters=dict(self.parameters),
            outputs=outputs,
            sources={each.source: each.files[0].version for each in inputs if each.source},
            intermediate=self.payload.intermediate,
        )
        write_completion(self.store, self.payload.run, record)
        return record

    def _read_in_place(self, inputs: list[Input]) -> list[str]:
        """Return the URIs of the files that the program reads, which are not copied if they are local."""
        files = [file.uri for each in inputs for file in each.all_files()]
        return [*files, *(str(self.parameters[name]) for name in self.versions)]

    def _run_program(self, inputs: list[Input], log: Path) -> ProcessEnd:
        for folder_name in FOLDERS:
            (self.folder / folder_name).mkdir()
        with Streams(self.store) as streams:
            verified = VerifiedFiles.of(self.store, self.payload.run)
            staging = Staging(self.store, streams, self.resources.cancelled, verified)
            task = self._task({each.spec.name: each.local(staging, self.folder / "in") for each in inputs})
            if missing := {each.spec.name: list(each.missing) for each in inputs if each.spec.missing}:
                task["missing"] = missing
            file = self.folder / run_layout.TASK
            file.write_text(json.dumps(task, indent=2))  # in ASCII, which also holds paths that are not UTF-8
            try:
                command = argv(self.step, task, file)
                end = run_process(
                    command,
                    self.folder / "tmp",
                    log,
                    self.resources.cancelled,
                    streams.failed,
                    environment=self._environment(),
                    memory_mib=self.resources.memory_mib if self.resources.limit_programs else None,
                )
            except OSError as error:
                if error.errno in DISK_FULL:
                    raise
                message = f"{self.step.spec.command[0]}: cannot be started: {error.strerror}"
                raise StepFailed(FailureClass.TOOL_ERROR, 127, message, self.name) from None
        if streams.failure and not self.resources.cancelled.is_set():
            raise streams.failure
        return end

    def _environment(self) -> dict[str, str] | None:
        """Return the variables of the program, whose folder for temporary files is its own."""
        variables = self.resources.environment
        return None if variables is None else {**variables, "TMPDIR": str(self.folder / "tmp")}

    def _task(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of ``task.json``."""
        return {
            "step": self.step.spec.name,
            "version": self.step.spec.version,
            "item": dict(self.item),
            "inputs": inputs,
            "outputs": {
                name: str(self.folder / "out" / self._file_name(spec)) for name, spec in self.step.spec.outputs.items()
            },
            "parameters": {name: self._local_value(name, value) for name, value in self._parameters_with_files()},
            "vcpus": self.resources.vcpus,
            "memory_mib": self.resources.memory_mib,
            "scratch": str(self.folder / "tmp"),
        }

    def _local_value(self, name: str, value: Value) -> Value:
        """Return a parameter's value, or the local path if it is a file."""
        if self.step.spec.parameters[name].type != "file" or not isinstance(value, str):
            return value
        folder = self.folder / "in" / "parameters" / name
        folder.mkdir(parents=True)
        expected = Expected(version=self.versions.get(name))
        return str(self.store.fetch(value, folder, expected, self.resources.cancelled))

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

    def _file_name(self, spec: OutputSpec) -> str:
        """Return an output's file name, with its placeholders filled in.

        Raises:
            StepFailed: if a parameter makes it anything but a plain file name.
        """
        name = fill_in(spec.path, {self.payload.scope: self.name, **self.parameters})
        if "/" in name or "\0" in name or name in (".", ".."):
            message = f"output {spec.name}: expected a plain file name of {spec.path}, found {name!r}"
            raise StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, message, self.name)
        return name

    def _refuse_failure(self, end: ProcessEnd, lines: list[str], log: str) -> None:
        if end.cancelled:
            raise StepFailed(FailureClass.CANCELLED, end.exit_code or CANCELLED_EXIT_CODE, "cancelled", self.name, log)
        if not end.exit_code:
            return
        failure, code = self.step.spec.exit_codes.get(end.exit_code, FailureClass.TOOL_ERROR), end.exit_code
        message = error_message(lines) or f"{_end_words(code)} without a message"
        if code == OUT_OF_MEMORY_EXIT_CODE and failure is FailureClass.OUT_OF_MEMORY:
            message = f"killed as out of memory (exit code {code}; it had {self.resources.memory_mib} MiB)"
        elif failure is FailureClass.OUT_OF_MEMORY:
            message += f"\nout of memory (exit code {code}; it had {self.resources.memory_mib} MiB)"
        elif failure is FailureClass.TOOL_ERROR and any(map(mentions_lack_of_memory, lines)):
            failure, code = FailureClass.OUT_OF_MEMORY, OUT_OF_MEMORY_EXIT_CODE
            message += f"\nout of memory (it had {self.resources.memory_mib} MiB)"
        elif failure is FailureClass.TOOL_ERROR and self._disk_full(lines):
            failure, code = FailureClass.OUT_OF_DISK, OUT_OF_DISK_EXIT_CODE
            message += f"\n{disk_full_message(self.resources.scratch)}{_largest_file(self.folder)}"
        raise StepFailed(failure, code, message, self.name, log)

    def _disk_full(self, lines: list[str]) -> bool:
        """Return whether the disk is full, or was full before the program removed its files."""
        return shutil.disk_usage(self.folder).free < FULL_BYTES or any(map(mentions_full_disk, lines))

    def _output(self, spec: OutputSpec, path: Path, log: str) -> OutputRecord:
        """Return the record of an output, in the folder that the pipeline publishes it to.

        Args:
            spec: The output.
            path: The file that the program wrote.
            log: URI of the program's log.

        Raises:
            StepFailed: if the program did not write it, or not as it is declared.
        """
        indexes = [index for ending in spec.indexes if (index := path.with_name(f"{path.name}.{ending}")).is_file()]
        if not path.is_file() or (spec.indexes and not indexes):
            missing = "it" if not path.is_file() else f"its index (.{', .'.join(spec.indexes)})"
            message = f"expected the output {spec.name}, {path.name}: the program succeeded without writing {missing}"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.name, log)
        for file in (path, *indexes):
            self._refuse_link(file, log)
        below = fill_in(self.payload.publish[spec.name], {self.payload.scope: self.name}).strip("/")
        folder = f"{run_layout.RESULTS}{below}".rstrip("/")  # `below` is empty for a step run by itself
        if spec.name == METRICS and path.suffix == ".json" and (misfit := metrics_misfit(path.read_bytes())):
            raise StepFailed(FailureClass.TOOL_ERROR, 1, f"output {spec.name}, {path.name}: {misfit}", self.name, log)
        index_records = tuple(FileRecord(**_facts(index, folder)) for index in indexes)
        return OutputRecord(**_facts(path, folder), indexes=index_records)

    def _refuse_link(self, file: Path, log: str) -> None:
        """Refuse an output that is a link to a file outside of the task: a program may not choose what is published.

        Raises:
            StepFailed: for such a link.
        """
        if not (target := file.resolve()).is_relative_to(self.folder.resolve()):
            message = f"expected the output {file.name}, found a symbolic link to {target}; copy that file instead"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.name, log)

    def _publish(self, log: Publication, outputs: Iterable[OutputRecord]) -> None:
        """Move the log and the outputs to their places, each output after its indexes."""
        records = [file for output in outputs for file in output.files]
        uris = [self.payload.run.uri(file.key) for file in records]
        paths = [self.folder / "out" / file.key.rpartition("/")[2] for file in records]
        options = self.resources.cancelled, self.payload.intermediate
        files = [Publication(path, uri, *options) for path, uri in zip(paths, uris, strict=True)]
        self.store.publish_all([log, *files])
        verified = VerifiedFiles.of(self.store, self.payload.run)
        for uri, file in zip(uris, records, strict=True):
            verified.add(uri, file.sha256)


def _facts(path: Path, folder: str) -> dict[str, Any]:
    """Return the members of a file's record, before the file is published to a folder."""
    return {"key": f"{folder}/{path.name}", "size_bytes": path.stat().st_size, "sha256": file_sha256(path)}


def _end_words(code: int) -> str:
    """Return how a program ended, for a message: by a signal where a shell would report one.

    >>> _end_words(3), _end_words(139)
    ('ended with exit code 3', 'ended by the signal SIGSEGV (exit code 139)')
    """
    try:
        return f"ended by the signal {signal.Signals(code - 128).name} (exit code {code})"
    except ValueError:
        return f"ended with exit code {code}"


def _largest_file(folder: Path) -> str:
    """Return a phrase about the largest file of a task; empty if no file is left."""
    files = (file for name in FOLDERS for file in (folder / name).rglob("*") if file.is_file())
    size, name = max(((file.stat().st_size, str(file.relative_to(folder))) for file in files), default=(0, ""))
    return f"; the largest file of the task: {name}" if size else ""
