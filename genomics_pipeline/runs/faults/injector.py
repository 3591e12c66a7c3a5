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
from genomics_pipeline.model import budgets, run_layout
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import ENGINE_KILLED, Fault, Faults, parse_faults
from genomics_pipeline.model.pipeline import READS
from genomics_pipeline.model.sample import READ_COLUMNS
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import delete_completion
from genomics_pipeline.runs.faults.fault_log import FaultLog
from genomics_pipeline.runs.faults.job_ends import INJECTED, OF_JOBS, job_end
from genomics_pipeline.runs.faults.truncated_fastq import write_truncated
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.bounded_file import read_bounded_text
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.payload import read_payload

PayloadItem = Mapping[str, Any]


def read_faults(file: Path, plan: RunInputs) -> Faults:
    """Return the faults that a file declares for a run.

    Raises:
        DataError: with all problems of the file.
    """
    text = read_bounded_text(file, budgets.TOML_SIZE)
    stages = {stage.name: stage.scope for stage in plan.pipeline.stages}
    return parse_faults(text, file=str(file), stages=stages, samples=[sample.sample for sample in plan.samples])


class Injector:
    """A runner of attempts of jobs that injects faults; it also decides which submissions are throttled.

    Args:
        faults: The faults.
        run_attempt: Runs an attempt without a fault.
        run_on_full_disk: Runs an attempt whose outputs cannot be written.
        run: The folder of the run, which holds the log of injected faults.
        store: The store that reads the files of the run.
        note: Shows a line about each injected fault.
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
        self._log = FaultLog(run.path / run_layout.INJECTED_FAULTS)

    def counts(self) -> dict[str, int]:
        """Return the number of injections by kind of fault, over all executions of the run."""
        counts = Counter[str]()
        for fault in self._faults.faults:
            counts[fault.kind] += self._log.count(fault)
        return dict(counts)

    def throttles(self, environment: Mapping[str, str]) -> bool:
        """Return whether to throttle the submission of the job with this environment now."""
        if PAYLOAD_VARIABLE not in environment:
            return False
        payload = self._payload(environment)
        due = self._due(payload, lambda fault: fault.kind == FailureClass.THROTTLED)
        self._record(payload, due)
        return bool(due)

    def run_attempt(self, job: Job) -> JobEnd:
        """Run an attempt of a job, or end it according to its fault.

        A fault of a host or a container ends the whole job; a fault of an item does not affect the others of its batch.
        """
        payload = self._payload(job.environment)
        requested_mib = job.asked_mib or job.memory_mib
        due = self._due(payload, lambda fault: fault.kind != FailureClass.THROTTLED and fault.asks_less(requested_mib))
        of_job = next((fault for fault in due.values() if fault.kind in OF_JOBS), None)
        if of_job:
            self._record(payload, {item: fault for item, fault in due.items() if fault is of_job})
            return job_end(of_job.kind, job)
        self._record(payload, due)
        rest = [item for item in payload.items if item_id(item) not in due]
        ends = [self._run_attempt(_with_items(job, payload, rest))] if rest else []
        ends += [
            self._item_end(due[name].kind, job, payload, item) for name, item in _items_by_name(payload) if name in due
        ]
        end = next((end for end in ends if end.exit_code != 0), ends[0])
        return replace(end, report=join_reports(end.report for end in ends))

    def _payload(self, environment: Mapping[str, str]) -> TaskPayload:
        return read_payload(environment[PAYLOAD_VARIABLE], self._store)

    def _due(self, payload: TaskPayload, applies: Callable[[Fault], bool]) -> dict[str, Fault]:
        """Return the first applicable fault of each item that has one and has not been injected its number of times."""
        due: dict[str, Fault] = {}
        for item, _ in _items_by_name(payload):
            for fault in self._faults.of(payload.stage, payload.scope, item):
                if item not in due and applies(fault) and not self._is_spent(fault, payload.stage, item):
                    due[item] = fault
        return due

    def _is_spent(self, fault: Fault, stage: str, item: str) -> bool:
        """Return whether a fault was injected its number of times: into this item; into any if it kills the engine."""
        count = self._log.count(fault) if fault.kind == ENGINE_KILLED else self._log.count(fault, stage, item)
        return fault.times is not None and count >= fault.times

    def _record(self, payload: TaskPayload, due: Mapping[str, Fault]) -> None:
        for item, fault in due.items():
            self._log.add(fault, payload.stage, item)
            self._note(f"{INJECTED}: {fault.kind}: {payload.stage} {item}")

    def _item_end(self, kind: str, job: Job, payload: TaskPayload, item: PayloadItem) -> JobEnd:
        """Return the end of an item with a fault.

        Args:
            kind: The kind of the fault.
            job: The job of the item.
            payload: The payload of the job.
            item: The item.
        """
        if kind == FailureClass.OUT_OF_DISK:
            return _mark(self._run_on_full_disk(_with_items(job, payload, [item])))
        if kind == FailureClass.BAD_INPUT and READS in payload.inputs.values():
            return self._on_truncated_reads(job, payload, item)
        code = BAD_INPUT_EXIT_CODE if kind == FailureClass.BAD_INPUT else 1
        return JobEnd(code, f"{kind} of {payload.stage} {item_id(item)} ({INJECTED})")

    def _on_truncated_reads(self, job: Job, payload: TaskPayload, item: PayloadItem) -> JobEnd:
        """Run the step over a truncated copy of the item's first file, which the step itself has to detect."""
        first, *others = item["lanes"]
        self._run.scratch.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=self._run.scratch, prefix=f"{INJECTED}-") as folder:
            column = next(column for column in READ_COLUMNS if first.get(column))
            copy = write_truncated(first[column], self._store, Path(folder))
            bad = {**item, "lanes": [{**first, column: str(copy)}, *others]}
            end = self._run_attempt(_with_items(job, payload, [bad]))
        if end.exit_code != 0:
            return _mark(end)
        delete_completion(self._store, payload.run, payload.stage, item_id(item))
        message = (
            f"{copy}: expected {payload.stage} to detect that half of it is missing, but it succeeded ({INJECTED})"
        )
        return JobEnd(1, message, end.log_stream)


def _items_by_name(payload: TaskPayload) -> list[tuple[str, PayloadItem]]:
    return [(item_id(item), item) for item in payload.items]


def _with_items(job: Job, payload: TaskPayload, items: Iterable[PayloadItem]) -> Job:
    """Return a job with some of its items only.

    Args:
        job: The job.
        payload: The payload of the job.
        items: The items to keep.
    """
    text = json.dumps(replace(payload, items=tuple(items)).to_json())
    return replace(job, environment={**job.environment, PAYLOAD_VARIABLE: text})


def _mark(end: JobEnd) -> JobEnd:
    return end if end.exit_code == 0 else replace(end, reason=f"{end.reason} ({INJECTED})")
