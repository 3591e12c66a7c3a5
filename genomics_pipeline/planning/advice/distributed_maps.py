"""Rules for Distributed Maps: what happens to all items when one fails, and where the results go."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.language import errors
from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.counting import item_transitions
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import error_names, has, member, number, objects, retriers
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import task_resource

_TOLERANCES = ("ToleratedFailurePercentage", "ToleratedFailureCount")
_FEW_ITEMS = 40


def check_map_retry(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Maps with a Retry for more than the reading of their items."""
    for state in definition.of_kind("Map"):
        for place, entry in retriers(state):
            if set(error_names(entry)) - {errors.ITEM_READER_FAILED}:
                kind = "starts a new Map Run over all items" if state.is_distributed else "repeats every iteration"
                why = f"A Retry on a Map {kind}, also those that succeeded. Retry the Tasks inside it instead."
                count = item_transitions(definition, state) if state.is_distributed else 0
                saving = Saving("for each retry", count, "item") if count else Saving("every iteration, for each retry")
                yield Remark(f"{state.path}/Retry[{place}]", why, saving)


def check_label(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Distributed Maps without a Label."""
    for state in definition.of_kind("Map"):
        if state.is_distributed and "Label" not in state.node:
            why = (
                "Without a Label, AWS puts a random one into the ARNs of the children, so that IAM policies, metrics "
                "and alarms cannot name them. Set a Label."
            )
            yield Remark(state.path, why)


def check_result_writer(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Distributed Maps whose results are gathered in the state's output."""
    for state in definition.of_kind("Map"):
        if not state.is_distributed or "Resource" in member(state.node, "ResultWriter"):
            continue
        if (most := number(member(state.node, "ItemReader", "ReaderConfig"), "MaxItems")) and most <= _FEW_ITEMS:
            continue
        few = "ItemReader" not in state.node  # items of one payload have small results
        severity = Severity.NOTE if few or _ends_empty(state) else None
        why = (
            f"Without a ResultWriter to S3 the results of all children must fit into one payload of {quotas.PAYLOAD}; "
            "else the Map fails with States.DataLimitExceeded after all its work is done. Failed items are listed "
            "nowhere either. Add a ResultWriter with a Resource."
        )
        yield Remark(state.path, why, Saving("a Map Run whose work would be lost"), severity)


def _ends_empty(distributed: StateNode) -> bool:
    """Return whether every child that succeeds ends with an empty output: a payload holds many of these."""
    states = () if distributed.processor is None else distributed.processor.states()
    ends = [state.node for state in states if state.node.get("End") or state.kind == "Succeed"]
    return bool(ends) and all(
        ("OutputPath" in node and node["OutputPath"] is None) or ("Output" in node and not node["Output"])
        for node in ends
    )


def check_tolerated_failure(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Distributed Maps that one failing item ends, without saying so."""
    for state in definition.of_kind("Map"):
        if not state.is_distributed or any(has(state.node, field) for field in _TOLERANCES):
            continue
        if _catches_all(state):
            continue
        why = (
            "Without ToleratedFailurePercentage or ToleratedFailureCount the first item that fails ends the Map Run, "
            "and the children that run are stopped. Set a tolerance, or 0 to say that this is intended."
        )
        yield Remark(state.path, why, Saving("the work of the items that are stopped"))


def _catches_all(distributed: StateNode) -> bool:
    """Return whether each Task of the children, at their top level, catches every error."""
    processor = distributed.processor
    tasks = [state for state in processor.states() if state.kind == "Task"] if processor else []
    return bool(tasks) and all(
        any(errors.ALL in error_names(entry) for _, entry in objects(task.node, "Catch")) for task in tasks
    )


def check_item_retry(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Tasks inside Distributed Maps for which nothing is retried."""
    for state in definition.of_kind("Task"):
        distributed = definition.distributed_map(state)
        if distributed is None or any(retriers(state)):
            continue
        between = definition.enclosing(state)
        if any(any(retriers(around)) for around in between if not around.is_distributed):
            continue
        what = "throttled calls and internal errors of the service"
        if task_resource(state).is_function:
            what = "throttled invocations and internal errors of Lambda"
        why = (
            f"Over many items {what} are certain, and without a Retry each of them is a failed item. "
            "Add a Retry for these errors, with JitterStrategy FULL."
        )
        yield Remark(state.path, why, Saving("the items that would fail, and their next run"))


RULES = (
    AdviceRule("map-retry", Severity.WARNING, check_map_retry),
    AdviceRule("map-label", Severity.NOTE, check_label),
    AdviceRule("map-result-writer", Severity.WARNING, check_result_writer),
    AdviceRule("map-tolerated-failure", Severity.WARNING, check_tolerated_failure),
    AdviceRule("map-item-retry", Severity.WARNING, check_item_retry),
)
