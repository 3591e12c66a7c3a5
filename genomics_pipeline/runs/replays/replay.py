"""The replay of a task of a run: the run's own definition, item and files, by the same engine and worker, here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.asl.single_stage import single_stage
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import RunAttempt
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.task import item_id
from genomics_pipeline.records.completion import CompletionRecord, delete_completion, read_completion
from genomics_pipeline.records.items import read_item
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.report.replay_outcome import ReplayOutcome, replay_verdict
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.replays.change import ReplayedPart, replayed_part
from genomics_pipeline.runs.replays.folder import ReplayFolder, replay_folder
from genomics_pipeline.runs.replays.images import ReplayImages, replay_images
from genomics_pipeline.runs.replays.jobs import ReplayJobs, with_whole_inputs
from genomics_pipeline.runs.replays.origin import ReplayOrigin, find_origin, place_of_run
from genomics_pipeline.runs.replays.record import replay_record
from genomics_pipeline.runs.replays.record_origin import find_record_origin
from genomics_pipeline.runs.replays.request import ReplayRequest
from genomics_pipeline.runs.replays.sameness import unlike_the_run
from genomics_pipeline.runs.replays.target import ReplayTarget, find_target
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.layered import LayeredStore
from genomics_pipeline.stores.publish import publish_bytes
from genomics_pipeline.worker.command import argv
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class ReplayedTask:
    """A task that is about to be replayed.

    Attributes:
        origin: The run.
        target: The task.
        part: The part of it that is replayed.
        pipeline: The pipeline, of this installation.
        steps: Its steps by name.
        folder: The folder of the replay.
        store: The files of the run, above which those of the replay are written.
        adapters: The environment, the cache, and the cores and memory of this machine.
        images: The images that the task runs in; None for processes.
    """

    origin: ReplayOrigin
    target: ReplayTarget
    part: ReplayedPart
    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    folder: ReplayFolder
    store: LayeredStore
    adapters: Adapters
    images: ReplayImages | None = None

    def in_containers(self) -> RunAttempt | None:
        """Return what runs an attempt in a container; None for processes."""
        if self.images is None:
            return None
        from genomics_pipeline.runs.containers.jobs import ContainerJobs
        from genomics_pipeline.runs.containers.view import view_of_replay

        files, folder = self.origin.files, self.folder
        view = view_of_replay(folder.path, folder.layer, files.place.uri(""), files.folder)
        own, names = RunFolder(folder.path), self.images.names
        jobs = ContainerJobs(names, own, self.images.program, self.store, self.adapters.home, folder.scratch, view)
        return jobs.run_attempt

    @property
    def step(self) -> StepFolder:
        """The step of the stage."""
        return next(self.steps[one.step.name] for one in self.pipeline.stages if one.name == self.target.stage)

    def record(self) -> CompletionRecord | None:
        """Return the completion record that the replay has written; None where it failed."""
        return read_completion(self.store, self.origin.files.place, self.target.stage, self.target.item)


def replay(request: ReplayRequest, adapters: Adapters, note: Callable[[str], None]) -> ReplayOutcome:
    """Replay a task of a run in a folder of its own; nothing is written into the run.

    Args:
        request: The request.
        adapters: The store of the run, the environment, the cache, and the cores and memory of this machine.
        note: Shows a line of progress.

    Raises:
        UsageError: see `find_target`, `replayed_part` and `replay_folder`.
        RunError: see `find_origin` and `find_target`; for a definition that does not have the stage.
        DataError: for a pipeline or a step that cannot be used here.
    """
    request = replace(request, run=place_of_run(request, adapters))
    if (records := find_record_origin(request.run, request.stack, adapters)) is not None:
        return replay_record(records, request, adapters, note)
    task = _prepare(request, adapters)
    target, place = task.target, task.origin.files.place
    unlike = list(unlike_the_run(task.origin, target, task.step, adapters.capacity(), task.images))
    for line in (*task.part.words, *unlike):
        note(f"not the same: {line}")
    item = read_item(task.store, place, target.scope, target.item)
    for stage in task.pipeline.stages:
        if stage.scope == target.scope and (stage.name == target.stage or stage.name in task.part.overrides):
            delete_completion(task.store, place, stage.name, target.item)
    if target.scope in run_layout.ITEM_FILES:
        line = json.dumps(task.part.item(item), ensure_ascii=False) + "\n"
        own = task.origin.input(target.scope, target.item)
        key = own.manifest if target.scope == "sample" else run_layout.INTERVALS
        task.store.write(place.uri(key), line.encode())
    result = _execute(task, note)
    after = None if result.status == "SUCCEEDED" else _failure(task, result)
    return _outcome(task, after, [*task.part.words, *unlike])


def _prepare(request: ReplayRequest, adapters: Adapters) -> ReplayedTask:
    """Return the task, after all checks; the folder of the replay is made last."""
    origin = find_origin(request.run, request.item, request.stack, adapters)
    target = find_target(origin, request)
    pipeline, steps = load_pipeline(origin.pipeline)
    if target.stage not in [one.name for one in pipeline.stages]:
        raise RunError(f"{target.stage}: expected this stage in the pipeline {origin.pipeline} of here, found none")
    item = read_item(origin.files.store, origin.files.place, target.scope, target.item)
    part = replayed_part(pipeline, target, request.subsample, request.region, item)
    origin.input(target.scope, target.item)
    folder = replay_folder(request.out, origin, target)
    if part.bed is not None:
        publish_bytes(folder.bed, part.bed.encode())
    prefix = origin.files.place.uri("")
    store = LayeredStore(origin.files.store, prefix, folder.layer, f"{run_layout.ENGINE}/")
    images = replay_images(origin, used_steps(pipeline, target, steps), adapters) if request.containers else None
    whole = steps if images else with_whole_inputs(steps)
    return ReplayedTask(origin, target, part, pipeline, whole, folder, store, adapters, images)


def used_steps(pipeline: Pipeline, target: ReplayTarget, steps: Mapping[str, StepFolder]) -> dict[str, StepFolder]:
    """Return the steps of the stages that a replay may run.

    Args:
        pipeline: The pipeline.
        target: The task.
        steps: The steps by name.
    """
    stages = {*target.earlier, target.stage}
    return {one.step.name: steps[one.step.name] for one in pipeline.stages if one.name in stages}


def _execute(task: ReplayedTask, note: Callable[[str], None]) -> ExecutionResult:
    origin, target = task.origin, task.target
    tried = target.failure.tried[:-1] if target.failure and task.part.first == target.stage else ()
    try:
        document = single_stage(
            origin.definition,
            task.part.first,
            target.stage,
            [{"class": str(one.failure_class), "memory_mib": one.memory_mib or 0} for one in tried],
            origin.results(),
        )
    except (LookupError, TypeError, AttributeError, ValueError):
        place = origin.files.shown_key(run_layout.DEFINITION)
        raise RunError(f"{place}: expected a definition of ours with the stage {target.stage}, found another") from None
    jobs = ReplayJobs(target, task.steps, task.store, task.folder.scratch, task.adapters, note, task.in_containers())
    return execute(
        document,
        _input(task).to_json(),
        name=f"{origin.files.place.name}-replay",
        state_machine=task.pipeline.name,
        store=task.store,
        tasks=Handlers(BatchTasks(jobs.runner(origin.names)).handlers()),
        journal=task.folder.journal,
    )


def _input(task: ReplayedTask) -> ExecutionInput:
    return task.part.input(task.origin.input(task.target.scope, task.target.item), task.folder.bed)


def _failure(task: ReplayedTask, result: ExecutionResult) -> Failure:
    """Return the failure of a replay, with the class and the message that the worker recorded."""
    target, place = task.target, task.origin.files.place
    failure = classify(result.error or "", result.cause or "")
    if target.group.label is not None:
        folder = place.uri(f"{run_layout.map_runs(target.group.label)}/")
        known = {info.uri for info in task.origin.files.store.list(folder)}
        for info in task.store.list(folder):
            if info.uri not in known and info.uri.endswith(f"/{run_layout.RESULT_MANIFEST}"):
                details = {"Bucket": place.bucket, "Key": info.uri.removeprefix(f"s3://{place.bucket}/")}
                rows = (one for one in result_rows(task.store, details, "FAILED"))
                failure = next((classify(row.error, row.cause) for row in rows if _is_of(row.items(), target)), failure)
    files = RunFiles(task.store, place, task.origin.files.shown)
    return files.with_worker_failure(target.stage, target.item, failure)


def _is_of(items: list[Mapping[str, Any]], target: ReplayTarget) -> bool:
    return target.item in map(item_id, items)


def _outcome(task: ReplayedTask, after: Failure | None, differences: list[str]) -> ReplayOutcome:
    target, origin = task.target, task.origin
    made = task.record() if after is None else None
    others = _other_outputs(target.record, made)
    scratch = task.folder.task_folder()
    place = task.store.local(origin.files.place.uri(run_layout.log(target.stage, target.item)))
    return ReplayOutcome(
        run=origin.files.shown,
        item=target.item,
        stage=target.stage,
        before=target.failure,
        after=after,
        verdict=replay_verdict(target.failure, after, bool(task.part.words), bool(others)),
        definition=origin.definition_words(task.pipeline),
        differences=differences,
        other_outputs=others,
        folder=str(task.folder.path),
        scratch=str(scratch) if scratch else None,
        command=_command(task, scratch) if scratch else "",
        log=str(place) if place and place.is_file() and place.is_relative_to(task.folder.path) else None,
    )


def _command(task: ReplayedTask, scratch: Path) -> str:
    """Return the command of the program for a shell; empty where its files could not be prepared."""
    file = scratch / run_layout.TASK
    if not file.is_file():
        return ""
    return shlex.join(argv(task.step, json.loads(file.read_bytes()), file))


def _other_outputs(before: CompletionRecord | None, after: CompletionRecord | None) -> list[str]:
    """Return the names of the outputs of which two records have other digests."""
    if before is None or after is None:
        return []
    one, two = ({name: file.sha256 for name, file in each.outputs.items()} for each in (before, after))
    return [name for name in sorted({*one, *two}) if one.get(name) != two.get(name)]
