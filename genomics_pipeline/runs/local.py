"""Run a manifest through a pipeline on this machine, into a run's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.asl.canonical import canonical
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.engine.api import ExecutionResult, execute
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.manifest import manifest_lines
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.report.ledger import tsv_lines
from genomics_pipeline.runs import outcome
from genomics_pipeline.runs.find_run import LocalRun
from genomics_pipeline.runs.intervals import contigs, interval_lines
from genomics_pipeline.runs.item_ends import judged, missing
from genomics_pipeline.runs.jobs import Worker, job_definitions
from genomics_pipeline.runs.ledger import rows
from genomics_pipeline.runs.local_state import local_failures
from genomics_pipeline.runs.outcome import words
from genomics_pipeline.runs.pipeline_info import write_pipeline_info
from genomics_pipeline.runs.plan import Plan, plan
from genomics_pipeline.runs.run_files import run_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import capacity
from genomics_pipeline.worker.reference import prepare

if TYPE_CHECKING:
    from genomics_pipeline.model.faults import Faults
    from genomics_pipeline.runs.container_jobs import ContainerWorker
    from genomics_pipeline.runs.faults import Injector

SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asks to be run.

    Attributes:
        manifest: Path or URI of a sample sheet.
        reference: Path or URI of a FASTA file, plain or compressed.
        out: The run's folder.
        pipeline: A shipped pipeline's name or a pipeline file.
        parameters: ``STAGE.NAME=VALUE`` overrides.
        samples: Only these samples; all where none is named.
        tolerate: How many samples may fail; as the pipeline says where it is None.
        resume: Continue an interrupted execution of the same run.
        truth: A VCF of planted genotypes to score the joint VCF against.
        containers: Run each task in a container of its step's image.
        inject: A file of faults to make on purpose.
    """

    manifest: str
    reference: str
    out: Path
    pipeline: str = "germline"
    parameters: Sequence[str] = ()
    samples: Sequence[str] = ()
    tolerate: str | None = None
    resume: bool = False
    truth: Path | None = None
    containers: bool = False
    inject: Path | None = None


@dataclass(slots=True)
class _Execution:
    """One execution of the run's definition, new or resumed."""

    folder: RunFolder
    plan: Plan
    number: int
    worker: Worker | ContainerWorker
    injector: Injector | None = None
    started: float = field(default_factory=time.time)

    @property
    def name(self) -> str:
        return f"{self.folder.name}-{self.number}"


def run(request: Request, display: Any) -> dict[str, Any]:
    """Run a request to its end; finished steps that still match are not run again.

    Args:
        request: What to run.
        display: A `report.progress.Progress`, told what happens.

    Returns:
        The run's summary, as ``--json`` prints it; ``status`` is SUCCEEDED or FAILED.

    Raises:
        UsageError: see `plan`.
        DataError: see `plan`; also for a reference that cannot be used.
        RunError: if another process is running in the folder.
    """
    started = time.monotonic()
    checked = plan(request)
    faults = _faults(request, checked)
    folder = RunFolder(request.out)
    folder.create()
    with folder.locked():
        _write_inputs(folder, checked, request.reference, display)
        worker = _worker(folder, checked, request.containers, display)
        execution = _begin(folder, checked, worker, request.resume, display)
        execution.injector = _injector(faults, worker, folder, display)
        try:
            result = _execute(execution, display)
        except KeyboardInterrupt:
            _record(execution, "ABORTED", {})
            display.note(f"interrupted; the same command with --resume goes on from here: {folder.path}")
            raise
        summary = _summary(execution, result)
        if execution.injector:
            summary["injected"] = execution.injector.counts()
            display.note("faults injected: " + ", ".join(f"{kind} {n}" for kind, n in summary["injected"].items()))
        summary["cohort"]["truth"] = _score(summary, request.truth, folder)
        summary["seconds"] = round(time.monotonic() - started, 3)
        write_pipeline_info(folder, checked.pipeline, checked.steps, checked.overrides)
        _record(execution, result.status, summary)
        return summary


def _write_inputs(folder: RunFolder, checked: Plan, reference: str, display: Any) -> None:
    """The files that decide an execution; see `RunFolder.digest`."""
    store = RoutedStore({BUCKET: folder.path})
    inputs = [spec for step in checked.steps.values() for spec in step.spec.inputs.values()]
    indexes = {index for spec in inputs if spec.type == "reference" for index in spec.indexes}
    display.note(f"reference: {reference}")
    prepared = prepare(reference, sorted(indexes), store, None)
    sizes = contigs(Path(f"{prepared}.fai").read_text(), file=f"{prepared}.fai")
    place = RunPlace(folder.name, BUCKET, "")
    given = ExecutionInput(place, str(prepared), checked.overrides, checked.tolerated)
    folder.write(folder.manifest, manifest_lines(checked.samples))
    folder.write(folder.intervals, interval_lines(sizes, checked.pipeline.maps["interval"].interval_size_bp))
    folder.write(folder.definition, canonical(generate(checked.pipeline)))
    folder.write(folder.input, json.dumps(given.to_json(), indent=2) + "\n")


