"""The Distributed Map of stages of one scope that follow each other.

Where its items are divided among several Map Runs, an inline Map over the parts of the manifest is around it. The
Distributed Map is the same as without; each of its Map Runs has the same Label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.asl.healing import FirstAttemptSource, fail_state, failure_names
from genomics_pipeline.asl.task_state import PayloadSource, stage_states
from genomics_pipeline.language.jsonata.text import expression, member
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.first_attempt import MEMBER
from genomics_pipeline.model.pipeline import MapSettings, Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames

GET_OBJECT = "arn:aws:states:::s3:getObject"
PUT_OBJECT = "arn:aws:states:::s3:putObject"
MOST_CHILDREN = "$states.input.max_concurrency"  # at a time; of a run whose user gave one
SHARED = ("run", "reference", "parameters", "memory_mib", "wait_s", "job_definitions")

# A batch is in the overrides of its job as JSON in JSON, which doubles quotes, with the rest of the payload: see
# `asl.payload_budget`.
MAX_BATCH_BYTES = 5_000
PARTS = "Parts"  # the end of the name of a Map over the parts of a manifest
_MANIFESTS = "$states.input.manifests"


def distributed_maps(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the Distributed Maps of a document of `generate`, in their order."""
    for state in document["States"].values():
        if state["Type"] == "Map":
            inner = () if "Label" in state else distributed_maps(state["ItemProcessor"])
            yield from inner or (state,)


def map_over_parts(pipeline: Pipeline, label: str, inner: Mapping[str, Any], variable: str) -> dict[str, Any]:
    """Return the inline Map that starts a Map Run for each part of a manifest, without ``Next`` or ``End``.

    All parts run at the same time. The tolerated count of the run is divided among them.

    Args:
        pipeline: The pipeline.
        label: The Label of the Distributed Map.
        inner: The Distributed Map, as `map_state` returns it.
        variable: The variable to which the list of ResultWriterDetails is assigned.
    """
    details = inner["Assign"][variable]
    state = {**{key: value for key, value in inner.items() if key != "Assign"}, "Output": details, "End": True}
    names = ("run", *SHARED[1:], "earlier")
    tolerated = {
        "percentage": expression("$states.input.tolerated.percentage"),
        "count": expression(f"$ceil($states.input.tolerated.count/$count({_MANIFESTS}))"),
    }
    limit = {"max_concurrency": inner["MaxConcurrency"]}
    return {
        "Type": "Map",
        "Items": expression(f"[{_MANIFESTS}]"),
        "ItemSelector": {
            **{name: expression(f"$states.input.{name}") for name in names},
            "manifest": expression("$states.context.Map.Item.Value"),
            "tolerated": tolerated,
            **limit,
        },
        "MaxConcurrency": pipeline.maps["sample"].map_runs,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": label, "States": {label: state}},
        "Assign": {variable: expression("$states.result")},
        "Output": expression("$states.input"),
    }


def map_state(
    pipeline: Pipeline,
    names: ResourceNames,
    stages: Sequence[Stage],
    label: str,
    variable: str,
    upstream: Mapping[str, str],
) -> dict[str, Any]:
    """Return the Map state of stages that share a scope, without ``Next`` or ``End``.

    Args:
        pipeline: The pipeline of the stages.
        names: The names of the AWS resources.
        stages: The stages in order; each child runs all of them over its item.
        label: The Map's Label.
        variable: The variable to which its ResultWriterDetails are assigned.
        upstream: The ResultWriterDetails of Map Runs, by each stage that a stage of this map gathers from.
    """
    settings = pipeline.maps[stages[0].scope]
    shared: dict[str, Any] = {name: expression(f"$states.input.{name}") for name in SHARED}
    if upstream:
        shared["upstream"] = {stage: expression(source) for stage, source in upstream.items()}
    item = {"item": expression("$states.context.Map.Item.Value")}
    batched = settings.is_batched
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": {
            "Resource": GET_OBJECT,
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {
                "Bucket": expression("$states.input.run.bucket"),
                "Key": expression(f"$states.input.run.prefix & {_file(stages[0].scope)}"),
            },
        },
        "ItemSelector": item if batched else {**item, **shared},
        **({"ItemBatcher": _batcher(settings, shared)} if batched else {}),
        "MaxConcurrency": expression(f"$exists({MOST_CHILDREN})?{MOST_CHILDREN}:{settings.max_concurrency}"),
        **_tolerance(stages[0].scope, settings),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **_machine(pipeline, names, stages, batched, label),
        },
        "ResultWriter": {
            "Resource": PUT_OBJECT,
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
            "Arguments": {
                "Bucket": expression("$states.input.run.bucket"),
                "Prefix": expression(f"$states.input.run.prefix & '{run_layout.map_runs(label)}'"),
            },
        },
        "Assign": {variable: expression("$states.result.ResultWriterDetails")},
        "Output": expression("$states.input"),
    }


def _file(scope: str) -> str:
    """Return the key of the items below the run; a rerun has a manifest of its own."""
    return "$states.input.manifest" if scope == "sample" else f"'{run_layout.ITEM_FILES[scope]}'"


def _tolerance(scope: str, settings: MapSettings) -> dict[str, Any]:
    """Return the tolerated failures; those of samples are in the execution's input."""
    tolerated = settings.tolerance()
    return {
        field: expression(f"$states.input.tolerated.{name}") if scope == "sample" else tolerated[name]
        for field, name in (("ToleratedFailurePercentage", "percentage"), ("ToleratedFailureCount", "count"))
    }


def _batcher(settings: MapSettings, shared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **({} if settings.items_per_batch is None else {"MaxItemsPerBatch": settings.items_per_batch}),
        "MaxInputBytesPerBatch": settings.max_input_bytes_per_batch or MAX_BATCH_BYTES,
        "BatchInput": dict(shared),
    }


def _machine(
    pipeline: Pipeline, names: ResourceNames, stages: Sequence[Stage], batched: bool, label: str
) -> dict[str, Any]:
    """Return the state machine of the children, which have no access to outer variables."""
    shared = "$states.input.BatchInput" if batched else "$states.input"
    holder = "$states.input.Items.item" if batched else "$states.input.item"
    items = f'[{holder}~>|$|{{}},["{MEMBER}"]|]'
    first = "$states.input.Items[0].item" if batched else "$states.input.item"
    count = "$count($states.input.Items)" if batched else None
    failures, attempts = failure_names(label), FirstAttemptSource.of(shared, holder)
    states: dict[str, Any] = {}
    following = [stage.name for stage in stages[1:]]
    for stage, after in zip(stages, [*following, None], strict=True):
        upstream = {name: member(f"{shared}.upstream", name) for name in pipeline.gather_sources(stage)}
        source = PayloadSource(shared, items, first, upstream, attempts, count)
        states |= stage_states(pipeline, names, stage, source, after, failures)
    return {"StartAt": stages[0].name, "States": {**states, failures.state: fail_state(failures.variable)}}
