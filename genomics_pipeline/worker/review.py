"""The review of an item before its task: whether its outputs are those that the task would make, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.parameters import Value
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
        attempt: The number of the attempt, from 1, among those that failed one after another.
    """

    provenance: Provenance
    reasons: tuple[Difference, ...]
    before: CompletionRecord | None
    attempt: int = 1

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
    files = parameter_files(step.spec, parameters, store)
    now = Provenance(
        step=step.spec.name,
        version=step.spec.version,
        program=step.digest,
        parameters=dict(parameters),
        files=files,
        inputs={each.spec.name: _input_version(each) for each in inputs},
        members={name: member_version(value) for name, value in item.items()},
        publish=dict(payload.publish),
    )
    before = read_completion(store, payload.run, payload.stage, item_id(item))
    if before is None:
        failed = read_failure(store, payload.run, payload.stage, item_id(item))
        return Review(now, (not_done(failed),), None, failed.number + 1 if failed else 1)
    return Review(now, reasons_to_run(before, now, step.spec, payload, store), before)


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
