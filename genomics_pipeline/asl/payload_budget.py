"""The largest size of a run's items: what the limits of a job's overrides and of a child's input leave for them.

An item that does not fit is stored as an object of its own, and its place in the manifest, the child's input and the
job is taken by a pointer: its name and the object's URI.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from genomics_pipeline.asl.healing import most_tries
from genomics_pipeline.asl.map_state import MAX_BATCH_BYTES, SHARED
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.container_overrides import OVERRIDES_BUDGET
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.first_attempt import without_first_attempts
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.pipeline import MapSettings, Pipeline, Stage
from genomics_pipeline.model.task import RunPlace, TaskPayload

HEALING_BYTES = 2048  # of a child's input, and of an execution's: the failed attempts of a stage
UUID = "0" * 36
MOST_MEMORY, MOST_VCPUS, MOMENT = "9" * 8, "9" * 4, "2026-11-28T14:32:55.000Z"  # of the greatest length
LONGEST_TRY = f"{max(FailureClass, key=len)} {MOST_MEMORY} {UUID}"  # see `model.stage_try`
NAME = "0" * 64  # of an item, likewise
RERUNS = 4

COHORT = {"cohort": "cohort"}
LEAST_INPUT = ExecutionInput(RunPlace("r", "b", ""), "r", {}, MapSettings().tolerance()).to_json()


@dataclass(frozen=True, slots=True)
class PayloadBudget:
    """The size that an item of a Distributed Map may have.

    Attributes:
        plain: The most bytes in a child's input.
        quoted: The most bytes in a job's overrides, in which the item is JSON in JSON.
        density: Of batches whose bytes are limited: the most bytes in the overrides for each byte in the child's input,
            so that the overrides hold any batch of such items; None where `quoted` is enough.
    """

    plain: int
    quoted: int
    density: float | None = None

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Tell whether an item fits; its first attempts are in a child's input only."""
        plain, quoted = self.plain_bytes(item), _quoted(compact(without_first_attempts(item)))
        dense = self.density is not None and quoted + 1 > self.density * (plain + len('{"item":},'))
        return plain <= self.plain and quoted <= self.quoted and not dense

    @staticmethod
    def plain_bytes(item: Mapping[str, Any]) -> int:
        """Return the bytes of an item in a child's input."""
        return len(compact(item).encode())


