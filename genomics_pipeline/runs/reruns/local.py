"""The rerun of a run in a folder of this machine: another execution in the folder, run to its end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import PayloadBudget, payload_budgets
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.metric_bounds import StageBounds, parse_bound_assignments
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import parse_most_failures, parse_tolerance
from genomics_pipeline.records.earlier_packed import read_earlier_packed
from genomics_pipeline.records.fields import ADVICE
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.rerun import ChosenSamples, read_rerun
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.given_files import file_misfit, parameter_files
from genomics_pipeline.runs.item_lines import item_lines
from genomics_pipeline.runs.joined_samples import joined_before
from genomics_pipeline.runs.local.chain import local_chain, local_map_runs
from genomics_pipeline.runs.local.checks import check_contents
from genomics_pipeline.runs.local.execution import REOPENED, LocalExecution
from genomics_pipeline.runs.local.jobs_place import on_nodes
from genomics_pipeline.runs.local.preparation import prepare_reference
from genomics_pipeline.runs.local.report import write_run_report
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.local.resumable import find_unfinished
from genomics_pipeline.runs.local.run import run
from genomics_pipeline.runs.local.run_jobs import run_jobs
from genomics_pipeline.runs.reference_indexes import stage_steps
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.reruns.choice import SHOWN_NAMES
from genomics_pipeline.runs.reruns.outcome import NOTHING, RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunChanges, RerunRequest, SampleFilter, changes, with_changes
from genomics_pipeline.runs.reruns.rerun import PlannedRerun, RunToRerun, rerun
from genomics_pipeline.runs.run_files import RunFiles, cohort_names, folder_files
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.slurm.cancelled_jobs import cancel_jobs
from genomics_pipeline.stores.protocol import MissingObject
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
        """Check the parameters against the limits of a job, and the files that they name against the reference.

        Raises:
            DataError: with all problems.
        """
        self._budget(planned)
        store, reference = self.adapters.store, Path(planned.input.reference)
        if not file_misfit(str(reference), store):
            files, names = parameter_files(self.pipeline, planned.input.parameters), cohort_names(self.folder, store)
            check_contents(files, names, None, reference, store)

    def write_items(self, planned: PlannedRerun, lines: BinaryIO) -> None:
        """Write the manifest, unless it is that of the run."""
        rerun_folder = self.folder.path / run_layout.rerun_file(self.record.execution, "")
        shutil.rmtree(rerun_folder, ignore_errors=True)  # left by a rerun that was never started
        if planned.is_whole:
            return
        place, large = RunPlace(self.folder.name, BUCKET, ""), dict[str, str]()
        text = (line.decode() for line in lines)
        pointed = item_lines("sample", text, self._budget(planned), place, large)
        self.folder.write(rerun_folder / WHOLE, pointed)
        for key, item in large.items():
            self.folder.write(self.folder.path / key, item)

    def _budget(self, planned: PlannedRerun) -> PayloadBudget | None:
        """Return the greatest size of a sample in a job of the rerun."""
        return payload_budgets(self.pipeline, generate(self.pipeline), planned.input.to_json()).get("sample")

    def start(self, planned: PlannedRerun) -> RerunOutcome:
        """Run the execution to its end."""
        return self.run(self.record.execution + 1, planned.input.manifest, planned.chosen, planned.accepted)

    def resume(self) -> RerunOutcome:
        """Resume the rerun that was interrupted."""
        folder, number = self.folder, self.record.execution
        newest = local_chain(folder)[-1]
        self.display.note(f"resuming execution {newest.name}")
        key = run_layout.rerun_file(number - 1, run_layout.RECORD)
        rerun = read_rerun(folder.store, folder.uri(key))
        if rerun is None:
            raise MissingObject(str(folder.path / key))
        return self.run(number, newest.manifest, rerun.chosen, rerun.accepted)

    def run(
        self, number: int, manifest: str, chosen: ChosenSamples, accepted: Mapping[str, float] | None
    ) -> RerunOutcome:
        """Run an execution of a rerun to its end.

        Args:
            number: The number of the execution in the folder.
            manifest: The key of the manifest that it reads.
            chosen: The samples that it runs.
            accepted: The ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
        """
        started = time.monotonic()
        execution = self._execution(number, manifest, accepted)
        result = execution.run(self.display, "`genomics-pipeline rerun`")
        seconds = round(time.monotonic() - started, 3)
        summary = replace(execution.summary(result), rerun=chosen, seconds=seconds)
        execution.record(result.status, summary)
        write_run_report(self.folder, self.pipeline, self.adapters.store)
        return RerunOutcome(str(self.folder.path), result.status, chosen, summary=summary)

    def _execution(self, number: int, manifest: str, accepted: Mapping[str, float] | None) -> LocalExecution:
        folder, record, steps = self.folder, self.record, self.steps
        adapters = on_nodes(record.arguments, self.adapters)
        input_key = run_layout.rerun_file(number - 1, run_layout.INPUT)
        store = adapters.store.with_buckets({BUCKET: folder.path})
        indexed = stage_steps(self.pipeline.of_run(record.parameters), steps, record.parameters)
        prepare_reference(record.arguments.reference, indexed, store, adapters, self.display)
        jobs = run_jobs(folder, steps, record.arguments, adapters, self.display)
        return LocalExecution(
            folder=folder,
            pipeline=self.pipeline,
            steps=steps,
            parameters=record.parameters,
            arguments=record.arguments,
            accepted=accepted,
            number=number,
            first=number if manifest == WHOLE else record.first,
            input=folder.path / input_key,
            digest=sha256(folder.store.read(folder.uri(input_key))).hexdigest(),
            jobs=jobs.runner(),
            store=store,
        )


def rerun_local(folder: RunFolder, request: RerunRequest, adapters: Adapters, display: Display) -> RerunOutcome:
    """Rerun the samples of a run in a folder that failed or never started; an interrupted execution is finished first.

    Args:
        folder: The folder of the run.
        request: The arguments of the rerun.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for a pipeline that can no longer be used.
        RunError: if an execution is running, or has to be finished before this rerun.
    """
    record = folder.executed()
    if request.dry_run and folder.status() == "RUNNING":
        advice = f"wait for it, or end it: {command_line('cancel', str(folder.path))}"
        raise RunError(f"{folder.path}: execution {folder.name}-{record.execution} is running; {advice}")
    with_changes(record.arguments.slurm, request.slurm)
    pipeline, steps = load_pipeline(record.arguments.pipeline)
    pipeline = pipeline.with_bounds(_bounds(record, pipeline))
    changed = changes(request, pipeline)
    with nullcontext() if request.dry_run else folder.lock(display.note):
        before = folder.record() or record
        record = _changed(before, request)
        files = folder_files(folder, adapters.store)
        target = _InFolder(folder, record, pipeline, steps, adapters, display)
        unfinished = find_unfinished(folder, files, record)
        if request.after is not None and record.execution > request.after:
            if unfinished is None:
                chosen = ChosenSamples(f"{folder.name}-{record.execution}", 0, {}, (), 0)
                message = f"execution {chosen.execution} has ended before"
                return RerunOutcome(str(folder.path), NOTHING, chosen, message, accepted=record.status == "SUCCEEDED")
            request = RerunRequest(slurm=request.slurm)
        if unfinished is None:
            outcome = _rerun(target, files, request, changed)
            for _ in pipeline.stages:  # the makers of a damaged output may find theirs damaged
                if outcome.summary is None or not outcome.summary.reopened:
                    break
                display.note(REOPENED)
                again = [one.item for one in outcome.summary.reopened if one.scope == "sample"]
                target = replace(target, record=_changed(folder.executed(), request))
                outcome = _rerun(target, files, replace(request, selection=SampleFilter(samples=again)), changed)
            return outcome
        if request.dry_run or not request.is_plain:
            command = command_line("rerun", str(folder.path))
            raise RunError(f"{folder.path}: {unfinished.reason}; finish it first: {command}")
        if unfinished.is_rerun:
            if record.arguments.slurm != before.arguments.slurm:  # its jobs would run beside the new ones
                cancel_jobs(folder.path, adapters.environment, display.note)
            return target.resume()
        display.note(f"{unfinished.reason}: it is finished as by the command of the run")
    return _finish_run(folder, record, adapters, display)


def _changed(record: LocalRunRecord, request: RerunRequest) -> LocalRunRecord:
    """Return the record of a run with the options of jobs that its rerun has, which later reruns keep."""
    slurm = with_changes(record.arguments.slurm, request.slurm)
    return replace(record, arguments=replace(record.arguments, slurm=slurm))


def _rerun(target: _InFolder, files: RunFiles, request: RerunRequest, changed: RerunChanges) -> RerunOutcome:
    """Run a rerun over a run whose newest execution has ended.

    Args:
        target: The run.
        files: The files of the run.
        request: The arguments of the rerun.
        changed: The changes that it makes to the input of the run.
    """
    folder, record, number = target.folder, target.record, target.record.execution + 1
    subject = RunToRerun(
        run=str(folder.path),
        files=files,
        chain=local_chain(folder),
        samples=sum(1 for _ in files.items("sample")),
        succeeded=record.status == "SUCCEEDED",
        accepted=_accepted(record),
        number=record.execution,
        execution=f"{folder.name}-{number}",
        definition=canonical_json(generate(target.pipeline)),
        definition_note="the pipeline has changed since; samples that succeeded stay as they are",
        without_results=ADVICE,
        ladders=target.pipeline.memory_ladders,
        in_parts=target.pipeline.maps["sample"].map_runs > 1,
    )
    return rerun(subject, target, request, changed, target.display)


def _accepted(record: LocalRunRecord) -> Mapping[str, float] | None:
    """Return what the user accepted for the run itself; None for nothing."""
    tolerate = record.arguments.tolerate
    return None if tolerate is None else parse_tolerance(tolerate)


def _bounds(record: LocalRunRecord, pipeline: Pipeline) -> StageBounds:
    """Return the bounds of metrics of a run."""
    return parse_bound_assignments(record.arguments.bounds, {stage.name: stage.step for stage in pipeline.stages})


def _finish_run(folder: RunFolder, record: LocalRunRecord, adapters: Adapters, display: Display) -> RerunOutcome:
    """Resume the run itself, or run it again: what is done is reused.

    Args:
        folder: The folder of the run.
        record: The record of the run.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.
    """
    arguments, files = record.arguments, folder_files(folder, adapters.store)
    request = LocalRunRequest(
        arguments.manifest,
        arguments.reference,
        out=folder.path,
        pipeline=arguments.pipeline,
        parameters=arguments.parameters,
        bounds=arguments.bounds,
        samples=arguments.samples,
        accepted=_accepted(record),
        most_failures=None if arguments.max_failures is None else parse_most_failures(arguments.max_failures),
        joined=joined_before(files, arguments.manifest),
        earlier=read_earlier_packed(files.store, files.place),
        containers=arguments.containers,
        registry=arguments.registry,
        slurm=arguments.slurm,
        resume=True,
    )
    summary = run(request, adapters, display)
    names = [one.sample for one in summary.samples]
    execution = f"{folder.name}-{folder.executed().execution}"
    chosen = ChosenSamples(execution, len(names), {}, tuple(names[:SHOWN_NAMES]), 0)
    return RerunOutcome(str(folder.path), summary.status, chosen, summary=summary)
