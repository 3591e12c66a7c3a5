"""Rules for timeouts: tasks that may wait for ever, and workers whose loss nobody notices."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import has, number
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import TaskKind, task_resource

_LONG_S = 3600  # a worker that is lost for longer than this costs more than its heartbeats
_WAITS_FOR = {TaskKind.JOB: "its job", TaskKind.CALLBACK: "its task token", TaskKind.ACTIVITY: "a worker"}


def check_timeout(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield tasks that wait for something that may never happen, with neither timeout nor heartbeat."""
    whole = "TimeoutSeconds" in definition.document
    for state in definition.of_kind("Task"):
        resource = task_resource(state)
        if not resource.waits or has(state.node, "TimeoutSeconds") or has(state.node, "HeartbeatSeconds"):
            continue
        if whole and definition.distributed_map(state) is None:
            continue
        days = quotas.STANDARD_SECONDS.value // 86_400
        why = (
            f"The task waits for {_WAITS_FOR[resource.kind]} without TimeoutSeconds or HeartbeatSeconds: if that never "
            f"comes, the execution stays open for up to {days} days. Set TimeoutSeconds."
        )
        yield Remark(state.path, why, Saving("an execution that hangs, and what waits for it"))


def check_heartbeat(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield activities that wait for hours without a heartbeat."""
    for state in definition.of_kind("Task"):
        if task_resource(state).kind is not TaskKind.ACTIVITY or has(state.node, "HeartbeatSeconds"):
            continue
        limit = number(state.node, "TimeoutSeconds")
        if limit is not None and limit > _LONG_S:
            why = (
                f"Without HeartbeatSeconds the loss of a worker is noticed only after TimeoutSeconds, {limit:.0f} s. "
                "Set HeartbeatSeconds, and let the worker call SendTaskHeartbeat."
            )
            yield Remark(state.path, why, Saving(f"up to {limit:.0f} s for each lost worker"))


RULES = (
    AdviceRule("task-timeout", Severity.WARNING, check_timeout),
    AdviceRule("task-heartbeat", Severity.NOTE, check_heartbeat),
)
