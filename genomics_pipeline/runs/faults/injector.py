"""Faults made on purpose in a local run, as `model.faults` declares them."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.engine.execution import TaskContext, TaskHandler
from genomics_pipeline.engine.tasks.aws_response import optimised_cause
from genomics_pipeline.engine.tasks.batch import Job, JobEnd
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import ENGINE_KILLED, Fault, Faults, parse_faults
from genomics_pipeline.model.pipeline import READS
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import delete_completion
from genomics_pipeline.runs.faults.fault_log import FaultLog
from genomics_pipeline.runs.faults.job_ends import INJECTED, OF_JOBS, job_end
from genomics_pipeline.runs.faults.truncated_fastq import truncated
from genomics_pipeline.runs.local.jobs import Worker
from genomics_pipeline.runs.plan import RunPlan
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.routed import RoutedStore

Item = Mapping[str, Any]


def read_faults(file: Path, plan: RunPlan) -> Faults:
    """The faults that a file declares for a run.

    Raises:
        DataError: all that is wrong in it.
    """
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8, found byte {error.start} that is not") from None
    stages = {stage.name: stage.scope for stage in plan.pipeline.stages}
    return parse_faults(text, file=str(file), stages=stages, samples=[sample.sample for sample in plan.samples])


class FullDisk(RoutedStore):
    """A store that nothing can be written to any more."""

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """There is no room for it.

        Raises:
            OSError: always.
        """
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Injector:
    """Runs the jobs that no fault strikes through a worker, and ends the others.

    Args:
        faults: What to do.
        worker: Runs jobs.
        run: Where what has struck is kept.
        note: Told of each fault that strikes.
    """

    def __init__(self, faults: Faults, worker: Worker, run: RunFolder, note: Callable[[str], None]) -> None:
        self._faults = faults
        self._worker = worker
        self._run = run
        self._note = note
        self._store = RoutedStore({BUCKET: run.path})
        self._struck = FaultLog(run.path / run_layout.INJECTED_FAULTS)

    def counts(self) -> dict[str, int]:
        """How often each kind of these faults has struck in this run's folder."""
        found = Counter[str]()
        for fault in self._faults.faults:
            found[fault.kind] += self._struck.count(fault)
        return dict(found)

    def submitting(self, submit: TaskHandler) -> TaskHandler:
        """`submit`, where SubmitJob may be throttled.

        Told as ASFHyP3/hyp3 issue 911 records it of another code that Batch's model does not name; status and code of
        a throttled call: nextflow issue 710.
        """

        async def call(arguments: Any, context: TaskContext) -> Any:
            payload = _payload({one["Name"]: one["Value"] for one in arguments["ContainerOverrides"]["Environment"]})
            if due := self._due(payload, lambda fault: fault.kind == FailureClass.THROTTLED):
                self._strike(payload, due)
                cause = optimised_cause("Too Many Requests", "AWSBatch", 429, "TooManyRequestsException")
                raise StatesError("Batch.AWSBatchException", cause)
            return await submit(arguments, context)

        return call

    def run_job(self, job: Job) -> JobEnd:
        """Run one attempt of a job, or end it as its fault does.

        What befalls a host or a container ends the whole job; a bad item does not keep the others of its batch.
        """
        payload = _payload(job.environment)
        asked = job.asked_mib or job.memory_mib
        due = self._due(payload, lambda fault: fault.kind != FailureClass.THROTTLED and fault.asks_less(asked))
        of_job = next((fault for fault in due.values() if fault.kind in OF_JOBS), None)
        if of_job:
            self._strike(payload, {item: fault for item, fault in due.items() if fault is of_job})
            return job_end(of_job.kind, job)
        self._strike(payload, due)
        rest = [item for item in payload.items if item_id(item) not in due]
        ends = [self._worker.run_job(_of(job, payload, rest))] if rest else []
        ends += [self._item_end(due[name].kind, job, payload, item) for name, item in _named(payload) if name in due]
        return next((end for end in ends if end.exit_code != 0), ends[0])

    def _due(self, payload: TaskPayload, wanted: Callable[[Fault], bool]) -> dict[str, Fault]:
        """By item: the first of its faults that is wanted and has not struck often enough."""
        found: dict[str, Fault] = {}
        for item, _ in _named(payload):
            for fault in self._faults.of(payload.stage, payload.scope, item):
                if item not in found and wanted(fault) and not self._spent(fault, payload.stage, item):
                    found[item] = fault
        return found

    def _spent(self, fault: Fault, stage: str, item: str) -> bool:
        """Whether it has struck often enough: each item for itself, the engine whatever was beginning."""
        struck = self._struck.count(fault) if fault.kind == ENGINE_KILLED else self._struck.count(fault, stage, item)
        return fault.times is not None and struck >= fault.times

    def _strike(self, payload: TaskPayload, due: Mapping[str, Fault]) -> None:
        for item, fault in due.items():
            self._struck.add(fault, payload.stage, item)
            self._note(f"{INJECTED}: {fault.kind}: {payload.stage} {item}")

    def _item_end(self, kind: str, job: Job, payload: TaskPayload, item: Item) -> JobEnd:
        """What happens to one item."""
        if kind == FailureClass.OUT_OF_DISK:
            return _told(self._worker.run_with(FullDisk({BUCKET: self._run.path}), _of(job, payload, [item])))
        if kind == FailureClass.BAD_INPUT and READS in payload.inputs.values():
            return self._cut_short(job, payload, item)
        code = BAD_INPUT_EXIT_CODE if kind == FailureClass.BAD_INPUT else 1
        return JobEnd(code, f"{kind} of {payload.stage} {item_id(item)} ({INJECTED})")

    def _cut_short(self, job: Job, payload: TaskPayload, item: Item) -> JobEnd:
        """The step over a truncated copy of the item's first FASTQ file: it must find out by itself."""
        first, *others = item["lanes"]
        self._run.scratch.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=self._run.scratch, prefix=f"{INJECTED}-") as place:
            copy = truncated(first["fastq_1"], self._store, Path(place))
            bad = {**item, "lanes": [{**first, "fastq_1": str(copy)}, *others]}
            end = self._worker.run_job(_of(job, payload, [bad]))
        if end.exit_code != 0:
            return _told(end)
        delete_completion(self._store, payload.run, payload.stage, item_id(item))
        message = f"{copy}: expected {payload.stage} to find that half of it is missing; it ended well ({INJECTED})"
        return JobEnd(1, message, end.log_stream)


def _payload(environment: Mapping[str, str]) -> TaskPayload:
    return TaskPayload.from_json(json.loads(environment[PAYLOAD_VARIABLE]))


def _named(payload: TaskPayload) -> list[tuple[str, Item]]:
    return [(item_id(item), item) for item in payload.items]


def _of(job: Job, payload: TaskPayload, items: Iterable[Item]) -> Job:
    """The same job over these items only."""
    text = json.dumps(replace(payload, items=tuple(items)).to_json())
    return replace(job, environment={**job.environment, PAYLOAD_VARIABLE: text})


def _told(end: JobEnd) -> JobEnd:
    return end if end.exit_code == 0 else replace(end, reason=f"{end.reason} ({INJECTED})")