def _begin(
    folder: RunFolder, checked: Plan, worker: Worker | ContainerWorker, resume: bool, display: Any
) -> _Execution:
    """Number the execution: the interrupted one's number when it is resumed, else the next."""
    before = folder.record()
    number = before.get("execution", 0)
    same = before.get("digest") == folder.digest() and before.get("status") in ("RUNNING", "ABORTED")
    if resume and same:
        display.note(f"resuming execution {folder.name}-{number}")
    elif resume and before:
        display.note("nothing to resume: the last execution ended or its inputs changed; finished steps are kept")
    execution = _Execution(folder, checked, number if resume and same else number + 1, worker)
    _record(execution, "RUNNING", {})
    folder.failures.unlink(missing_ok=True)  # it tells of an execution that ended
    return execution


def _faults(request: Request, checked: Plan) -> Faults | None:
    """What `--inject` asks for, checked before anything is written."""
    if request.inject is None:
        return None
    if request.containers:
        raise UsageError("--inject makes faults in processes of this machine: leave --containers out")
    from genomics_pipeline.runs.faults import read_faults

    return read_faults(request.inject, checked)


def _injector(
    faults: Faults | None, worker: Worker | ContainerWorker, folder: RunFolder, display: Any
) -> Injector | None:
    if faults is None or not isinstance(worker, Worker):
        return None
    from genomics_pipeline.runs.faults import Injector

    display.note(str(faults))
    return Injector(faults, worker, folder, display.note)


def _worker(folder: RunFolder, checked: Plan, containers: bool, display: Any) -> Worker | ContainerWorker:
    """What runs the jobs; images that are missing are built."""
    if not containers:
        return Worker(checked.steps, RoutedStore({BUCKET: folder.path}), folder.scratch)
    from genomics_pipeline.runs import images
    from genomics_pipeline.runs.container_engine import ContainerEngine
    from genomics_pipeline.runs.container_jobs import ContainerWorker

    engine = ContainerEngine()
    wanted = {name: images.image(step, ResourceNames()) for name, step in checked.steps.items()}
    for each in wanted.values():
        display.note(f"image: {each.name}")
        images.build(each, engine)
    worker = ContainerWorker({name: each.name for name, each in wanted.items()}, folder, engine)
    worker.end_leftovers()
    return worker


def _execute(execution: _Execution, display: Any) -> ExecutionResult:
    folder = execution.folder
    cores, memory_mib = capacity()
    injector = execution.injector
    run_job = injector.run_job if injector else execution.worker.run_job
    tasks = BatchTasks(job_definitions(execution.plan.steps), run_job, cores=cores, memory_mib=memory_mib)
    return execute(
        json.loads(folder.definition.read_bytes()),
        json.loads(folder.input.read_bytes()),
        name=execution.name,
        state_machine=execution.plan.pipeline.name,
        store=RoutedStore({BUCKET: folder.path}),
        tasks=Handlers({SUBMIT_JOB: injector.submitting(tasks) if injector else tasks}),
        journal=folder.journal(execution.name),
        observer=display.event,
    )


def _summary(execution: _Execution, result: ExecutionResult) -> dict[str, Any]:
    folder, pipeline, worker = execution.folder, execution.plan.pipeline, execution.worker
    run = LocalRun(folder)
    files = run_files(run)
    found = list(judged(files, files.groups(), local_failures(folder, result.status)))
    folder.write(folder.failures, tsv_lines(rows(run, iter(found))))
    failed = {one.item: words(one.failure) for one in found if one.scope == "sample" and not one.pending}
    samples = list(outcome.sample_rows(folder, pipeline, failed, worker.ran))
    lacking = missing(files, found)
    summary: dict[str, Any] = {
        "run": str(folder.path),
        "status": result.status,
        "samples": samples,
        "cohort": outcome.cohort_row(folder, pipeline) if result.status == "SUCCEEDED" else outcome.NO_COHORT,
        "steps": {"run": len(worker.ran), "reused": len(worker.reused)},
        **({"missing": lacking.to_json()} if lacking else {}),
        "seconds": 0.0,
    }
    if result.status != "SUCCEEDED":
        summary["error"] = outcome.explain(result.error or "", result.cause or "")
    return summary


def _score(summary: Mapping[str, Any], truth: Path | None, folder: RunFolder) -> dict[str, Any] | None:
    """Agreement of the joint VCF with planted genotypes, where both are there."""
    calls = next((path for name, path in summary["cohort"]["files"].items() if name.endswith(".vcf")), None)
    if truth is None or calls is None:
        return None
    from genomics_pipeline.report.concordance import score

    reference = json.loads(folder.input.read_bytes())["reference"]
    return score(Path(calls), truth, Path(reference)).to_json()


def _record(execution: _Execution, status: str, summary: Mapping[str, Any]) -> None:
    """Replace ``run.json``."""
    plan = execution.plan
    execution.folder.save(
        {
            "run": execution.folder.name,
            "status": status,
            "execution": execution.number,
            "digest": execution.folder.digest(),
            "pipeline": plan.pipeline.name,
            "parameters": plan.overrides,
            "tolerated": dict(plan.tolerated),
            "started": datetime.fromtimestamp(execution.started, UTC).isoformat(timespec="seconds"),
            "summary": summary,
        }
    )