def _quoted(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def payload_budgets(
    pipeline: Pipeline, document: Node, run_input: Mapping[str, Any] = LEAST_INPUT
) -> dict[str, PayloadBudget]:
    """Return the budget of an item by scope.

    Args:
        pipeline: The pipeline.
        document: Its state machine document.
        run_input: The execution's input; see `model.execution_input`. By default the smallest one: what is too large
            with it is so in every run.

    Raises:
        DataError: if a job is too large even with a pointer in place of each item, or a batch too small for a pointer.
    """
    budgets: dict[str, PayloadBudget] = {}
    problems: list[Problem] = []
    if (size := len(compact(run_input).encode())) > quotas.PAYLOAD.value - HEALING_BYTES:
        kept = f"of which {HEALING_BYTES} are for failed attempts of a stage of the cohort"
        problems.append(Problem(f"the execution's input: AWS allows {quotas.PAYLOAD}, {kept}, found {size}"))
    for scope, stages in groupby(pipeline.stages, key=lambda stage: stage.scope):
        group = list(stages)
        left = {stage.name: OVERRIDES_BUDGET - _overrides(pipeline, document, stage, run_input) for stage in group}
        pointer = _quoted(compact(COHORT if scope == "cohort" else _pointer(scope, run_input)))
        too_large = [_too_large(name, budget) for name, budget in left.items() if budget < pointer]
        shared = len(compact(_shared(pipeline, group, run_input)).encode())
        settings = pipeline.maps.get(scope)
        budget = _item_budget(settings, min(left.values()), shared, pointer)
        if budget is None and not too_large:
            too_large.append(_batch_too_large(scope, min(left.values()), pointer))
        problems += too_large
        if settings and settings.max_input_bytes_per_batch and budget is not None and budget.plain < pointer:
            problems.append(_batch_too_small(scope, settings.max_input_bytes_per_batch, shared + pointer))
        if budget is not None:
            budgets[scope] = _smaller(budget, budgets.get(scope, budget))
    if problems:
        raise DataError(problems)
    return budgets


def _smaller(one: PayloadBudget, other: PayloadBudget) -> PayloadBudget:
    densities = [budget.density for budget in (one, other) if budget.density is not None]
    return PayloadBudget(min(one.plain, other.plain), min(one.quoted, other.quoted), min(densities, default=None))


def _item_budget(settings: MapSettings | None, left: int, shared: int, pointer: int) -> PayloadBudget | None:
    """Return the budget of an item; None if the overrides do not hold each batch of pointers.

    In a child's input, a pointer has more bytes than in the overrides: any batch of at most `left` bytes fits.

    Args:
        settings: The settings of the Distributed Map; None for the cohort.
        left: The bytes that the overrides have for items.
        shared: The bytes of a child's input without items.
        pointer: The bytes of a pointer in the overrides.
    """
    if settings is None or not settings.is_batched:
        return PayloadBudget(quotas.PAYLOAD.value - HEALING_BYTES - shared, left)
    most, count = settings.max_input_bytes_per_batch or MAX_BATCH_BYTES, settings.items_per_batch
    if most <= left:
        return PayloadBudget(most - shared, left, left / most)
    if count and count * (pointer + 1) <= left:
        return PayloadBudget(most - shared, left // count - 1)
    return None


def _too_large(stage: str, left: int) -> Problem:
    return Problem(
        f"stage {stage}: expected a payload that leaves room for an item in the {OVERRIDES_BUDGET:,} bytes of a job's "
        f"container overrides (ECS allows {quotas.CONTAINER_OVERRIDES}, some of which Batch needs), found "
        f"{OVERRIDES_BUDGET - left:,} bytes without its item; shorten the parameters"
    )


def _batch_too_large(scope: str, left: int, pointer: int) -> Problem:
    return Problem(
        f"maps.{scope}: expected batches that fit the container overrides of a job (ECS allows "
        f"{quotas.CONTAINER_OVERRIDES}): max_input_bytes_per_batch of at most {left}, or items_per_batch of at most "
        f"{left // (pointer + 1)}"
    )


def _batch_too_small(scope: str, found: int, least: int) -> Problem:
    return Problem(
        f"maps.{scope}: expected max_input_bytes_per_batch of at least {least}, the size of a child's input with one "
        f"item as a pointer, found {found}"
    )


def _pointer(scope: str, run_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the largest item that is a reference to an object."""
    place = RunPlace(**run_input["run"])
    return {scope: NAME, "uri": place.uri(run_layout.item_file(scope, NAME))}


def _all_details(place: RunPlace, run_input: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return ResultWriterDetails of the Map Runs with one Label, of the greatest length.

    Each rerun adds those of one Map Run to those of the run; there is room for some, since intervals are written once
    for all reruns.
    """
    own = max(1, len(run_input.get("manifests", ())))
    return [_details(place)] * (own + max([RERUNS, *map(len, run_input["earlier"].values())]))


def _details(place: RunPlace) -> dict[str, str]:
    return {
        "Bucket": place.bucket,
        "Key": f"{place.prefix}{run_layout.result_manifest('L' * quotas.LABEL.value, UUID)}",
    }


def _shared(pipeline: Pipeline, stages: list[Stage], run_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return a child's input without the item."""
    place = RunPlace(**run_input["run"])
    upstream = {name: _all_details(place, run_input) for stage in stages for name in pipeline.gather_sources(stage)}
    shared = {name: run_input[name] for name in SHARED}
    return {"BatchInput": {**shared, "upstream": upstream}, "Items": [{"item": None}]}


def _overrides(pipeline: Pipeline, document: Node, stage: Stage, run_input: Mapping[str, Any]) -> int:
    """Return the bytes of the overrides of a stage's job without its items."""
    place = RunPlace(**run_input["run"])
    payload = TaskPayload(
        stage=stage.name,
        step=stage.step.name,
        scope=stage.scope,
        run=place,
        reference=run_input["reference"],
        parameters={**pipeline.parameters.get(stage.name, {}), **run_input["parameters"].get(stage.name, {})},
        inputs=stage.inputs,
        publish=stage.publish,
        items=(),
        upstream={name: _all_details(place, run_input) for name in pipeline.gather_sources(stage)},
        intermediate=stage.intermediate,
    )
    overrides = _arguments(document, stage.name)["ContainerOverrides"]
    tries = [LONGEST_TRY] * most_tries(stage.step)
    values = (compact(payload.to_json()), MOST_MEMORY, MOST_VCPUS, MOMENT, f"[{','.join(tries)}]")
    for entry, value in zip(overrides["Environment"], values, strict=True):
        entry["Value"] = value
    for entry, value in zip(overrides["ResourceRequirements"], (MOST_MEMORY, MOST_VCPUS), strict=True):
        entry["Value"] = value
    return len(compact(overrides).encode())


def _arguments(document: Node, stage: str) -> dict[str, Any]:
    """Return a copy of the Arguments of a stage's Task."""
    (task,) = (state for state in walk_states(document) if state.kind == "Task" and state.name == stage)
    return deepcopy(dict(task.node["Arguments"]))


def check_items(name: str, count: int, size_bytes: int, parts: int = 1) -> None:
    """Refuse a file of items that its Map Runs could not read.

    Args:
        name: The name of the file.
        count: The number of its items.
        size_bytes: Its size.
        parts: The number of Map Runs among which its items are divided evenly.

    Raises:
        DataError: for too many items or bytes.
    """
    advice = "divide them among more Map Runs: map_runs in the pipeline's file"
    if (items := ceil(count / parts)) > quotas.MAP_RUN_ITEMS.value:
        raise DataError(f"{name}: AWS allows {quotas.MAP_RUN_ITEMS} in a Map Run, found {items}; {advice}")
    if (size := ceil(size_bytes / parts)) > quotas.READER_OBJECT.value:
        raise DataError(f"{name}: AWS allows a file of {quotas.READER_OBJECT} for a Map Run, found {size}; {advice}")


def least_duration(pipeline: Pipeline, counts: Mapping[str, int]) -> tuple[int, float]:
    """Return the number of jobs of a run, and the least seconds in which AWS can start them.

    Args:
        pipeline: The pipeline.
        counts: The number of items by scope.
    """
    jobs, seconds = 0, 0.0
    for scope, stages in groupby(pipeline.stages, key=lambda stage: stage.scope):
        settings = pipeline.maps.get(scope)
        children = ceil(counts.get(scope, 1) / ((settings and settings.items_per_batch) or 1))
        submitted = children * len(list(stages))
        jobs += submitted
        seconds += max(children / quotas.CHILD_STARTS.value, submitted / quotas.SUBMIT_JOB_RATE.value)
    return jobs, round(seconds, 2)
