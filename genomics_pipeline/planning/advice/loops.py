"""Rules for loops and inline Maps: polling that `.sync` does for nothing, and histories that come to their end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.counting import ITERATION_EVENTS, events, machine_events
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import member, number, objects, values
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import TaskKind, task_resource

# Requests that ask how a job stands, and the integration that waits for it (developer guide, "Integrating services").
_SYNC = {
    "athena:getQueryExecution": "athena:startQueryExecution.sync",
    "batch:describeJobs": "batch:submitJob.sync",
    "bedrock:getModelCustomizationJob": "bedrock:createModelCustomizationJob.sync",
    "codebuild:batchGetBuilds": "codebuild:startBuild.sync",
    "databrew:describeJobRun": "databrew:startJobRun.sync",
    "ecs:describeTasks": "ecs:runTask.sync",
    "emr:describeCluster": "elasticmapreduce:createCluster.sync",
    "emr:describeStep": "elasticmapreduce:addStep.sync",
    "emrcontainers:describeJobRun": "emr-containers:startJobRun.sync",
    "emrserverless:getJobRun": "emr-serverless:startJobRun.sync",
    "glue:getJobRun": "glue:startJobRun.sync",
    "mediaconvert:getJob": "mediaconvert:createJob.sync",
    "sagemaker:describeHyperParameterTuningJob": "sagemaker:createHyperParameterTuningJob.sync",
    "sagemaker:describeLabelingJob": "sagemaker:createLabelingJob.sync",
    "sagemaker:describeProcessingJob": "sagemaker:createProcessingJob.sync",
    "sagemaker:describeTrainingJob": "sagemaker:createTrainingJob.sync",
    "sagemaker:describeTransformJob": "sagemaker:createTransformJob.sync",
    "sfn:describeExecution": "states:startExecution.sync:2",
}
_ASKED_BY = {start.partition(".sync")[0]: asks for asks, start in _SYNC.items() if not start.startswith("states:")}
_ASKS = re.compile(r":(describe|get|list|batchGet)[A-Z]")
_HOUR_S = 3600
_ITEM_BYTES = 100  # assumed of the items of an inline Map, which come from one payload
_COMPARED = re.compile(r"[<>]=?\s*(?P<bound>\d+)?")
_NUMERIC = re.compile(r"Numeric(LessThan|GreaterThan)(Equals)?(Path)?")


def _standard_loops(definition: ReadDefinition) -> Iterator[list[StateNode]]:
    for machine in definition.machines:
        if not machine.express:
            yield from definition.graphs[machine.path].loops()


def _polled(loop: Sequence[StateNode]) -> StateNode | None:
    """Return the task of a loop that asks how something stands; None if the loop does not poll."""
    if not {"Wait", "Choice"} <= {state.kind for state in loop}:
        return None
    tasks = [state for state in loop if state.kind == "Task"]
    asking = [task for task in tasks if _ASKS.search(task_resource(task).action)]
    if asking:
        return asking[0]
    return tasks[0] if len(tasks) == 1 and task_resource(tasks[0]).is_function else None


def check_polling(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield loops of Wait, a task that asks, and Choice."""
    for loop in _standard_loops(definition):
        task = _polled(loop)
        if task is None:
            continue
        action = task_resource(task).action
        waits = [number(state.node, "Seconds") for state in loop if state.kind == "Wait"]
        seconds = sum(wait for wait in waits if wait) if all(waits) else 0
        saving = Saving("each turn of the loop", len(loop), "turn")
        if seconds:
            saving = Saving("", len(loop) * _HOUR_S / seconds, "hour of waiting")
        if sync := _SYNC.get(action):
            why = (
                f"The loop pays for {len(loop)} state transitions a turn to ask {action}. "
                f"arn:aws:states:::{sync} waits for free, and tries to end the job if the execution is stopped."
            )
            yield Remark(task.path, why, saving)
        else:
            why = (
                f"The loop pays for {len(loop)} state transitions a turn to ask how something stands. Where the "
                "service or your code can call back, .waitForTaskToken waits for free; else wait longer with each turn."
            )
            yield Remark(task.path, why, saving, Severity.NOTE)


