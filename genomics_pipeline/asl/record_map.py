"""The document of a pipeline over records: Distributed Maps whose children call Lambda functions.

The records of a run are read by the Map ``Record``. The records of a rerun, whose lines this program wrote, are JSON
Lines; where those of the run have another form, a second Map ``RecordAgain`` with the same children reads them. A
stage that gathers is a Task after the Map; a rerun without any records begins with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.asl.function_state import execution_type, function_state, gather_state
from genomics_pipeline.asl.healing import fail_state, failure_names
from genomics_pipeline.asl.record_budget import batch_bytes, check_record_budget
from genomics_pipeline.language.jsonata.text import expression
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.record_source import COMMA, JSON_LINES, MANIFEST, OBJECTS, RecordSource
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import RECORD

GET_OBJECT = "arn:aws:states:::s3:getObject"
LIST_OBJECTS = "arn:aws:states:::s3:listObjectsV2"
PUT_OBJECT = "arn:aws:states:::s3:putObject"
LABEL, AGAIN, PARTS, SOURCE = "Record", "RecordAgain", "RecordParts", "RecordSource"
SHARED = ("run", "parameters")
_INPUT = "$states.input"
_DETAILS = "$states.result.ResultWriterDetails"
_RESULTS = "recordResults"  # the variable with ResultWriterDetails, of one Map Run or of several


def record_document(pipeline: Pipeline, names: ResourceNames) -> dict[str, Any]:
    """Return the state machine document of a pipeline over records.

    Raises:
        DataError: if the pipeline exceeds a limit of AWS.
    """
    settings, gather = pipeline.maps[RECORD], pipeline.gather_stage
    again = not settings.source.is_json_lines or settings.map_runs > 1
    one, states = _map(pipeline, names, LABEL, settings.source), dict[str, Any]()
    if settings.map_runs > 1:
        end = _end("$states.result", gather) if gather else {"End": True}
        states[PARTS] = {**_map_over_prefixes(one, settings.map_runs), **end}
    else:
        states[LABEL] = {**one, **_end(_DETAILS, gather)}
    if again or gather:
        states = {SOURCE: _choice(next(iter(states)), again, gather), **states}
    if again:
        states[AGAIN] = {**_map(pipeline, names, AGAIN, JSON_LINES), **_end(_DETAILS, gather)}
    if gather:
        failures = failure_names()
        states[gather.name] = gather_state(pipeline, names, gather, failures, _RESULTS)
        states[failures.state] = fail_state(failures.variable)
    document = {
        "Comment": f"{pipeline.name}: {pipeline.summary}",
        "QueryLanguage": "JSONata",
        "StartAt": next(iter(states)),
        "States": states,
    }
    if not pipeline.is_shipped:
        from genomics_pipeline.asl.limits import check_limits

        check_limits(document)
    check_record_budget(pipeline)
    return document


def _choice(first: str, again: bool, gather: Stage | None) -> dict[str, Any]:
    """Return the Choice between the records of a run, those of a rerun, and a rerun of the stage that gathers.

    Args:
        first: The Map over the records of a run.
        again: Whether another Map reads those of a rerun.
        gather: The stage that gathers.
    """
    choices: list[dict[str, Any]] = []
    if gather:
        condition = expression(f"$exists({_INPUT}.gather_only)")
        choices.append({"Condition": condition, "Assign": {_RESULTS: []}, "Next": gather.name})
    if again:
        choices.append({"Condition": expression(f"$exists({_INPUT}.again)"), "Next": AGAIN})
    return {"Type": "Choice", "Choices": choices, "Default": first}


def _end(results: str, gather: Stage | None = None) -> dict[str, Any]:
    """Return the last fields of a Map: it hands its results on to the stage that gathers, or ends its machine."""
    if gather is None:
        return {"Output": expression(results), "End": True}
    return {"Assign": {_RESULTS: expression(results)}, "Output": expression(_INPUT), "Next": gather.name}


def _map(pipeline: Pipeline, names: ResourceNames, label: str, source: RecordSource) -> dict[str, Any]:
    """Return a Distributed Map over records, without its end.

    Args:
        pipeline: The pipeline.
        names: The names of the AWS resources.
        label: The Map's Label.
        source: The form of the objects that it reads.
    """
    settings = pipeline.maps[RECORD]
    shared = {name: expression(f"{_INPUT}.{name}") for name in SHARED}
    if settings.is_batched:
        count = {} if settings.items_per_batch is None else {"MaxItemsPerBatch": settings.items_per_batch}
        batcher = {**count, "MaxInputBytesPerBatch": batch_bytes(settings), "BatchInput": shared}
        items: dict[str, Any] = {"ItemBatcher": batcher}
    else:
        items = {"ItemSelector": {"item": expression("$states.context.Map.Item.Value"), **shared}}
    most = f"{_INPUT}.max_concurrency"
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": _reader(source),
        **items,
        "MaxConcurrency": expression(f"$exists({most})?{most}:{settings.max_concurrency}"),
        "ToleratedFailurePercentage": expression(f"{_INPUT}.tolerated.percentage"),
        "ToleratedFailureCount": expression(f"{_INPUT}.tolerated.count"),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": execution_type(pipeline.record_stages)},
            **_machine(pipeline, names, label),
        },
        "ResultWriter": {
            "Resource": PUT_OBJECT,
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
            "Arguments": {
                "Bucket": expression(f"{_INPUT}.run.bucket"),
                "Prefix": expression(f"{_INPUT}.run.prefix & '{run_layout.map_runs(label)}'"),
            },
        },
    }


def _reader(source: RecordSource) -> dict[str, Any]:
    """Return the ItemReader of a source; which object or prefix it reads is in the execution's input."""
    place = {"Prefix": f"{_INPUT}.records.prefix"} if source.listed else {"Key": f"{_INPUT}.records.key"}
    places = {"Bucket": f"{_INPUT}.records.bucket", **place}
    config: dict[str, Any] = {}
    if source.format == MANIFEST:
        config["ManifestType"] = "S3_INVENTORY"
    elif source.format != OBJECTS:
        config["InputType"] = JSON_LINES.format if source.is_written else source.format
    if source.prefix and source.format != OBJECTS:
        config["Transformation"] = "LOAD_AND_FLATTEN"
    if source.format == "CSV":
        config["CSVHeaderLocation"] = "GIVEN" if source.header else "FIRST_ROW"
    if source.header:
        config["CSVHeaders"] = list(source.header)
    if source.delimiter != COMMA:
        config["CSVDelimiter"] = source.delimiter
    if source.pointer:
        config["ItemsPointer"] = source.pointer
    if source.max_items is not None:
        config["MaxItems"] = source.max_items
    return {
        "Resource": LIST_OBJECTS if source.listed else GET_OBJECT,
        **({"ReaderConfig": config} if config else {}),
        "Arguments": {name: expression(text) for name, text in places.items()},
    }


