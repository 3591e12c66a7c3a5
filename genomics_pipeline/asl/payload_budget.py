"""The largest size of a run's items: what the limits of a job's request and of a child's input leave for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from genomics_pipeline.asl.limits import submit_bytes
from genomics_pipeline.asl.map_state import MAX_BATCH_BYTES, SHARED
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.task import RunPlace, TaskPayload

ADDED_BYTES = 256  # MANAGED_BY_AWS, which Step Functions adds to a job's environment
HEALING_BYTES = 2048  # of a child's input: the failed attempts of a stage
UUID = "0" * 36
MOST_MEMORY, MOST_SECONDS, MOST_QUEUE = "9" * 8, 10**9, "q" * quotas.JOB_QUEUE_NAME.value  # of the greatest length

COHORT = {"cohort": "cohort"}


@dataclass(frozen=True, slots=True)
class PayloadBudget:
    """The bytes that an item of a Distributed Map may have.

    Attributes:
        plain: Of a child's input.
        quoted: Of a job's request, in which the item is JSON in JSON.
    """

    plain: int
    quoted: int

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Tell whether an item fits."""
        text = compact(item)
        return len(text.encode()) <= self.plain and _quoted(text) <= self.quoted


def _quoted(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def payload_budgets(pipeline: Pipeline, document: Node, run_input: Mapping[str, Any]) -> dict[str, PayloadBudget]:
    """Return the budget of an item by scope; with batches, of an item that is alone in its batch.

    Args:
        pipeline: The pipeline.
        document: Its state machine document.
        run_input: The execution's input; see `model.execution_input`.

    Raises:
        DataError: if a job is too large even without an item.
    """
    budgets: dict[str, PayloadBudget] = {}
    problems: list[Problem] = []
    if (size := len(compact(run_input).encode())) > quotas.PAYLOAD.value:
        problems.append(Problem(f"the execution's input: AWS allows {quotas.PAYLOAD}, found {size}"))
    for scope, stages in groupby(pipeline.stages, key=lambda stage: stage.scope):
        group = list(stages)
        left = {stage.name: quotas.SUBMIT_JOB.value - _request(pipeline, document, stage, run_input) for stage in group}
        least = _quoted(compact(COHORT if scope == "cohort" else _pointer(scope, run_input)))
        problems += [
            Problem(
                f"stage {name}: AWS allows a SubmitJob request of at most {quotas.SUBMIT_JOB}, "
                f"found {quotas.SUBMIT_JOB.value - budget} without its item; shorten the parameters"
            )
            for name, budget in left.items()
            if budget < least
        ]
        before = budgets.get(scope, PayloadBudget(quotas.PAYLOAD.value, quotas.SUBMIT_JOB.value))
        plain = _child_bytes(pipeline, scope) - len(compact(_shared(pipeline, group, run_input)).encode())
        budgets[scope] = PayloadBudget(min(plain, before.plain), min(*left.values(), before.quoted))
    if problems:
        raise DataError(problems)
    return budgets


def _pointer(scope: str, run_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the largest item that is a reference to an object."""
    place = RunPlace(**run_input["run"])
    return {scope: "0" * 64, "uri": place.uri(run_layout.item_file(scope, "0" * 64))}


def _all_details(place: RunPlace, run_input: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return ResultWriterDetails of the Map Runs with one Label, of the greatest length."""
    return [_details(place)] * (1 + max(map(len, run_input["earlier"].values()), default=0))


def _details(place: RunPlace) -> dict[str, str]:
    return {
        "Bucket": place.bucket,
        "Key": f"{place.prefix}{run_layout.result_manifest('L' * quotas.LABEL.value, UUID)}",
    }


def _child_bytes(pipeline: Pipeline, scope: str) -> int:
    settings = pipeline.maps.get(scope)
    if settings is None or (settings.items_per_batch is None and settings.max_input_bytes_per_batch is None):
        return quotas.PAYLOAD.value - HEALING_BYTES
    return settings.max_input_bytes_per_batch or MAX_BATCH_BYTES


def _shared(pipeline: Pipeline, stages: list[Stage], run_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return a child's input without the item."""
    place = RunPlace(**run_input["run"])
    upstream = {name: _all_details(place, run_input) for stage in stages for name in pipeline.gather_sources(stage)}
    shared = {name: run_input[name] for name in SHARED}
    return {"BatchInput": {**shared, "upstream": upstream}, "Items": [{"item": None}]}


def _request(pipeline: Pipeline, document: Node, stage: Stage, run_input: Mapping[str, Any]) -> int:
    """Return the bytes of a stage's SubmitJob request without its items."""
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
    )
    arguments = _arguments(document, stage.name)
    overrides = arguments["ContainerOverrides"]
    values = (compact(payload.to_json()), MOST_MEMORY)
    for entry, value in zip(overrides["Environment"], values, strict=True):
        entry["Value"] = value
    overrides["ResourceRequirements"][0]["Value"] = MOST_MEMORY
    arguments |= {"JobQueue": MOST_QUEUE, "Timeout": {"AttemptDurationSeconds": MOST_SECONDS}}
    return submit_bytes(arguments) + ADDED_BYTES


def _arguments(document: Node, stage: str) -> dict[str, Any]:
    """Return a copy of the Arguments of a stage's Task."""
    (task,) = (state for state in walk_states(document) if state.kind == "Task" and state.name == stage)
    return deepcopy(dict(task.node["Arguments"]))


def check_items(name: str, count: int, size_bytes: int) -> None:
    """Refuse a file of items that no Map Run could read.

    Raises:
        DataError: for too many items or bytes.
    """
    if count > quotas.MAP_RUN_ITEMS.value:
        raise DataError(f"{name}: AWS allows {quotas.MAP_RUN_ITEMS} in a Map Run, found {count}; split the manifest")
    if size_bytes > quotas.READER_OBJECT.value:
        raise DataError(f"{name}: AWS allows a file of {quotas.READER_OBJECT}, found {size_bytes}; split the manifest")


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
