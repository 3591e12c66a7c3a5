"""The review of an item before its task: whether its outputs are those that the task would make, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.provenance import (
    LISTED,
    Difference,
    DifferenceKind,
    InputVersion,
    Provenance,
    differences,
)
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.records.completion import CompletionRecord, find_damage, read_completion
from genomics_pipeline.records.failure import FailureRecord, read_failure
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.find_input import find_inputs
from genomics_pipeline.worker.inputs import Input
from genomics_pipeline.worker.provenance import file_version, member_version, parameter_files
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome of the review of an item before its task.

    Attributes:
        provenance: What its outputs would be made of now.
        reasons: Why the step has to run; none if the outputs are reused.
        before: The completion record that there is; None if there is none.
        failed: The newest attempt that failed before; None if none did since the item was done.
    """

    provenance: Provenance
    reasons: tuple[Difference, ...]
    before: CompletionRecord | None
    failed: FailureRecord | None = None

    @property
    def done(self) -> CompletionRecord | None:
        """The completion record of the outputs that are reused; None if the step has to run."""
        return None if self.reasons else self.before


def review(
    payload: TaskPayload,
    step: StepFolder,
    store: Store,
    item: Mapping[str, Any],
    parameters: Mapping[str, Value],
    inputs: Sequence[Input],
) -> Review:
    """Compare what the outputs of an item were made of with what they would be made of now.

    Args:
        payload: The task.
        step: The step.
        store: The store of inputs and outputs.
        item: The item.
        parameters: All parameters, with defaults.
        inputs: The inputs of the item.
    """
    now = _present_provenance(payload, step, store, item, parameters, inputs)
    before = read_completion(store, payload.run, payload.stage, item_id(item))
    if before is None:
        failed = read_failure(store, payload.run, payload.stage, item_id(item))
        return Review(now, (not_done(failed),), None, failed)
    return Review(now, reasons_to_run(before, now, step.spec, payload, store), before)


def completed_items(payload: TaskPayload, step: StepFolder, store: Store, cache: Path) -> list[CompletionRecord] | None:
    """Return the completion records of a task that would run nothing, by the review of its items; None if it would run.

    Inputs are only looked at once all items have records.

    Args:
        payload: The task.
        step: The step.
        store: The store of inputs and outputs.
        cache: The user's cache folder, for references.

    Raises:
        DataError: for an input that does not exist, or a wrong record.
    """
    records = []
    for item in payload.items:
        record = read_completion(store, payload.run, payload.stage, item_id(item))
        if record is None:
            return None
        records.append(record)
    parameters = resolve(step.spec.parameters, payload.parameters)
    for item, record in zip(payload.items, records, strict=True):
        inputs = find_inputs(payload, step.spec, item, parameters, store, cache)
        now = _present_provenance(payload, step, store, item, parameters, inputs)
        if reasons_to_run(record, now, step.spec, payload, store):
            return None
    return records


def _present_provenance(
    payload: TaskPayload,
    step: StepFolder,
    store: Store,
    item: Mapping[str, Any],
    parameters: Mapping[str, Value],
    inputs: Sequence[Input],
) -> Provenance:
    """Return what the outputs of an item would be made of now; see `review`."""
    files = parameter_files(step.spec, parameters, store)
    return Provenance(
        step=step.spec.name,
        version=step.spec.version,
        program=step.digest,
        parameters=dict(parameters),
        files=files,
        inputs={each.spec.name: _input_version(each) for each in inputs},
        members={name: member_version(value) for name, value in item.items()},
        publish=dict(payload.publish),
    )


def not_done(failed: FailureRecord | None) -> Difference:
    """Return the reason of a stage that is not done.

    Args:
        failed: The failure of the attempt before; None if there was none.
    """
    if failed is None:
        return Difference(DifferenceKind.RECORD)
    return Difference(DifferenceKind.RECORD, f"attempt {failed.number}", str(failed.failure_class))


def reasons_to_run(
    done: CompletionRecord, now: Provenance, spec: StepSpec, payload: TaskPayload, store: Store
) -> tuple[Difference, ...]:
    """Return why outputs cannot be reused; nothing if they can.

    Args:
        done: Their completion record.
        now: What they would be made of now.
        spec: The step.
        payload: The task.
        store: The store of the outputs.
    """
    if changed := differences(done.provenance, now):
        return changed
    lacking = spec.lacking(done.outputs)
    damage = f"{lacking[0]} is not recorded" if lacking else find_damage(store, payload.run, done)
    return () if damage is None else (Difference(DifferenceKind.OUTPUT, now=damage),)


def _input_version(given: Input) -> InputVersion:
    """Return what identifies the content of an input."""
    files = given.files if len(given.files) <= LISTED else ()
    return InputVersion(given.digest(), len(given.files), tuple(map(file_version, files)))
