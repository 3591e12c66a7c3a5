"""Rules for payloads: large literals, results that an inline Map gathers, and objects that overwrite each other."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import arguments, is_expression
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Severity
from genomics_pipeline.planning.advice.resources import task_resource

_DATA_FIELDS = ("Result", "Parameters", "Arguments", "ItemSelector", "Items", "Output", "Assign", "ResultSelector")
_REDUCING = ("ResultSelector", "OutputPath", "Output")
# What a task returns around or beside the useful part, in bytes: of a job its description, as it was recorded; of a
# function the headers of the response, about.
_RESULT_BYTES = {"batch:submitJob": 2_631, "lambda:invoke": 1_000}
_WRITES = ("s3:putObject", "s3:copyObject", "s3:createMultipartUpload")


def check_literals(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield literals of more than half a payload."""
    for state in definition.states:
        for field in _DATA_FIELDS:
            if field not in state.node:
                continue
            size = len(compact(state.node[field]).encode("utf-8", "replace"))
            if size > quotas.PAYLOAD.value // 2:
                why = (
                    f"The literal has {size} bytes, and input and output of a state may have {quotas.PAYLOAD}. "
                    "Keep it in S3 and pass its key."
                )
                yield Remark(f"{state.path}/{field}", why)


def check_gathered_results(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield inline Maps that gather the whole responses of their last tasks."""
    for state in definition.of_kind("Map"):
        if state.is_distributed or _is_reduced(state):
            continue
        processor = state.processor
        graph = definition.graphs.get(processor.path) if processor else None
        last = [task for task in graph.states.values() if not graph.following[task.name]] if graph else []
        for task in last:
            size = _RESULT_BYTES.get(task_resource(task).action)
            if task.kind == "Task" and size and not _is_reduced(task):
                why = (
                    f"Each iteration ends with the whole response of {task_resource(task).action}, about {size} bytes "
                    f"beside its useful part; {quotas.PAYLOAD} are reached after about {quotas.PAYLOAD.value // size} "
                    "items. Select what is needed: Output, or ResultSelector."
                )
                yield Remark(task.path, why)


def _is_reduced(state: StateNode) -> bool:
    node = state.node
    return any(field in node for field in _REDUCING) or ("ResultPath" in node and node["ResultPath"] is None)


def check_object_keys(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield tasks that write an object whose key is the same every time."""
    for state in definition.of_kind("Task"):
        key = arguments(state).get("Key")
        if task_resource(state).action not in _WRITES or not isinstance(key, str) or is_expression("Key", key):
            continue
        if definition.is_repeated(state):
            why = "Every iteration writes the same object, and only the last one stays. Put the item into the Key."
            yield Remark(f"{state.path}/{_field(state)}/Key", why)
        else:
            why = (
                "Every execution writes the same object, and replaces that of the others. Put the name of the "
                "execution into the Key, unless only the latest one counts."
            )
            yield Remark(f"{state.path}/{_field(state)}/Key", why, severity=Severity.NOTE)


def _field(state: StateNode) -> str:
    return "Arguments" if "Arguments" in state.node else "Parameters"


RULES = (
    AdviceRule("large-literal", Severity.WARNING, check_literals),
    AdviceRule("gathered-results", Severity.NOTE, check_gathered_results),
    AdviceRule("fixed-object-key", Severity.WARNING, check_object_keys),
)
