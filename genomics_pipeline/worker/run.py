"""The run of one task, over each of its items that is not done."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import resolve
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.records.completion import CompletionRecord, delete_completion
from genomics_pipeline.records.failure import FailureRecord, delete_failure, read_failure, write_failure
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.failure import CANCELLED_EXIT_CODE, StepFailed, failure_of, with_disk_advice
from genomics_pipeline.worker.find_input import find_inputs
from genomics_pipeline.worker.host_facts import INSTANCE_TYPE
from genomics_pipeline.worker.inputs import Input
from genomics_pipeline.worker.item_task import ItemTask
from genomics_pipeline.worker.reopen import reopen_maker
from genomics_pipeline.worker.review import Review, review
from genomics_pipeline.worker.scratch import remove_leftovers, task_folder
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.task_resources import TaskResources


def run_task(
    payload: TaskPayload,
    step: StepFolder,
    store: Store,
    resources: TaskResources,
    *,
    on_item: Callable[[CompletionRecord | StepFailed], None] = lambda _: None,
) -> list[CompletionRecord]:
    """Run a step over each item of a payload that is not done, even after another item has failed.

    An item has either ``step.json`` or ``failure.json``, of its newest task that ended.

    Args:
        payload: The task.
        step: The step.
        store: The store of its inputs and outputs.
        resources: The resources that it may use.
        on_item: Called with the outcome of each item.

    Returns:
        The completion record of each item.

    Raises:
        StepFailed: The failure of the first item that ran out of memory, since a retry with more memory may help it and
            reports the other failures again; else of the first item that failed. All items are run first.
    """
    with suppress(OSError):  # they only take space
        remove_leftovers(resources.scratch)
    records: list[CompletionRecord] = []
    failures: list[StepFailed] = []
    for item in payload.items:
        if resources.cancelled.is_set():
            failures.append(StepFailed(FailureClass.CANCELLED, CANCELLED_EXIT_CODE, "cancelled", item_id(item)))
            break
        began, started = monotonic(), datetime.now(UTC)
        try:
            records.append(_run_item(payload, step, store, resources, item))
            on_item(records[-1])
        except StepFailed as failure:
            failures.append(failure)
            failure.seconds = monotonic() - began
            _write_failure(failure, payload, step, store, resources, started)
            on_item(failure)
    if failures:
        raise min(failures, key=lambda failure: failure.failure_class is not FailureClass.OUT_OF_MEMORY)
    return records


def _write_failure(
    failure: StepFailed,
    payload: TaskPayload,
    step: StepFolder,
    store: Store,
    resources: TaskResources,
    started: datetime,
) -> None:
    """Write ``failure.json`` in place of an older ``step.json``.

    Args:
        failure: The failure.
        payload: The task.
        step: The step.
        store: The store of its outputs.
        resources: The resources that it could use.
        started: The start of the attempt over the item.
    """
    if failure.failure_class is FailureClass.CANCELLED:  # whoever cancelled it knows why
        return
    with suppress(Exception):  # the log has the failure too, and the step's own failure matters more
        delete_completion(store, payload.run, payload.stage, failure.item)
        record = FailureRecord(
            failure.failure_class,
            str(failure),
            failure.task_exit_code,
            resources.job,
            round(failure.seconds, 3),
            resources.vcpus,
            resources.memory_mib,
            resources.host,
            step.spec.name,
            step.spec.version,
            resources.submitted,
            started.isoformat(timespec="milliseconds"),
            failure.peak_memory_mib,
            round(failure.processor_seconds, 3),
            program=step.digest,
            because=failure.because,
        )
        write_failure(store, payload.run, payload.stage, failure.item, record.after(failure.before))


def _run_item(
    payload: TaskPayload, step: StepFolder, store: Store, resources: TaskResources, item: Mapping[str, Any]
) -> CompletionRecord:
    name = item_id(item)
    inputs: list[Input] = []
    found: Review | None = None
    try:
        parameters = resolve(step.spec.parameters, payload.parameters)
        inputs += find_inputs(payload, step.spec, item, parameters, store, resources.cache)
        found = review(payload, step, store, item, parameters, inputs)
        if found.done is not None:
            return found.done
        delete_completion(store, payload.run, payload.stage, name)
        with task_folder(resources.scratch, f"{payload.stage}-{name}", resources.keep_scratch) as folder:
            record = ItemTask(payload, step, store, resources, item, name, found, folder).run(inputs)
        delete_failure(store, payload.run, payload.stage, name)  # after the attempt, which may leave no record
        if found.before is not None:
            _delete_stale(found.before, record, payload, store)
        return record
    except Exception as error:
        cause: Exception | None = None
        with suppress(Exception):  # the error itself matters more
            cause = reopen_maker(error, inputs, payload, store)
        failure = failure_of(cause or error, name, resources.scratch)
        if failure is not error and not isinstance(error, PipelineError | OSError | MemoryError):
            failure.log = _publish_traceback(payload, name, store, resources)
        failure = with_disk_advice(failure, step.spec) if resources.host.get(INSTANCE_TYPE) else failure
        if found is None:
            with suppress(Exception):  # the failure itself matters more
                failure.before = read_failure(store, payload.run, payload.stage, name)
        else:
            failure.before, failure.because = found.failed, found.reasons
        raise failure from error


def _delete_stale(before: CompletionRecord, now: CompletionRecord, payload: TaskPayload, store: Store) -> None:
    """Delete files of earlier outputs that the step did not write again, such as those of other parameters.

    Tasks on AWS may not delete results, where such files stay.
    """
    earlier, written = ({file.key for one in each.outputs.values() for file in one.files} for each in (before, now))
    with suppress(Exception):  # the step is done
        for key in sorted(earlier - written):
            store.delete(payload.run.uri(key))


def _publish_traceback(payload: TaskPayload, item: str, store: Store, resources: TaskResources) -> str | None:
    """Publish the traceback of the present exception as the log of an item, and return its URI; None if it cannot be.

    Args:
        payload: The task.
        item: The item's id.
        store: The store of its outputs.
        resources: The resources of the task.
    """
    uri = payload.run.uri(run_layout.log(payload.stage, item))
    with suppress(Exception), task_folder(resources.scratch, f"{payload.stage}-{item}") as folder:
        log = folder / run_layout.LOG
        log.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        store.publish(log, uri)
        return uri
    return None
