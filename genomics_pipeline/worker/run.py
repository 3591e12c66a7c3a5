"""Run one task: stage in, the step's command, stage out, completion record; or find it done."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE, OutputSpec, StepSpec
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.stores.protocol import Expected, Store, TransferFailed, TransferStopped
from genomics_pipeline.worker.command import argv, filled
from genomics_pipeline.worker.completion import (
    CompletionRecord,
    OutputRecord,
    folder,
    read_completion,
    write_completion,
)
from genomics_pipeline.worker.inputs import Input, Staging, find_input
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.scratch import remove_leftovers, task_folder
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.streams import Streams

LOG_LINES = 5
FULL_BYTES = 1 << 20  # a disk with less left is full: programs say so in many ways, or not at all
CANCELLED_EXIT_CODE = 143  # 128 + SIGTERM


class StepFailed(PipelineError):
    """A step did not succeed over an item.

    Attributes:
        failure_class: Why.
        task_exit_code: What the program, or the worker, ended with.
        item: The item's id.
        log: URI of the program's log; None where it was not started.
    """

    def __init__(
        self, failure_class: FailureClass, task_exit_code: int, message: str, item: str, log: str | None = None
    ) -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.task_exit_code = task_exit_code
        self.item = item
        self.log = log


@dataclass(frozen=True, slots=True)
class Machine:
    """What a task may use.

    Attributes:
        vcpus: Cores.
        memory_mib: Memory.
        scratch: A folder for its temporary files.
        cancelled: Set when it must end.
    """

    vcpus: int
    memory_mib: int
    scratch: Path
    cancelled: threading.Event


def run_task(
    payload: TaskPayload,
    step: StepFolder,
    store: Store,
    *,
    vcpus: int,
    memory_mib: int,
    scratch: Path,
    cancelled: threading.Event,
    ended: Callable[[CompletionRecord | StepFailed], None] = lambda _: None,
) -> list[CompletionRecord]:
    """Run a step over each item of a payload that is not done; the others of a batch do not wait for a bad one.

    Args:
        payload: What to run.
        step: The step.
        store: Where its inputs are and its outputs go.
        vcpus: Cores it may use.
        memory_mib: Memory it may use.
        scratch: Folder for its temporary files.
        cancelled: Set when it must end.
        ended: Told of each item's end.

    Raises:
        StepFailed: of the first item that failed, after all were tried.
    """
    machine = Machine(vcpus, memory_mib, scratch, cancelled)
    remove_leftovers(scratch)
    records: list[CompletionRecord] = []
    failures: list[StepFailed] = []
    for item in payload.items:
        if cancelled.is_set():
            failures.append(StepFailed(FailureClass.CANCELLED, CANCELLED_EXIT_CODE, "cancelled", item_id(item)))
            break
        try:
            records.append(_run_item(payload, step, store, machine, item))
            ended(records[-1])
        except StepFailed as failure:
            failures.append(failure)
            ended(failure)
    if failures:
        raise failures[0]
    return records


def _run_item(
    payload: TaskPayload, step: StepFolder, store: Store, machine: Machine, item: Mapping[str, Any]
) -> CompletionRecord:
    name = item_id(item)
    try:
        parameters = resolve(step.spec.parameters, payload.parameters)
        inputs = [find_input(payload, spec, item, store) for spec in step.spec.inputs.values()]
        versions = _parameter_versions(step.spec, parameters, store)
        fingerprint = _fingerprint(step, item, parameters, versions, inputs, payload.publish)
        done = read_completion(store, payload.run, payload.stage, name)
        if done and done.fingerprint == fingerprint and _complete(done, payload, store):
            return done
        with task_folder(machine.scratch, f"{payload.stage}-{name}") as place:
            attempt = _Attempt(payload, step, store, machine, item, name, parameters, versions, place)
            return attempt.run(inputs, fingerprint)
    except StepFailed:
        raise
    except (PipelineError, OSError) as error:
        raise _failure(error, name, machine.scratch) from error


def _failure(error: PipelineError | OSError, name: str, scratch: Path) -> StepFailed:
    """What went wrong around the program, as the step's failure.

    Raises:
        OSError: again, unless it is the disk's being full.
    """
    if isinstance(error, TransferStopped):
        return StepFailed(FailureClass.CANCELLED, CANCELLED_EXIT_CODE, "cancelled", name)
    if isinstance(error, TransferFailed):
        return StepFailed(FailureClass.TOOL_ERROR, 1, str(error), name)
    if isinstance(error, PipelineError):
        return StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, str(error), name)
    if error.errno != errno.ENOSPC:
        raise error
    return StepFailed(FailureClass.OUT_OF_DISK, 1, _full(scratch), name)


def _full(scratch: Path) -> str:
    return f"no space left on the disk of {scratch}: make room, then run again"


def _parameter_versions(spec: StepSpec, parameters: Mapping[str, Value], store: Store) -> dict[str, str]:
    """What identifies the content of the files that parameters name."""
    found = {}
    for name, value in parameters.items():
        if spec.parameters[name].type == "file" and isinstance(value, str) and (info := store.stat(value)):
            found[name] = info.version
    return found


def _fingerprint(step: StepFolder, *parts: Any) -> str:
    """sha256 of everything the outputs depend on; cores and memory change none."""
    *plain, inputs, publish = parts
    told = [step.spec.name, step.spec.version, step.digest, *plain, [one.digest() for one in inputs], publish]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=dict).encode()).hexdigest()


def _complete(done: CompletionRecord, payload: TaskPayload, store: Store) -> bool:
    """Whether every file of a record is still there."""
    keys = [key for output in done.outputs.values() for key in (output.key, *output.indexes)]
    return all(store.stat(payload.run.uri(key)) for key in keys)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run of a step's command over one item."""

    payload: TaskPayload
    step: StepFolder
    store: Store
    machine: Machine
    item: Mapping[str, Any]
    name: str
    parameters: Mapping[str, Value]
    versions: Mapping[str, str]
    place: Path

    def run(self, inputs: list[Input], fingerprint: str) -> CompletionRecord:
        """Run the command and publish what it made.

        Raises:
            StepFailed: if it failed, or did not make what it declares.
        """
        clock, started = monotonic(), datetime.now(UTC)
        log = self.place / "log.txt"
        end = self._command(inputs, log)
        log_uri = self.payload.run.uri(f"{folder(self.payload.stage, self.name)}/log.txt")
        told = _last_words(log)
        self.store.publish(log, log_uri)  # whatever is cancelled: it tells why
        self._refuse(end, told, log_uri)
        outputs = {
            name: self._publish(spec, self.place / "out" / self._file_name(spec), log_uri)
            for name, spec in self.step.spec.outputs.items()
        }
        record = CompletionRecord(
            stage=self.payload.stage,
            item=self.name,
            step=self.step.spec.name,
            version=self.step.spec.version,
            fingerprint=fingerprint,
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(monotonic() - clock, 3),
            vcpus=self.machine.vcpus,
            memory_mib=self.machine.memory_mib,
            peak_memory_mib=end.peak_memory_mib,
            parameters=dict(self.parameters),
            outputs=outputs,
        )
        write_completion(self.store, self.payload.run, record)
        return record

    def _command(self, inputs: list[Input], log: Path) -> ProcessEnd:
        for folder_name in ("in", "out", "tmp"):
            (self.place / folder_name).mkdir()
        with Streams(self.store) as streams:
            staging = Staging(self.store, streams, self.machine.cancelled)
            task = self._task({one.spec.name: one.local(staging, self.place / "in") for one in inputs})
            file = self.place / "task.json"
            file.write_text(json.dumps(task, indent=2, ensure_ascii=False))
            try:
                command = argv(self.step, task, file)
                end = run_process(command, self.place / "tmp", log, self.machine.cancelled, streams.failed)
            except OSError as error:
                message = f"{self.step.spec.command[0]}: cannot be started: {error.strerror}"
                raise StepFailed(FailureClass.TOOL_ERROR, 127, message, self.name) from None
        if streams.failure and not self.machine.cancelled.is_set():
            raise streams.failure
        return end

    def _task(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What ``task.json`` says."""
        return {
            "step": self.step.spec.name,
            "version": self.step.spec.version,
            "item": dict(self.item),
            "inputs": inputs,
            "outputs": {
                name: str(self.place / "out" / self._file_name(spec)) for name, spec in self.step.spec.outputs.items()
            },
            "parameters": {name: self._parameter(name, value) for name, value in self._fetchable()},
            "vcpus": self.machine.vcpus,
            "memory_mib": self.machine.memory_mib,
            "scratch": str(self.place / "tmp"),
        }

    def _parameter(self, name: str, value: Value) -> Value:
        """Its value; of a file, its local path."""
        if self.step.spec.parameters[name].type != "file" or not isinstance(value, str):
            return value
        folder_of_it = self.place / "in" / "parameters" / name
        folder_of_it.mkdir(parents=True)
        expected = Expected(version=self.versions.get(name))
        return str(self.store.fetch(value, folder_of_it, expected, self.machine.cancelled))

    def _fetchable(self) -> list[tuple[str, Value]]:
        """The parameters, once every file among them is known to be there."""
        for name, value in self.parameters.items():
            is_file = self.step.spec.parameters[name].type == "file" and isinstance(value, str)
            if is_file and self.store.stat(str(value)) is None:
                message = f"parameter {name}: expected a file, found none: {value}"
                raise StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, message, self.name)
        return list(self.parameters.items())

    def _file_name(self, spec: OutputSpec) -> str:
        """The output's file name, placeholders filled in.

        Raises:
            StepFailed: where a parameter would make it more than a name.
        """
        name = filled(spec.path, {self.payload.scope: self.name, **self.parameters})
        if "/" in name or "\0" in name or name in (".", ".."):
            message = f"output {spec.name}: expected a plain file name of {spec.path}, found {name!r}"
            raise StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, message, self.name)
        return name

    def _refuse(self, end: ProcessEnd, told: str, log: str) -> None:
        if end.cancelled:
            raise StepFailed(FailureClass.CANCELLED, end.exit_code or CANCELLED_EXIT_CODE, "cancelled", self.name, log)
        if end.exit_code:
            failure = self.step.spec.exit_codes.get(end.exit_code, FailureClass.TOOL_ERROR)
            message = told or f"ended with exit code {end.exit_code} and said nothing"
            if failure is FailureClass.OUT_OF_MEMORY:
                message = f"killed as out of memory (exit code {end.exit_code}; it had {self.machine.memory_mib} MiB)"
            elif shutil.disk_usage(self.place).free < FULL_BYTES:
                message += f"\n{_full(self.machine.scratch)}"
            raise StepFailed(failure, end.exit_code, message, self.name, log)

    def _publish(self, spec: OutputSpec, path: Path, log: str) -> OutputRecord:
        """Move an output, after its indexes, to where the pipeline wants it."""
        indexes = [index for ending in spec.indexes if (index := path.with_name(f"{path.name}.{ending}")).is_file()]
        if not path.is_file() or (spec.indexes and not indexes):
            lacking = "it" if not path.is_file() else f"its index (.{', .'.join(spec.indexes)})"
            message = f"expected the output {spec.name}, {path.name}: the program ended well without writing {lacking}"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.name, log)
        where = "results/" + filled(self.payload.publish[spec.name], {self.payload.scope: self.name}).strip("/")
        record = OutputRecord(
            f"{where}/{path.name}", path.stat().st_size, _sha256(path), tuple(f"{where}/{one.name}" for one in indexes)
        )
        how = self.machine.cancelled, self.payload.intermediate
        for file in (*indexes, path):
            self.store.publish(file, self.payload.run.uri(f"{where}/{file.name}"), *how)
        return record


def _last_words(log: Path) -> str:
    """What a program said was wrong: its ``error:`` lines, else its last lines."""
    lines = [line.rstrip() for line in log.read_text("utf-8", "replace").splitlines()[-200:] if line.strip()]
    errors = [re.sub(r"^error: ", "", line) for line in lines if line.startswith("error: ")]
    return "\n".join(errors or lines[-LOG_LINES:])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
