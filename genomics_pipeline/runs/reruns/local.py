"""The rerun of a run in a folder of this machine: another execution in the folder, run to its end."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import BinaryIO

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.local_run import LocalRunRecord, RunArguments
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.rerun import ChosenSamples, read_rerun
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.chain import local_chain, local_map_runs
from genomics_pipeline.runs.local.execution import LocalExecution, attempt_runner
from genomics_pipeline.runs.local.worker_jobs import jobs_of_steps
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest, changes
from genomics_pipeline.runs.reruns.rerun import PlannedRerun, RunToRerun, rerun
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.publish import publishing
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class _InFolder:
    """A `RerunTarget` for a run in a folder.

    Attributes:
        folder: The folder of the run.
        record: The record of the run.
        pipeline: The pipeline of the run.
        steps: The steps of the pipeline.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.
    """

    folder: RunFolder
    record: LocalRunRecord
    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    adapters: Adapters
    display: Display

    def map_runs(self, execution: RunExecution) -> Sequence[MapRunDescription]:
        """Return the Map Runs of an execution, from its journal."""
        return local_map_runs(self.folder, execution)

    def check(self, planned: PlannedRerun, lines: BinaryIO) -> None:
        """Accept every rerun: a folder has no limits."""

    def write_items(self, planned: PlannedRerun, lines: BinaryIO) -> None:
        """Write the manifest, unless it is that of the run."""
        rerun_folder = self.folder.path / run_layout.rerun_file(self.record.execution, "")
        shutil.rmtree(rerun_folder, ignore_errors=True)  # left by a rerun that was never started
        if not planned.is_whole:
            with publishing(rerun_folder / WHOLE, self.folder.path) as out:
                shutil.copyfileobj(lines, out)

    def start(self, planned: PlannedRerun) -> RerunOutcome:
        """Run the execution to its end."""
        return self.run(self.record.execution + 1, planned.input.manifest, planned.chosen)

    def resume(self, request: RerunRequest) -> RerunOutcome:
        """Resume a rerun that was interrupted.

        Raises:
            RunError: if the run itself was interrupted, or the request asks for another rerun.
        """
        folder, number = self.folder, self.record.execution
        newest = local_chain(folder)[-1]
        if self.record.input != run_layout.rerun_file(number - 1, run_layout.INPUT):
            command = f"{_command(folder, self.record.arguments)} --resume"
            raise RunError(f"{folder.path}: execution {newest.name} was interrupted; finish it first: {command}")
        if request.dry_run or not request.is_plain:
            command = command_line("rerun", str(folder.path))
            raise RunError(f"{folder.path}: the rerun {newest.name} was interrupted; finish it first: {command}")
        self.display.note(f"resuming execution {newest.name}")
        uri = str(folder.path / run_layout.rerun_file(number - 1, run_layout.RECORD))
        rerun = read_rerun(folder.store, uri)
        if rerun is None:
            raise MissingObject(uri)
        return self.run(number, newest.manifest, rerun.chosen)

    def run(self, number: int, manifest: str, chosen: ChosenSamples) -> RerunOutcome:
        """Run an execution of a rerun to its end.

        Args:
            number: The number of the execution in the folder.
            manifest: The key of the manifest that it reads.
            chosen: The samples that it runs.
        """
        started = time.monotonic()
        execution = self._execution(number, manifest)
        result = execution.run(self.display, "`genomics-pipeline rerun`")
        seconds = round(time.monotonic() - started, 3)
        summary = replace(execution.summary(result), rerun=chosen, seconds=seconds)
        execution.record(result.status, summary)
        return RerunOutcome(str(self.folder.path), result.status, chosen, summary=summary)

    def _execution(self, number: int, manifest: str) -> LocalExecution:
        folder, record, steps, adapters = self.folder, self.record, self.steps, self.adapters
        input_file = folder.path / run_layout.rerun_file(number - 1, run_layout.INPUT)
        store = adapters.store.with_buckets({BUCKET: folder.path})
        inputs = [spec for step in steps.values() for spec in step.spec.inputs.values()]
        indexes = {index for spec in inputs if spec.type == "reference" for index in spec.indexes}
        prepare(record.arguments.reference, sorted(indexes), store, adapters.cache, self.display.note)
        run_attempt = attempt_runner(folder, steps, record.arguments.containers, adapters, self.display)
        return LocalExecution(
            folder=folder,
            pipeline=self.pipeline,
            steps=steps,
            parameters=record.parameters,
            arguments=record.arguments,
            number=number,
            first=number if manifest == WHOLE else record.first,
            input=input_file,
            digest=sha256(input_file.read_bytes()).hexdigest(),
            jobs=jobs_of_steps(steps, run_attempt),
            store=store,
        )


def rerun_local(folder: RunFolder, request: RerunRequest, adapters: Adapters, display: Display) -> RerunOutcome:
    """Rerun the samples of a run in a folder that failed or never started.

    Args:
        folder: The folder of the run.
        request: The arguments of the rerun.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for a pipeline that can no longer be used.
        RunError: if an execution is running or was interrupted, or left no result files.
    """
    record = _record(folder)
    if request.dry_run and folder.status() == "RUNNING":
        advice = f"wait for it, or end it: {command_line('cancel', str(folder.path))}"
        raise RunError(f"{folder.path}: execution {folder.name}-{record.execution} is running; {advice}")
    pipeline, steps = load_pipeline(record.arguments.pipeline)
    changed = changes(request, pipeline)
    with nullcontext() if request.dry_run else folder.lock(display.note):
        record = folder.record() or record
        target = _InFolder(folder, record, pipeline, steps, adapters, display)
        if record.status in ("RUNNING", "ABORTED"):  # its process is gone
            return target.resume(request)
        with folder.manifest.open("rb") as lines:
            samples = sum(1 for _ in lines)
        subject = RunToRerun(
            run=str(folder.path),
            files=folder_files(folder, adapters.store),
            chain=local_chain(folder),
            samples=samples,
            succeeded=record.status == "SUCCEEDED",
            number=record.execution,
            execution=f"{folder.name}-{record.execution + 1}",
            definition=canonical_json(generate(pipeline)),
            definition_note="the pipeline has changed since; samples that succeeded stay as they are",
            without_results="repeat the command of the run: completed steps are reused",
        )
        return rerun(subject, target, request, changed, display)


def _record(folder: RunFolder) -> LocalRunRecord:
    """Return the record of a run.

    Raises:
        RunError: if nothing was run yet.
    """
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet; start it with `genomics-pipeline run`")
    return record


def _command(folder: RunFolder, arguments: RunArguments) -> str:
    """Return the command that started a run."""
    words = ["genomics-pipeline", "run", arguments.manifest, "--reference", arguments.reference]
    words += ["--out", str(folder.path), "--pipeline", arguments.pipeline]
    for option, values in (("--param", arguments.parameters), ("--sample", arguments.samples)):
        words += [word for value in values for word in (option, value)]
    words += [] if arguments.tolerate is None else ["--tolerate", arguments.tolerate]
    words += ["--containers"] if arguments.containers else []
    return shlex.join(words)
