"""One step by itself, on files that are named on the command line."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import Problem, RunError, UsageError, did_you_mean
from genomics_pipeline.model.parameters import Value, parse_value
from genomics_pipeline.model.pipeline import ITEM_FILES, READS, REFERENCE
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.model.step import PLACEHOLDER, SCOPES, InputSpec, StepSpec
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.runs.manifests import sample_of
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.machine import capacity
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.task_resources import TaskResources

_SOURCES = {"reads": READS, "reference": REFERENCE}  # by the type of an input; of other types, files of the item


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The arguments of `step`.

    Attributes:
        step: A shipped step's name, or the path of a step's folder.
        files: Files of its one input that is no reference.
        inputs: ``NAME=FILE``, where there are several such inputs.
        out: Folder for its outputs.
        reference: Path or URI of a FASTA file; needed where the step takes one.
        sample: The sample's name; taken from the first file's name where it is None.
        parameters: ``NAME=VALUE``.
    """

    step: str
    files: Sequence[str]
    inputs: Sequence[str]
    out: Path
    reference: str | None = None
    sample: str | None = None
    parameters: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of one step over one item.

    Attributes:
        step: The step.
        item: The item.
        reused: The outputs were there already and still match.
        seconds: How long the step took.
        files: Paths by output.
        metrics: The metrics that the step measured.
    """

    step: str
    item: str
    reused: bool
    seconds: float
    files: Mapping[str, str]
    metrics: Mapping[str, Any]


def run_step(request: StepRequest, adapters: Adapters) -> StepOutcome:
    """Run one step; outputs that still match are not made again.

    Args:
        request: The step and its files.
        adapters: Where files are read.

    Raises:
        UsageError: for files, inputs or parameters that do not fit the step.
        DataError: for a step or reference that cannot be used.
        RunError: if the step failed.
    """
    step = load_step(request.step)
    spec = step.spec
    files = _files(spec, request)
    parameters = _parameters(spec, request.parameters)
    scope = _scope(spec)
    folder = RunFolder(request.out)
    folder.create()
    with folder.lock():
        store = adapters.store.with_buckets({BUCKET: folder.path})
        reference = _reference(spec, request, store, adapters.cache)
        payload = TaskPayload(
            stage=spec.name,
            step=spec.name,
            scope=scope,
            run=RunPlace(folder.name, BUCKET, ""),
            reference=reference or "",
            parameters=parameters,
            inputs={name: _SOURCES.get(one.type, ITEM_FILES) for name, one in spec.inputs.items()},
            publish=dict.fromkeys(spec.outputs, ""),
            items=(_item(scope, spec, files, request.sample, reference),),
            upstream={},
        )
        return _outcome(folder, _run(payload, step, folder, store, adapters.cache))


def _run(payload: TaskPayload, step: StepFolder, folder: RunFolder, store: Store, cache: Path) -> CompletionRecord:
    """Run a task of one item with as many cores and as much memory as the step declares and this machine has.

    Raises:
        RunError: if the step failed.
    """
    (cores, memory_mib), declared = capacity(), step.spec.resources
    try:
        (record,) = run_task(
            payload,
            step,
            store,
            TaskResources(
                vcpus=min(cores, declared.vcpus),
                memory_mib=min(memory_mib, declared.memory_mib),
                scratch=folder.scratch,
                cache=cache,
                cancelled=threading.Event(),
            ),
        )
    except StepFailed as failure:
        log = f"; log: {store.fetch(failure.log, folder.path)}" if failure.log else ""
        raise RunError(f"{step.spec.name}: {failure}{log}") from None
    return record


def _files(spec: StepSpec, request: StepRequest) -> dict[str, list[str]]:
    """Return the absolute paths of the files of each input that is no reference."""
    wanted = {name: one for name, one in spec.inputs.items() if one.type != "reference"}
    found: dict[str, list[str]] = {name: [] for name in wanted}
    if request.files and len(wanted) != 1:
        names = ", ".join(wanted)
        raise UsageError(f"step {spec.name} has {len(wanted)} inputs: give each as --input NAME=FILE ({names})")
    for name in wanted if request.files else ():
        found[name] += request.files
    for given in request.inputs:
        name, equals, file = given.partition("=")
        if not equals or name not in wanted:
            hint = did_you_mean(name, list(wanted))
            raise UsageError(f"--input {given}: expected NAME=FILE with an input of step {spec.name}; {hint}")
        found[name].append(file)
    for name, one in wanted.items():
        if message := _count_misfit(one, len(found[name])):
            raise UsageError(f"step {spec.name}, input {name}: {message}")
    return {name: [_absolute(file) for file in files] for name, files in found.items()}


def _count_misfit(spec: InputSpec, count: int) -> str | None:
    if count == 0:
        return "expected a file, found none"
    if spec.type == "file" and count > 1:
        return f"expected one file, found {count}"
    if spec.type == "reads" and count > 2:
        return f"expected one FASTQ file or a pair, found {count}; several lanes are for `run` and a manifest"
    return None


def _absolute(file: str) -> str:
    return file if "://" in file else str(Path(file).absolute())


def _parameters(spec: StepSpec, assignments: Sequence[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    problems = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        try:
            if not equals:
                raise ValueError("expected NAME=VALUE, such as ploidy=1")
            if name not in spec.parameters:
                raise ValueError(
                    f"unknown parameter {name!r} of {spec.name}; {did_you_mean(name, list(spec.parameters))}"
                )
            found[name] = parse_value(spec.parameters[name], text, str(Path.cwd()))
        except ValueError as error:
            problems.append(Problem(f"--param {assignment}: {error}"))
    if problems:
        raise UsageError(problems)
    return found


def _scope(spec: StepSpec) -> str:
    """Return what the outputs of a step are named after: sample, interval or cohort."""
    named = [name for output in spec.outputs.values() for name in PLACEHOLDER.findall(output.path) if name in SCOPES]
    if named:
        return str(named[0])
    return "cohort" if any(one.type == "files" for one in spec.inputs.values()) else "sample"


def _reference(spec: StepSpec, request: StepRequest, store: Store, cache: Path) -> str | None:
    wanted = [one for one in spec.inputs.values() if one.type == "reference"]
    if not wanted:
        return None
    if request.reference is None:
        raise UsageError(f"step {spec.name} needs a reference: --reference REF.fa")
    indexes = sorted({index for one in wanted for index in one.indexes})
    return str(prepare(request.reference, indexes, store, cache))


def _item(
    scope: str, spec: StepSpec, files: Mapping[str, list[str]], sample: str | None, reference: str | None
) -> dict[str, Any]:
    """Return the item of the task, as a line of a manifest would have it."""
    if scope == "cohort":
        return {"cohort": "cohort", "files": dict(files)}
    if scope == "interval":
        sizes = read_contigs(Path(reference)) if reference else []
        return {"interval": "00000", "regions": [f"{name}:1-{length}" for name, length in sizes], "files": dict(files)}
    name = sample or sample_of(next(iter(files.values()))[0])
    if not NAME.fullmatch(name):
        raise UsageError(f"--sample: expected a name of letters, digits, '.', '_' and '-', found {name!r}")
    reads = next((files[one.name] for one in spec.inputs.values() if one.type == "reads"), None)
    lanes = [{"lane": "L001", "fastq_1": reads[0], "fastq_2": (*reads, None)[1]}] if reads else []
    return {"sample": name, "lanes": lanes, "files": dict(files)}


def _outcome(folder: RunFolder, record: CompletionRecord) -> StepOutcome:
    files = {name: str(folder.path / output.key) for name, output in record.outputs.items()}
    metrics = files.get("metrics", "")
    return StepOutcome(
        step=record.step,
        item=record.item,
        reused=record.reused,
        seconds=record.seconds,
        files=files,
        metrics=json.loads(Path(metrics).read_bytes()) if re.search(r"\.json$", metrics) else {},
    )
