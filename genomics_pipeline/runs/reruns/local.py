"""Rerun of a run in a folder of this machine."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from genomics_pipeline.asl.canonical import canonical
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.local_run import LocalRunRecord, RunArguments
from genomics_pipeline.records.rerun import RerunRecord, read_rerun, write_rerun
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.execution import LocalExecution, attempts_of
from genomics_pipeline.runs.local.worker_jobs import jobs_of_steps
from genomics_pipeline.runs.reruns.chain import WHOLE, local_chain, local_map_runs
from genomics_pipeline.runs.reruns.choice import Choice, first_names, told
from genomics_pipeline.runs.reruns.request import (
    CHECKED,
    Changes,
    RerunRequest,
    changes,
    execution_input,
    nothing,
    refuse_wanted,
)
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.worker.step_folder import StepFolder


def rerun_local(folder: RunFolder, request: RerunRequest, adapters: Adapters, display: Display) -> dict[str, Any]:
    """Run again what failed.

    Args:
        folder: The folder of the run.
        request: What to run again.
        adapters: Where files are read; the environment of containers.
        display: Shows the progress.

    Returns:
        The run's summary, as `local.run` gives it, and in ``rerun`` what was run again; of a dry run and where there is
        nothing to do ``run, status, samples, by_class, first``.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for a pipeline that cannot be used any more.
        RunError: while an execution runs, or was interrupted, or left no result files.
    """
    record = _ended(folder)
    pipeline, steps = load_pipeline(record.arguments.pipeline)
    changed = changes(request, pipeline)
    with nullcontext() if request.dry_run else folder.locked():
        record = folder.record() or record
        if record.status in ("RUNNING", "ABORTED"):  # by a process that is gone
            return _go_on(folder, record, request, pipeline, steps, adapters, display)
        chain = local_chain(folder)
        instead = "run it again: what is done is not run again"
        choice = Choice(
            folder_files(folder, adapters.store),
            chain,
            partial(local_map_runs, folder),
            instead,
        )
        refuse_wanted(request.wanted, choice)
        number = record.execution
        with TemporaryFile() as file:
            manifest = cast(BinaryIO, file)
            planned = choice.write(request.wanted, manifest, told=bool(request.wanted.classes) or request.dry_run)
            what = {"execution": f"{folder.name}-{number + 1}", **told(planned, first_names(manifest))}
            failed_only_later = request.wanted.all and record.status != "SUCCEEDED"
            if not planned.items and not failed_only_later:
                return nothing(str(folder.path), what, not planned.filtered)
            if request.dry_run:
                return {"run": str(folder.path), "status": CHECKED, **what}
            manifest.seek(0)
            key = _write_manifest(folder, number, manifest, choice)
        given = _input(folder, key, changed, choice, planned.filtered)
        _write(folder, number, pipeline, given, request, what, display)
        execution = _execution(folder, record, number + 1, key, pipeline, steps, adapters, display)
        return _run(execution, what, display)


def _ended(folder: RunFolder) -> LocalRunRecord:
    """Return the record of a run whose newest execution does not run.

    Raises:
        RunError: if it has none, or that is running.
    """
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet; `genomics-pipeline run` begins it")
    if folder.status() == "RUNNING":
        name = f"{folder.name}-{record.execution}"
        advice = f"wait for it, or end it: genomics-pipeline cancel {folder.path}"
        raise RunError(f"{folder.path}: execution {name} is running; {advice}")
    return record


def _go_on(
    folder: RunFolder,
    record: LocalRunRecord,
    request: RerunRequest,
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    adapters: Adapters,
    display: Display,
) -> dict[str, Any]:
    """Go on with a rerun that was interrupted; of the run itself `run --resume` does it."""
    number = record.execution
    newest = local_chain(folder)[-1]
    if record.input != run_layout.rerun_file(number - 1, run_layout.INPUT):
        command = _command(folder, record.arguments)
        raise RunError(f"{folder.path}: execution {newest.name} was interrupted; finish it first: {command} --resume")
    if request.dry_run or not request.is_plain:
        command = f"genomics-pipeline rerun {folder.path}"
        raise RunError(f"{folder.path}: the rerun {newest.name} was interrupted; finish it first: {command}")
    display.note(f"resuming execution {newest.name}")
    uri = str(folder.path / run_layout.rerun_file(number - 1, run_layout.RECORD))
    rerun = read_rerun(LocalStore(), uri)
    if rerun is None:
        raise MissingObject(uri)
    execution = _execution(folder, record, number, newest.manifest, pipeline, steps, adapters, display)
    return _run(execution, rerun.counts, display)


def _command(folder: RunFolder, arguments: RunArguments) -> str:
    """Return the command that began a run."""
    words = ["genomics-pipeline", "run", arguments.manifest, "--reference", arguments.reference]
    words += ["--out", str(folder.path), "--pipeline", arguments.pipeline]
    for option, values in (("--param", arguments.parameters), ("--sample", arguments.samples)):
        words += [word for value in values for word in (option, value)]
    words += [] if arguments.tolerate is None else ["--tolerate", arguments.tolerate]
    words += ["--containers"] if arguments.containers else []
    return shlex.join(words)


def _write_manifest(folder: RunFolder, number: int, lines: BinaryIO, choice: Choice) -> str:
    """The manifest of the rerun; its key."""
    place = folder.path / run_layout.rerun_file(number, "")
    shutil.rmtree(place, ignore_errors=True)  # of a rerun that was never begun
    place.mkdir(parents=True)
    if choice.is_whole:
        return WHOLE
    with (place / WHOLE).open("wb") as out:
        shutil.copyfileobj(lines, out)
    return run_layout.rerun_file(number, WHOLE)


def _input(folder: RunFolder, key: str, changed: Changes, choice: Choice, left_out: int) -> ExecutionInput:
    """The run's own input with what the rerun changes."""
    own = json.loads(folder.input.read_bytes())
    with folder.manifest.open("rb") as lines:
        samples = sum(1 for _ in lines)
    return execution_input(own, key, samples, left_out, changed, choice)


