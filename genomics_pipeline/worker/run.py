"""Run one task: stage in, the step's command, stage out, completion record; or find it done."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE, PLACEHOLDER, OutputSpec, StepSpec
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.completion import (
    CompletionRecord,
    OutputRecord,
    folder,
    read_completion,
    write_completion,
)
from genomics_pipeline.worker.inputs import Input, find_input
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.step_folder import StepFolder

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
    except PipelineError as error:
        raise StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, str(error), name) from error
    parameter_files = _parameter_versions(step.spec, parameters, store)
    fingerprint = _fingerprint(step, item, parameters, parameter_files, inputs, payload.publish)
    done = read_completion(store, payload.run, payload.stage, name)
    if done and done.fingerprint == fingerprint and _complete(done, payload, store):
        return done
    place = machine.scratch / f"{payload.stage}-{name}-{uuid4().hex[:8]}"
    place.mkdir(parents=True)
    try:
        return _Attempt(payload, step, store, machine, item, name, parameters, place).run(inputs, fingerprint)
    finally:
        shutil.rmtree(place, ignore_errors=True)


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
        self.store.publish(log, log_uri)
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
        (self.place / "in").mkdir()
        (self.place / "out").mkdir()
        (self.place / "tmp").mkdir()
        parameters = {
            name: str(self.store.fetch(value, self.place / "in"))
            if self.step.spec.parameters[name].type == "file" and isinstance(value, str)
            else value
            for name, value in self._fetchable()
        }
        task = {
            "step": self.step.spec.name,
            "version": self.step.spec.version,
            "item": dict(self.item),
            "inputs": {one.spec.name: one.local(self.store, self.place / "in") for one in inputs},
            "outputs": {
                name: str(self.place / "out" / self._file_name(spec)) for name, spec in self.step.spec.outputs.items()
            },
            "parameters": parameters,
            "vcpus": self.machine.vcpus,
            "memory_mib": self.machine.memory_mib,
            "scratch": str(self.place / "tmp"),
        }
        file = self.place / "task.json"
        file.write_text(json.dumps(task, indent=2, ensure_ascii=False))
        try:
            argv = _argv(self.step, task, file)
            return run_process(argv, self.place / "tmp", log, self.machine.cancelled)
        except OSError as error:
            message = f"{self.step.spec.command[0]}: cannot be started: {error.strerror}"
            raise StepFailed(FailureClass.TOOL_ERROR, 127, message, self.name) from None

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
        name = _filled(spec.path, {self.payload.scope: self.name, **self.parameters})
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
                message += f"\nno space left on the disk of {self.machine.scratch}: make room, then run again"
            raise StepFailed(failure, end.exit_code, message, self.name, log)

    def _publish(self, spec: OutputSpec, path: Path, log: str) -> OutputRecord:
        """Move an output, after its indexes, to where the pipeline wants it."""
        indexes = [index for ending in spec.indexes if (index := path.with_name(f"{path.name}.{ending}")).is_file()]
        if not path.is_file() or (spec.indexes and not indexes):
            lacking = "it" if not path.is_file() else f"its index (.{', .'.join(spec.indexes)})"
            message = f"expected the output {spec.name}, {path.name}: the program ended well without writing {lacking}"
            raise StepFailed(FailureClass.TOOL_ERROR, 1, message, self.name, log)
        where = "results/" + _filled(self.payload.publish[spec.name], {self.payload.scope: self.name}).strip("/")
        record = OutputRecord(
            f"{where}/{path.name}", path.stat().st_size, _sha256(path), tuple(f"{where}/{one.name}" for one in indexes)
        )
        for file in (*indexes, path):
            self.store.publish(file, self.payload.run.uri(f"{where}/{file.name}"))
        return record


def _argv(step: StepFolder, task: Mapping[str, Any], file: Path) -> list[str]:
    values: dict[str, Any] = {
        "python": sys.executable,
        "step_dir": step.path,
        "task": file,
        "scratch": task["scratch"],
        "vcpus": task["vcpus"],
        "memory_mib": task["memory_mib"],
    }
    for group in ("inputs", "outputs", "parameters"):
        values |= {f"{group}.{name}": value for name, value in task[group].items()}
    return [_filled(word, values) for word in step.spec.command]


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return PLACEHOLDER.sub(lambda found: _text(values[found[1]]), text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _last_words(log: Path) -> str:
    """What a program said was wrong: its ``error:`` lines, else its last lines."""
    lines = [line.rstrip() for line in log.read_text("utf-8", "replace").splitlines()[-200:] if line.strip()]
    errors = [re.sub(r"^error: ", "", line) for line in lines if line.startswith("error: ")]
    return "\n".join(errors or lines[-LOG_LINES:])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
