"""Injection of faults into a run in a folder, as `model.faults` declares them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.engine.tasks.job import Job, JobEnd, RunAttempt
from genomics_pipeline.engine.tasks.job_runner import join_reports
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
from genomics_pipeline.runs.faults.truncated_fastq import write_truncated
from genomics_pipeline.runs.plan import RunPlan
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.routed import RoutedStore

PayloadItem = Mapping[str, Any]


def read_faults(file: Path, plan: RunPlan) -> Faults:
    """Return the faults that a file declares for a run.

    Raises:
        DataError: for all that is wrong in the file.
    """
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8, found byte {error.start} that is not") from None
    stages = {stage.name: stage.scope for stage in plan.pipeline.stages}
    return parse_faults(text, file=str(file), stages=stages, samples=[sample.sample for sample in plan.samples])


class Injector:
    """Attempts of jobs and their submissions, with faults among them.

    Args:
        faults: The faults.
        run_attempt: Runs the attempts that no fault strikes.
        run_on_full_disk: Runs those whose outputs find no space.
        run: The run's folder; it keeps which faults have struck.
        store: The run's files.
        note: Called with a line about each fault that strikes.
    """

    def __init__(
        self,
        faults: Faults,
        run_attempt: RunAttempt,
        run_on_full_disk: RunAttempt,
        run: RunFolder,
        store: RoutedStore,
        note: Callable[[str], None],
    ) -> None:
        self._faults = faults
        self._run_attempt = run_attempt
        self._run_on_full_disk = run_on_full_disk
        self._run = run
        self._note = note
        self._store = store
        self._struck = FaultLog(run.path / run_layout.INJECTED_FAULTS)

    def counts(self) -> dict[str, int]:
        """Return how often each kind of these faults has struck in the run's folder."""
        counts = Counter[str]()
        for fault in self._faults.faults:
            counts[fault.kind] += self._struck.count(fault)
        return dict(counts)

    def throttles(self, environment: Mapping[str, str]) -> bool:
        """Return whether the submission of the job with this environment is throttled now."""
        if PAYLOAD_VARIABLE not in environment:
            return False
        payload = _payload(environment)
        due = self._due(payload, lambda fault: fault.kind == FailureClass.THROTTLED)
        self._strike(payload, due)
        return bool(due)

    def run_attempt(self, job: Job) -> JobEnd:
        """Run an attempt of a job, or end it as its fault does.

        A fault of a host or a container ends the whole job; one of an item leaves the other items of its batch alone.
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
        ends = [self._run_attempt(_of(job, payload, rest))] if rest else []
        ends += [self._item_end(due[name].kind, job, payload, item) for name, item in _named(payload) if name in due]
        end = next((end for end in ends if end.exit_code != 0), ends[0])
        return replace(end, report=join_reports(end.report for end in ends))

    def _due(self, payload: TaskPayload, wanted: Callable[[Fault], bool]) -> dict[str, Fault]:
        """Return for each item the first of its faults that is wanted and not spent."""
        due: dict[str, Fault] = {}
        for item, _ in _named(payload):
            for fault in self._faults.of(payload.stage, payload.scope, item):
                if item not in due and wanted(fault) and not self._is_spent(fault, payload.stage, item):
                    due[item] = fault
        return due

    def _is_spent(self, fault: Fault, stage: str, item: str) -> bool:
        """Return whether a fault has struck its number of times: over this item; over all items if it kills us."""
        struck = self._struck.count(fault) if fault.kind == ENGINE_KILLED else self._struck.count(fault, stage, item)
        return fault.times is not None and struck >= fault.times

    def _strike(self, payload: TaskPayload, due: Mapping[str, Fault]) -> None:
        for item, fault in due.items():
            self._struck.add(fault, payload.stage, item)
            self._note(f"{INJECTED}: {fault.kind}: {payload.stage} {item}")

    def _item_end(self, kind: str, job: Job, payload: TaskPayload, item: PayloadItem) -> JobEnd:
        """Return the end of one item that a fault of this kind strikes."""
        if kind == FailureClass.OUT_OF_DISK:
            return _marked(self._run_on_full_disk(_of(job, payload, [item])))
        if kind == FailureClass.BAD_INPUT and READS in payload.inputs.values():
            return self._on_truncated_reads(job, payload, item)
        code = BAD_INPUT_EXIT_CODE if kind == FailureClass.BAD_INPUT else 1
        return JobEnd(code, f"{kind} of {payload.stage} {item_id(item)} ({INJECTED})")

    def _on_truncated_reads(self, job: Job, payload: TaskPayload, item: PayloadItem) -> JobEnd:
        """Run the step over a truncated copy of the item's first FASTQ file, which the step has to notice itself."""
        first, *others = item["lanes"]
        self._run.scratch.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=self._run.scratch, prefix=f"{INJECTED}-") as place:
            copy = write_truncated(first["fastq_1"], self._store, Path(place))
            bad = {**item, "lanes": [{**first, "fastq_1": str(copy)}, *others]}
            end = self._run_attempt(_of(job, payload, [bad]))
        if end.exit_code != 0:
            return _marked(end)
        delete_completion(self._store, payload.run, payload.stage, item_id(item))
        message = f"{copy}: expected {payload.stage} to find that half of it is missing; it ended well ({INJECTED})"
        return JobEnd(1, message, end.log_stream)


def _payload(environment: Mapping[str, str]) -> TaskPayload:
    return TaskPayload.from_json(json.loads(environment[PAYLOAD_VARIABLE]))


def _named(payload: TaskPayload) -> list[tuple[str, PayloadItem]]:
    return [(item_id(item), item) for item in payload.items]


def _of(job: Job, payload: TaskPayload, items: Iterable[PayloadItem]) -> Job:
    """Return the job with these items only."""
    text = json.dumps(replace(payload, items=tuple(items)).to_json())
    return replace(job, environment={**job.environment, PAYLOAD_VARIABLE: text})


def _marked(end: JobEnd) -> JobEnd:
    return end if end.exit_code == 0 else replace(end, reason=f"{end.reason} ({INJECTED})")