def _write(
    folder: RunFolder,
    number: int,
    pipeline: Pipeline,
    given: ExecutionInput,
    request: RerunRequest,
    what: Mapping[str, Any],
    display: Display,
) -> None:
    """The files of the rerun, and the definition as it is made now."""
    definition = canonical(generate(pipeline))
    if definition != folder.definition.read_text():
        display.note("the pipeline has changed since; samples that succeeded stay as they are")
        folder.write(folder.definition, definition)
    record = RerunRecord(
        number=number,
        execution=what["execution"],
        parent=f"{folder.name}-{number}",
        manifest=given.manifest,
        classes=tuple(request.wanted.classes),
        names=tuple(request.wanted.samples),
        parameters=given.parameters,
        memory_mib=given.memory_mib,
        counts=what,
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    folder.write(
        folder.path / run_layout.rerun_file(number, run_layout.INPUT), json.dumps(given.to_json(), indent=2) + "\n"
    )
    write_rerun(LocalStore(), str(folder.path / run_layout.rerun_file(number, run_layout.RECORD)), record)


def _execution(
    folder: RunFolder,
    record: LocalRunRecord,
    number: int,
    manifest: str,
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    adapters: Adapters,
    display: Display,
) -> LocalExecution:
    given = folder.path / run_layout.rerun_file(number - 1, run_layout.INPUT)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    inputs = [spec for step in steps.values() for spec in step.spec.inputs.values()]
    indexes = {index for spec in inputs if spec.type == "reference" for index in spec.indexes}
    prepare(record.arguments.reference, sorted(indexes), store, adapters.cache)
    return LocalExecution(
        folder=folder,
        pipeline=pipeline,
        steps=steps,
        parameters=record.parameters,
        arguments=record.arguments,
        number=number,
        first=number if manifest == WHOLE else record.first,
        input=given,
        digest=sha256(given.read_bytes()).hexdigest(),
        jobs=jobs_of_steps(steps, attempts_of(folder, steps, record.arguments.containers, adapters, display)),
        store=store,
    )


def _run(execution: LocalExecution, what: Mapping[str, Any], display: Display) -> dict[str, Any]:
    started = time.monotonic()
    result = execution.run(display, "`genomics-pipeline rerun`")
    summary = execution.summary(result)
    summary["rerun"] = dict(what)
    summary["seconds"] = round(time.monotonic() - started, 3)
    execution.record(result.status, summary)
    return summary
