"""Neighbouring stages of one scope as a Distributed Map over its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.asl.jsonata import expression, member
from genomics_pipeline.asl.task_state import FAILED, Place, fail_state, task_state
from genomics_pipeline.model.pipeline import MapSettings, Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import ITEM_FILES

GET_OBJECT = "arn:aws:states:::s3:getObject"
PUT_OBJECT = "arn:aws:states:::s3:putObject"
SHARED = ("run", "reference", "parameters")

# A batch is carried by the job's environment, where JSON in JSON doubles its quotes: with the rest of the payload it
# must stay below SubmitJob's 30 KiB.
MAX_BATCH_BYTES = 10_240


def map_state(
    pipeline: Pipeline,
    names: ResourceNames,
    stages: Sequence[Stage],
    label: str,
    variable: str,
    upstream: Mapping[str, str],
) -> dict[str, Any]:
    """The Map state of the stages, which share a scope; ``Next`` or ``End`` is left to the caller.

    Args:
        pipeline: Whose stages they are.
        names: What AWS's resources are called.
        stages: In order: each child runs all of them over its item.
        label: The Map's Label.
        variable: What its ResultWriterDetails are assigned to.
        upstream: Variable of the Map Run's details of each stage that a stage of this map gathers from.
    """
    settings = pipeline.maps[stages[0].scope]
    shared: dict[str, Any] = {name: expression(f"$states.input.{name}") for name in SHARED}
    if upstream:
        shared["upstream"] = {stage: expression(f"${name}") for stage, name in upstream.items()}
    item = {"item": expression("$states.context.Map.Item.Value")}
    batched = settings.items_per_batch is not None or settings.max_input_bytes_per_batch is not None
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": {
            "Resource": GET_OBJECT,
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {
                "Bucket": expression("$states.input.run.bucket"),
                "Key": expression(f"$states.input.run.prefix & '{ITEM_FILES[stages[0].scope]}'"),
            },
        },
        "ItemSelector": item if batched else {**item, **shared},
        **({"ItemBatcher": _batcher(settings, shared)} if batched else {}),
        "MaxConcurrency": settings.max_concurrency,
        **_tolerance(settings),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **_machine(pipeline, names, stages, batched, f"{label}{FAILED}"),
        },
        "ResultWriter": {
            "Resource": PUT_OBJECT,
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
            "Arguments": {
                "Bucket": expression("$states.input.run.bucket"),
                "Prefix": expression(f"$states.input.run.prefix & 'map-runs/{label}'"),
            },
        },
        "Assign": {variable: expression("$states.result.ResultWriterDetails")},
        "Output": expression("$states.input"),
    }


def _tolerance(settings: MapSettings) -> dict[str, float]:
    """What may fail. The first limit that is passed ends a Map Run: no percentage beside a count is left out, not 0."""
    count, percentage = settings.tolerated_failure_count, settings.tolerated_failure_percentage
    if count is None:
        return {"ToleratedFailurePercentage": percentage}
    return {**({"ToleratedFailurePercentage": percentage} if percentage else {}), "ToleratedFailureCount": count}


def _batcher(settings: MapSettings, shared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **({} if settings.items_per_batch is None else {"MaxItemsPerBatch": settings.items_per_batch}),
        "MaxInputBytesPerBatch": settings.max_input_bytes_per_batch or MAX_BATCH_BYTES,
        "BatchInput": dict(shared),
    }


def _machine(
    pipeline: Pipeline, names: ResourceNames, stages: Sequence[Stage], batched: bool, failed: str
) -> dict[str, Any]:
    """The child: one Task after the other. Distributed children see no outer variables, only their input."""
    shared = "$states.input.BatchInput" if batched else "$states.input"
    items = "[$states.input.Items.item]" if batched else "[$states.input.item]"
    count = "$count($states.input.Items)" if batched else None
    states: dict[str, Any] = {}
    following = [stage.name for stage in stages[1:]]
    for stage, after in zip(stages, [*following, None], strict=True):
        upstream = {name: member(f"{shared}.upstream", name) for name in pipeline.gathered(stage)}
        states[stage.name] = task_state(pipeline, names, stage, Place(shared, items, upstream, count), after, failed)
    return {"StartAt": stages[0].name, "States": {**states, failed: fail_state()}}
