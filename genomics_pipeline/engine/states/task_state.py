"""The Task state, which calls its ``Resource`` within ``TimeoutSeconds`` and ``HeartbeatSeconds``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.states.attempts import run_attempts
from genomics_pipeline.engine.states.task_events import TaskEvents
from genomics_pipeline.engine.states.timeouts import timeouts
from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import RUNTIME, StatesError, too_large
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps

_WITH_TOKEN = (".waitForTaskToken", ".sync", ".sync:2")


async def run(visit: Visit) -> Transition:
    """Return the transition after the first attempt that succeeds, or after the last one."""
    return await run_attempts(visit, _call)


async def _call(visit: Visit) -> Any:
    execution, state = visit.execution, visit.state
    resource = state["Resource"]
    if resource.endswith(_WITH_TOKEN) or ":activity:" in resource:
        visit.token = str(uuid4())
    arguments = visit.arguments(state, default=visit.input)
    limits = visit.field(state, "TimeoutSeconds"), visit.field(state, "HeartbeatSeconds")
    events = TaskEvents(visit.trail, resource)
    events.add_scheduled(arguments, *limits)
    handler = execution.engine.tasks.handler(resource, execution.machine, visit.name)
    if handler is None:
        raise StatesError(RUNTIME, f"There is no handler for the resource '{resource}'.")
    await asyncio.sleep(0)  # concurrent tasks are all scheduled before the first one starts
    events.add_started()
    try:
        async with timeouts(*limits) as heartbeat:
            result = await handler(arguments, _context(visit, heartbeat, events))
        if len(dumps(result)) > quotas.PAYLOAD.value:
            raise too_large(events.display_name, is_task_result=True)
    except StatesError as error:
        events.add_failed(error)
        raise error.with_final_cause() from error
    finally:
        visit.token = None
    events.add_succeeded(result)
    return result


def _context(visit: Visit, heartbeat: Callable[[], None], events: TaskEvents) -> TaskContext:
    execution = visit.execution
    engine = execution.engine
    return TaskContext(
        execution=execution.arn,
        machine=execution.machine,
        state=visit.name,
        resource=visit.state["Resource"],
        attempt=visit.attempt,
        label=execution.label,
        index=execution.index,
        token=visit.token,
        heartbeat=heartbeat,
        submitted=events.add_submitted,
        clock=engine.clock,
        observer=engine.observer,
    )
