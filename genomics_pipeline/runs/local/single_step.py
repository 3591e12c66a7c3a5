"""A run of one step over files that the command line names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import CollectedProblems, Problem, RunError, UsageError, did_you_mean
from genomics_pipeline.model.metric_spec import verdicts
from genomics_pipeline.model.parameters import ParameterSpec, Value, lacking_values, parse_value
from genomics_pipeline.model.pipeline import ITEM_FILES, READS, REFERENCE
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.model.step import METRICS, PLACEHOLDER, SCOPES, InputSpec, StepSpec, with_indexes
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.metrics import parse_metrics
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.fasta_bases import fasta_bases
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.runs.given_files import RequiredFile, file_misfit, named_files, parameter_problems
from genomics_pipeline.runs.local.fit import refuse_small_machine
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.sheet_draft import sample_of
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.real_parents import follow_parents, follow_parents_in
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.task_resources import TaskResources

_SOURCES = {"reads": READS, "reference": REFERENCE}  # by type of input; inputs of other types are files of the item


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The arguments of `step`.

    Attributes:
        step: The name of a shipped step, or the path of a step's folder.
        files: The files of its only input that is not a reference.
        inputs: ``NAME=FILE`` for each file, where the step has several such inputs.
        out: The folder for its outputs.
        reference: The path or URI of a FASTA file; None for a step without an input of a reference.
        sample: The name of the sample; None for the name that the first file begins with.
        sex: The sex of the sample; None where it is not said.
        parameters: ``NAME=VALUE`` for each parameter.
    """

    step: str
    files: Sequence[str]
    inputs: Sequence[str]
    out: Path
    reference: str | None = None
    sample: str | None = None
    sex: str | None = None
    parameters: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of one step over one item.

    Attributes:
        step: The step.
        item: The item.
        reused: Whether earlier outputs were reused.
        seconds: The duration of the step.
        files: The paths of the outputs by name.
        metrics: The metrics as the step wrote them.
        verdicts: The verdict on each metric for which the step declares bounds.
    """

    step: str
    item: str
    reused: bool
    seconds: float
    files: Mapping[str, str]
    metrics: Mapping[str, Any]
    verdicts: Mapping[str, str]


def run_step(request: StepRequest, adapters: Adapters, note: Callable[[str], None]) -> StepOutcome:
    """Run one step; outputs whose inputs and parameters have not changed are reused.

    Args:
        request: The step and its files.
        adapters: The store that reads files, and the cache.
        note: Shows a line of progress.

    Raises:
        UsageError: for files, inputs or parameters that do not fit the step.
        DataError: for a step or reference that cannot be used.
        RunError: if the step failed.
    """
    step = load_step(request.step)
    if step.spec.is_function:
        expected = f"step {step.spec.name}: expected a step over files, found one on Lambda, over records"
        raise UsageError(f"{expected}; run it in a pipeline: docs/records.md")
    spec = step.spec
    files = _files(spec, request)
    parameters = _parameters(spec, request.parameters)
    scope = _scope(spec)
    folder = RunFolder(request.out)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    given = list(named_files(spec, parameters))
    _check(spec, request, files, given, folder, store)
    folder.create()
    with folder.lock(lambda _: None):
        reference = _reference(with_indexes(spec, parameters), request, store, adapters.cache, note)
        collected = CollectedProblems()
        contigs = dict(read_contigs(Path(reference))) if reference else {}
        bases = fasta_bases(Path(reference)) if reference else None
        collected.add(parameter_problems(given, store, contigs, bases))
        collected.refuse()
        payload = TaskPayload(
            stage=spec.name,
            step=spec.name,
            scope=scope,
            run=RunPlace(folder.name, BUCKET, ""),
            reference=reference or "",
            parameters=parameters,
            inputs={
                name: _SOURCES.get(one.type, ITEM_FILES)
                for name, one in spec.inputs.items()
                if not one.optional or name in files
            },
            publish=dict.fromkeys(spec.outputs, ""),
            items=(_item(scope, spec, files, request, reference),),
            upstream={},
        )
        return _outcome(folder, spec, _run(payload, step, folder, store, adapters))


def _check(
    spec: StepSpec,
    request: StepRequest,
    files: Mapping[str, Sequence[str]],
    given: Sequence[tuple[RequiredFile, ParameterSpec]],
    folder: RunFolder,
    store: Store,
) -> None:
    """Check the folder and all files before anything is written.

    Args:
        spec: The step.
        request: The arguments of the step.
        files: The files of its inputs.
        given: The files of its parameters.
        folder: The folder for its outputs.
        store: The store of the files.

    Raises:
        UsageError: for a folder that holds something else.
        DataError: with all problems of the files.
    """
    references = [one for one in spec.inputs.values() if one.type == "reference"]
    if references and request.reference is None:
        raise UsageError(f"step {spec.name} needs a reference: --reference REF.fa")
    collected = CollectedProblems()
    with collected.check():
        folder.check()
        if folder.record() is not None:
            raise UsageError(f"--out {folder.path}: expected a new folder, found a run; choose another folder")
    named = [(f"input {name} ", file) for name, paths in files.items() for file in paths]
    if references and request.reference is not None:
        named.append(("--reference ", request.reference))
    messages = [(user, file_misfit(file, store)) for user, file in named]
    collected.add(Problem(f"{user}{message}") for user, message in messages if message)
    collected.add(parameter_problems(given, store, {}))
    collected.refuse()


def _run(
    payload: TaskPayload, step: StepFolder, folder: RunFolder, store: Store, adapters: Adapters
) -> CompletionRecord:
    """Run a task of one item with the cores and memory that the step declares, at most those of this machine.

    Args:
        payload: The payload of the task.
        step: The step.
        folder: The folder of the run.
        store: The store of the files of the run.
        adapters: The cache and the environment.

    Raises:
        RunError: if the step failed.
    """
    capacity, declared = adapters.capacity(), step.spec.resources
    if payload.reference:
        indexed = replace(step, spec=with_indexes(step.spec, payload.parameters))
        refuse_small_machine({step.spec.name: indexed}, Path(payload.reference), capacity)
    try:
        (record,) = run_task(
            payload,
            step,
            store,
            TaskResources(
                vcpus=min(capacity.cores, declared.vcpus),
                memory_mib=min(capacity.memory_mib, declared.memory_mib),
                scratch=folder.scratch,
                cache=adapters.cache,
                cancelled=threading.Event(),
                environment=adapters.environment,
            ),
        )
    except StepFailed as failure:
        log = f"; log: {store.fetch(failure.log, folder.path)}" if failure.log else ""
        raise RunError(f"{step.spec.name}: {failure}{log}") from None
    return record


def _files(spec: StepSpec, request: StepRequest) -> dict[str, list[str]]:
    """Return the absolute paths of the files of each input that is not a reference."""
    inputs = {name: one for name, one in spec.inputs.items() if one.type != "reference"}
    required = [name for name, one in inputs.items() if not one.optional]
    files: dict[str, list[str]] = {name: [] for name in inputs}
    if request.files and len(required) != 1:
        names = ", ".join(inputs)
        raise UsageError(f"step {spec.name} has {len(inputs)} inputs: give each as --input NAME=FILE ({names})")
    for name in required if request.files else ():
        files[name] += request.files
    for assignment in request.inputs:
        name, equals, file = assignment.partition("=")
        if not equals or name not in inputs:
            hint = did_you_mean(name, list(inputs))
            raise UsageError(f"--input {assignment}: expected NAME=FILE with an input of step {spec.name}; {hint}")
        files[name].append(file)
    files = {name: paths for name, paths in files.items() if paths or not inputs[name].optional}
    for name, one in inputs.items():
        if name in files and (message := _count_misfit(one, len(files[name]))):
            raise UsageError(f"step {spec.name}, input {name}: {message}")
    return {name: [_absolute(file) for file in paths] for name, paths in files.items()}


def _count_misfit(spec: InputSpec, count: int) -> str | None:
    if count == 0:
        return "expected a file, found none"
    if spec.type == "file" and count > 1:
        return f"expected one file, found {count}"
    if spec.type == "reads" and count > 2:
        return f"expected one FASTQ file or a pair, found {count}; use `run` with a manifest for several lanes"
    return None


def _absolute(file: str) -> str:
    return file if "://" in file else follow_parents(str(Path(file).absolute()))


def _parameters(spec: StepSpec, assignments: Sequence[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
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
            values[name] = parse_value(spec.parameters[name], text, str(Path.cwd()))
        except ValueError as error:
            problems.append(Problem(f"--param {assignment}: {error}"))
    problems += [Problem(message) for message in lacking_values(spec.parameters, values)]
    if problems:
        raise UsageError(problems)
    return follow_parents_in(values, spec.parameters)


def _scope(spec: StepSpec) -> str:
    """Return the scope that the outputs of a step are named after: sample, interval or cohort."""
    scopes = [name for output in spec.outputs.values() for name in PLACEHOLDER.findall(output.path) if name in SCOPES]
    if scopes:
        return str(scopes[0])
    return "cohort" if any(one.type == "files" for one in spec.inputs.values()) else "sample"


def _reference(
    spec: StepSpec, request: StepRequest, store: Store, cache: Path, note: Callable[[str], None]
) -> str | None:
    """Prepare the reference of a step and return its path; None for a step without one.

    Args:
        spec: The step.
        request: The arguments, with the path or URI of the reference.
        store: The store that reads it.
        cache: The user's cache folder.
        note: Shows a line of progress.
    """
    references = [one for one in spec.inputs.values() if one.type == "reference"]
    if not references or request.reference is None:
        return None
    indexes = sorted({index for one in references for index in one.indexes})
    return str(prepare(request.reference, indexes, store, cache, note))


def _item(
    scope: str, spec: StepSpec, files: Mapping[str, list[str]], request: StepRequest, reference: str | None
) -> dict[str, Any]:
    """Return the item of the task, in the form of a line of a manifest.

    Args:
        scope: sample, interval or cohort.
        spec: The step.
        files: The paths of the files by input.
        request: The arguments of the step.
        reference: The path of the FASTA file, if there is one.
    """
    if scope == "cohort":
        return {"cohort": "cohort", "files": dict(files)}
    if scope == "interval":
        sizes = read_contigs(Path(reference)) if reference else []
        return {"interval": "00000", "regions": [f"{name}:1-{length}" for name, length in sizes], "files": dict(files)}
    name = request.sample or sample_of(next(iter(files.values()))[0])
    if not NAME.fullmatch(name):
        raise UsageError(f"--sample: expected a name of letters, digits, '.', '_' and '-', found {name!r}")
    reads = next((files[one.name] for one in spec.inputs.values() if one.type == "reads"), None)
    sex = {"sex": request.sex} if request.sex else {}
    return {"sample": name, **sex, "lanes": [_lane(reads)] if reads else [], "files": dict(files)}


def _lane(reads: Sequence[str]) -> dict[str, str | None]:
    """Return a lane of files, whose formats their names tell."""
    kind = reads[0].lower().rpartition(".")[2]
    if kind in ("bam", "cram"):
        return {"lane": "L001", kind: reads[0]}
    return {"lane": "L001", "fastq_1": reads[0], "fastq_2": (*reads, None)[1]}


def _outcome(folder: RunFolder, spec: StepSpec, record: CompletionRecord) -> StepOutcome:
    files = {name: str(folder.path / output.key) for name, output in record.outputs.items()}
    output = record.outputs.get(METRICS)
    metrics: Mapping[str, Any] = {}
    if output is not None and output.key.endswith(".json"):
        metrics = parse_metrics(folder.store.read(folder.uri(output.key)))
    return StepOutcome(
        step=record.step,
        item=record.item,
        reused=record.reused,
        seconds=record.seconds,
        files=files,
        metrics=metrics,
        verdicts=verdicts(spec.metrics, metrics),
    )
