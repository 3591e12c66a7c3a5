"""Rules for concurrency: what the services behind a Map accept at once, open Map Runs, and batches of items."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.counting import item_transitions
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import has, number
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import TaskResource, is_retried, task_resource

_BATCH = "batch:submitJob"
_THROTTLED = ("Batch.AWSBatchException", "Batch.TooManyRequestsException")  # issues of nextflow and HyP3: see the page
_ITEMS_PER_BATCH = 100


def _tasks(definition: ReadDefinition, container: StateNode) -> list[tuple[StateNode, TaskResource]]:
    return [(state, task_resource(state)) for state in definition.inside(container) if state.kind == "Task"]


def check_concurrency(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Maps without MaxConcurrency, or with one above a quota."""
    for state in definition.of_kind("Map"):
        literal = number(state.node, "MaxConcurrency")
        path = f"{state.path}/MaxConcurrency"
        if not state.is_distributed:
            if literal is not None and literal > quotas.INLINE_CONCURRENCY.value:
                why = (
                    f"An inline Map runs at most {quotas.INLINE_CONCURRENCY} at once, found {literal:.0f}. "
                    "Lower it, or use a Distributed Map."
                )
                yield Remark(path, why, severity=Severity.NOTE)
        elif not has(state.node, "MaxConcurrency") or literal == 0:
            yield _unlimited(definition, state)
        elif literal is not None:
            yield from _above_quota(definition, state, literal, path)


def _unlimited(definition: ReadDefinition, state: StateNode) -> Remark:
    tasks = [resource for _, resource in _tasks(definition, state)]
    beginning = f"Without MaxConcurrency up to {quotas.MAP_RUN_CONCURRENCY} run at once"
    if any(resource.action == _BATCH for resource in tasks):
        limit = f"Batch accepts {quotas.SUBMIT_JOB_RATE} of SubmitJob in an account and Region"
    elif any(resource.is_function for resource in tasks):
        limit = f"Lambda has {quotas.FUNCTION_CONCURRENCY} for all functions of an account, unless AWS raised it"
    else:
        why = f"{beginning}. Set what the services behind it accept."
        return Remark(state.path, why, severity=Severity.NOTE)
    return Remark(state.path, f"{beginning}, and {limit}. Set MaxConcurrency.", Saving("retries of throttled calls"))


def _above_quota(definition: ReadDefinition, state: StateNode, literal: float, path: str) -> Iterator[Remark]:
    if literal > quotas.MAP_RUN_CONCURRENCY.value:
        why = f"A Map Run has at most {quotas.MAP_RUN_CONCURRENCY} at once, found {literal:.0f}."
        yield Remark(path, why, severity=Severity.NOTE)
    tasks = _tasks(definition, state)
    if literal > quotas.FUNCTION_CONCURRENCY.value and any(resource.is_function for _, resource in tasks):
        why = (
            f"Lambda has {quotas.FUNCTION_CONCURRENCY} for all functions of an account, unless AWS raised it; "
            f"found MaxConcurrency {literal:.0f}. Lower it, or reserve concurrency."
        )
        yield Remark(path, why, Saving("retries of throttled calls"))
    unprotected = [
        task
        for task, resource in tasks
        if resource.action == _BATCH and not any(is_retried(task, error) for error in _THROTTLED)
    ]
    if literal > quotas.SUBMIT_JOB_RATE.value and unprotected:
        why = (
            f"Batch accepts {quotas.SUBMIT_JOB_RATE} of SubmitJob, and a Map Run starts up to "
            f"{quotas.CHILD_STARTS.value} children a second; {unprotected[0].name} does not retry "
            f"{' and '.join(_THROTTLED)}, the errors of throttled calls. Retry them, or lower MaxConcurrency."
        )
        yield Remark(path, why, Saving("the items that would fail"))


def check_nested_map_runs(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Distributed Maps in the children of another one that has more children than Map Runs may be open."""
    for state in definition.of_kind("Map"):
        outer = definition.distributed_map(state) if state.is_distributed else None
        if outer is None:
            continue
        literal = number(outer.node, "MaxConcurrency") or None
        if has(outer.node, "MaxConcurrency") and literal is None and number(outer.node, "MaxConcurrency") is None:
            continue  # an expression
        at_once = literal or quotas.MAP_RUN_CONCURRENCY.value
        if at_once > quotas.OPEN_MAP_RUNS.value:
            why = (
                f"Each child of {outer.name} opens a Map Run here: up to {at_once:.0f}, and an account may have "
                f"{quotas.OPEN_MAP_RUNS} open in a Region; the others wait. Lower MaxConcurrency of {outer.name}, or "
                "make one list of all items first."
            )
            yield Remark(state.path, why)


def check_batches(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Distributed Maps that start a child for each item of short work."""
    for state in definition.of_kind("Map"):
        if not state.is_distributed or "ItemBatcher" in state.node or "ItemReader" not in state.node:
            continue
        tasks = _tasks(definition, state)
        if tasks and all(_takes_many(*one) for one in tasks) and not _has_map(definition, state):
            saved = item_transitions(definition, state) * (1 - 1 / _ITEMS_PER_BATCH)
            why = (
                f"Each item starts a child execution for short work. With an ItemBatcher of {_ITEMS_PER_BATCH} items, "
                "a child and its calls serve all items of its batch; a batch fails as a whole."
            )
            yield Remark(state.path, why, Saving(f"in batches of {_ITEMS_PER_BATCH}", saved, "item"))


def _takes_many(task: StateNode, resource: TaskResource) -> bool:
    """Return whether the task is code of the user, which can take a list of items, as one may not take minutes."""
    timeout_s = number(task.node, "TimeoutSeconds") or 0
    return resource.is_function and resource.is_short and timeout_s <= quotas.EXPRESS_SECONDS.value


def _has_map(definition: ReadDefinition, container: StateNode) -> bool:
    return any(state.kind == "Map" for state in definition.inside(container))


RULES = (
    AdviceRule("map-concurrency", Severity.WARNING, check_concurrency),
    AdviceRule("nested-maps", Severity.WARNING, check_nested_map_runs),
    AdviceRule("map-batches", Severity.NOTE, check_batches),
)