def check_unawaited(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield requests that start a job, after which the definition goes on without asking whether it has ended."""
    asked = {task_resource(state).action for state in definition.of_kind("Task")}
    for state in definition.of_kind("Task"):
        resource = task_resource(state)
        if resource.kind is not TaskKind.CALL or resource.action not in _ASKED_BY or state.machine.express:
            continue
        graph = definition.graph(state)
        goes_on = any(graph.states[name].kind == "Task" for name in graph.following[state.name])
        waits = any(other.kind == "Wait" for other in graph.states.values())
        if goes_on and not waits and _ASKED_BY[resource.action] not in asked:
            why = (
                f"{resource.action} returns when the job is accepted, and the next state begins while it runs. If that "
                f"needs the job's results, use arn:aws:states:::{resource.action}.sync, which costs no more."
            )
            yield Remark(f"{state.path}/Resource", why)


def check_loop_history(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield loops that nothing counts, or that count too far for the history of one execution."""
    for loop in _standard_loops(definition):
        if _polled(loop):
            continue
        per_turn = sum(events(definition, state) for state in loop)
        turns = int(quotas.HISTORY.value // per_turn)
        is_counted, bound = _bound(loop)
        after = f"after about {turns} turns of" if turns else "within the first turn, of"
        ending = f"An execution ends at {quotas.HISTORY}, so {after} {per_turn:.0f} events"
        if bound is not None and bound > turns:
            why = f"{ending}; this loop counts to {bound}. Use a Distributed Map, or continue in a new execution."
            yield Remark(loop[0].path, why, severity=Severity.WARNING)
        elif not is_counted:
            why = f"{ending}, and nothing here counts the turns. Continue in a new execution before that."
            yield Remark(loop[0].path, why)


def _bound(loop: Sequence[StateNode]) -> tuple[bool, int | None]:
    """Return whether a Choice of the loop compares a number, and the number if it is the only one, and literal."""
    bounds: set[int | None] = set()
    for state in loop:
        for _, rule in objects(state.node, "Choices") if state.kind == "Choice" else ():
            for _, key, value in values(
                {name: part for name, part in rule.items() if name not in ("Output", "Assign")}
            ):
                if _NUMERIC.fullmatch(key):
                    bounds.add(value if type(value) is int else None)
                elif key == "Condition" and isinstance(value, str):
                    bounds |= {int(match["bound"]) if match["bound"] else None for match in _COMPARED.finditer(value)}
    return bool(bounds), next(iter(bounds)) if len(bounds) == 1 else None


def check_map_history(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield inline Maps whose iterations may fill the history of a STANDARD execution."""
    most = quotas.PAYLOAD.value // _ITEM_BYTES
    for state in definition.of_kind("Map"):
        processor = state.processor
        if processor is None or state.is_distributed or state.machine.express or _has_literal_items(state):
            continue
        per_item = ITERATION_EVENTS + machine_events(definition, processor)
        batch = _items_per_batch(definition, state)
        if per_item * min(most, batch) > quotas.HISTORY.value:
            why = (
                f"An iteration adds at least {per_item:.0f} events to the history, which ends at {quotas.HISTORY}: "
                f"after about {quotas.HISTORY.value // per_item:.0f} items. If there may be more, use a Distributed "
                "Map: each of its children has a history of its own."
            )
            yield Remark(state.path, why)


def _items_per_batch(definition: ReadDefinition, state: StateNode) -> float:
    """Return how many items a batch of the child has, which an inline Map in it goes through."""
    container = definition.containers.get(state.machine.path)
    batcher = member(container.node, "ItemBatcher") if container and container.is_distributed else {}
    return number(batcher, "MaxItemsPerBatch") or math.inf


def _has_literal_items(state: StateNode) -> bool:
    return isinstance(state.node.get("Items"), list) or bool(member(state.node, "Items"))


RULES = (
    AdviceRule("polling-loop", Severity.WARNING, check_polling),
    AdviceRule("job-not-awaited", Severity.NOTE, check_unawaited),
    AdviceRule("loop-history", Severity.NOTE, check_loop_history),
    AdviceRule("inline-map-history", Severity.NOTE, check_map_history),
)