def _machine(pipeline: Pipeline, names: ResourceNames, label: str) -> dict[str, Any]:
    """Return the state machine of the children: a Task for each stage, and the Fail state.

    Names of states are unique in a document, so that those of a second Map end as its Label does.
    """
    ending, failures = label.removeprefix(LABEL), failure_names(label)
    stages = pipeline.record_stages
    states: dict[str, Any] = {}
    for number, stage in enumerate(stages):
        last = number + 1 == len(stages)
        task = function_state(pipeline, names, number, failures, ending)
        following = {"End": True} if last else {"Next": f"{stages[number + 1].name}{ending}"}
        states[f"{stage.name}{ending}"] = {**task, **following}
    states[failures.state] = fail_state(failures.variable)
    return {"StartAt": next(iter(states)), "States": states}


def _map_over_prefixes(inner: Mapping[str, Any], map_runs: int) -> dict[str, Any]:
    """Return the inline Map that starts a Map Run for each prefix of the execution's input, without its end.

    Args:
        inner: The Distributed Map.
        map_runs: The Map Runs at the same time.
    """
    prefixes = f"{_INPUT}.records.prefixes"
    tolerated = {
        "percentage": expression(f"{_INPUT}.tolerated.percentage"),
        "count": expression(f"$ceil({_INPUT}.tolerated.count/$count({prefixes}))"),
    }
    records = {
        "bucket": expression(f"{_INPUT}.records.bucket"),
        "prefix": expression("$states.context.Map.Item.Value"),
    }
    return {
        "Type": "Map",
        "Items": expression(f"[{prefixes}]"),
        "ItemSelector": {
            **{name: expression(f"{_INPUT}.{name}") for name in SHARED},
            "records": records,
            "tolerated": tolerated,
            "max_concurrency": inner["MaxConcurrency"],
        },
        "MaxConcurrency": map_runs,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": LABEL,
            "States": {LABEL: {**inner, **_end(_DETAILS)}},
        },
    }
