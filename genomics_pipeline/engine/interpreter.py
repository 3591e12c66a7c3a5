"""The states of a state machine, one after the other; every state type but the Distributed Map."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genomics_pipeline.engine.errors import NO_CHOICE_MATCHED, QUERY_EVALUATION, TIMEOUT, StatesError, matches
from genomics_pipeline.engine.events import RetryScheduled, StateEntered
from genomics_pipeline.engine.execution import Execution, TaskContext
from genomics_pipeline.engine.jsonata.fields import JsonataFields
from genomics_pipeline.engine.query_language import Outcome
from genomics_pipeline.engine.states.retry import Retriers
from genomics_pipeline.engine.visit import Visit

Machine = Mapping[str, Any]
JSONATA = JsonataFields()
_EFFECTS = frozenset({"Task", "Parallel", "Map", "Wait"})  # what is not simply evaluated again after a crash
_INLINE_CONCURRENCY = 40  # AWS's, where an inline Map sets none


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one visit to a state."""

    output: Any
    variables: Mapping[str, Any]
    next: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """One machine at work: an execution's own, a branch of a Parallel, an iteration of an inline Map."""

    execution: Execution
    machine: Machine
    path: str = ""
    item: Mapping[str, Any] | None = None


async def run_machine(frame: Frame, value: Any, variables: Mapping[str, Any]) -> Any:
    """Run a machine to its end, from where the journal says it stood.

    Returns:
        Its output.

    Raises:
        StatesError: if a state failed and nothing caught it.
    """
    execution, name, number, effects = frame.execution, frame.machine["StartAt"], 0, False
    if before := execution.recorder.frame(frame.path):
        if "next" not in before:
            return before["output"]
        name, number, value, variables = before["next"], before["step"], before["input"], before["variables"]
        execution.transitions, effects = max(execution.transitions, before["transitions"]), True
    while True:
        state = frame.machine["States"][name]
        execution.transitions += 1
        visit = Visit(execution, name, state, value, variables, f"{frame.path}/{number}", JSONATA, frame.item)
        step = await _visit(visit)
        number += 1
        effects = effects or state["Type"] in _EFFECTS
        if step.next is None:
            if effects and frame.path:
                await execution.recorder.append({"frame": frame.path, "output": step.output})
            return step.output
        name, value, variables = step.next, step.output, step.variables
        if state["Type"] in _EFFECTS:
            await execution.recorder.append(
                {
                    "frame": frame.path,
                    "step": number,
                    "next": name,
                    "input": value,
                    "variables": variables,
                    "transitions": execution.transitions,
                }
            )


async def _visit(visit: Visit) -> Step:
    kind = visit.state["Type"]
    _entered(visit)
    if kind in _SIMPLE:
        return await _SIMPLE[kind](visit)
    return await _attempts(visit, _WORK[kind])


def _entered(visit: Visit) -> None:
    execution = visit.execution
    execution.engine.observer(
        StateEntered(visit.name, visit.state["Type"], visit.attempt, execution.label, execution.index)
    )


def _step(outcome: Outcome, node: Mapping[str, Any]) -> Step:
    return Step(*outcome, node.get("Next"))


def _passed(visit: Visit) -> Step:
    return _step(visit.language.passed(visit, visit.state, ""), visit.state)


async def _pass(visit: Visit) -> Step:
    return _passed(visit)


async def _fail(visit: Visit) -> Step:
    raise StatesError(_typed(visit, visit.state, "Error", str), _typed(visit, visit.state, "Cause", str))


def _typed(visit: Visit, node: Mapping[str, Any], name: str, kind: type, field: str = "") -> Any:
    """The value of a field that must be text, or a boolean; empty where there is none."""
    found = visit.field(node, name, "", field)
    if not isinstance(found, kind):
        expected = {str: "string", bool: "boolean"}[kind]
        raise StatesError(
            QUERY_EVALUATION,
            f"The JSONata expression '{str(node[name])[2:-2].strip()}' specified for the field '{field}{name}' "
            f"returned an unexpected result type. Expected '{expected}', but was {found!r}.",
        )
    return found


async def _wait(visit: Visit) -> Step:
    clock = visit.execution.engine.clock
    if "Timestamp" in visit.state:
        until = visit.field(visit.state, "Timestamp")
        seconds = datetime.fromisoformat(until).timestamp() - clock.now()
    else:
        seconds = visit.field(visit.state, "Seconds")
    await clock.sleep(max(seconds, 0))
    return _passed(visit)


async def _choice(visit: Visit) -> Step:
    for number, rule in enumerate(visit.state["Choices"]):
        field = f"Choices[{number}]/"
        if _typed(visit, rule, "Condition", bool, field):
            return _step(visit.language.passed(visit, rule, field), rule)
    if "Default" not in visit.state:
        raise StatesError(
            NO_CHOICE_MATCHED, f"No choice rule of the state '{visit.name}' matched, and it has no Default."
        )
    step = _passed(visit)
    return Step(step.output, step.variables, visit.state["Default"])


async def _attempts(visit: Visit, work: Callable[[Visit], Awaitable[Any]]) -> Step:
    """Do the state's work, again as its Retry says; then its Catch."""
    execution = visit.execution
    clock = execution.engine.clock
    retriers = Retriers(visit.state.get("Retry", ()), clock)
    while True:
        try:
            result = await work(visit)
            return _step(visit.language.finished(visit, result), visit.state)
        except StatesError as error:
            delay = retriers.delay(error.error)
            if delay is None:
                return _caught(visit, error)
            visit.attempt += 1
            execution.transitions += 1
            execution.engine.observer(
                RetryScheduled(
                    visit.name, visit.attempt, delay, error.error, error.cause, execution.label, execution.index
                )
            )
        await clock.sleep(delay)
        _entered(visit)


def _caught(visit: Visit, error: StatesError) -> Step:
    for number, catcher in enumerate(visit.state.get("Catch", ())):
        if matches(error.error, catcher["ErrorEquals"]):
            return _step(visit.language.caught(visit, error.output(), catcher, f"Catch[{number}]/"), catcher)
    raise error


async def _task(visit: Visit) -> Any:
    execution, state = visit.execution, visit.state
    arguments = visit.arguments(state, default=visit.input)
    engine = execution.engine
    context = TaskContext(
        execution.arn,
        execution.machine,
        visit.name,
        state["Resource"],
        visit.attempt,
        execution.label,
        execution.index,
        None,
        lambda: None,
        engine.clock,
        engine.observer,
    )
    seconds = visit.field(state, "TimeoutSeconds")
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await engine.tasks[state["Resource"]](arguments, context)
    except TimeoutError as error:
        if deadline.expired():
            raise StatesError(TIMEOUT, f"The task did not end within {seconds} seconds.") from error
        raise


async def _parallel(visit: Visit) -> Any:
    state = visit.state
    value = visit.arguments(state, default=visit.input)
    frames = (
        Frame(visit.execution, branch, f"{visit.path}.{visit.attempt}:{number}", visit.item)
        for number, branch in enumerate(state["Branches"])
    )
    return await together((run_machine(frame, value, visit.variables) for frame in frames), len(state["Branches"]))


async def _map(visit: Visit) -> Any:
    processor = visit.state["ItemProcessor"]
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        from genomics_pipeline.engine.distributed_map.map_run import run_map

        return await run_map(visit)
    items = list(map_items(visit))
    limit = visit.field(visit.state, "MaxConcurrency") or _INLINE_CONCURRENCY
    iterations = (
        run_machine(
            Frame(visit.execution, processor, f"{visit.path}.{visit.attempt}:{place}", {"Item": item}),
            select(visit, item, item["Value"]),
            visit.variables,
        )
        for place, item in enumerate(items)
    )
    return await together(iterations, min(limit, len(items)))


def map_items(visit: Visit) -> Iterator[dict[str, Any]]:
    """``Map.Item`` of each item in the state's data: of ``Items``, or its input.

    Raises:
        StatesError: if that is no array or object.
    """
    state = visit.state
    found = visit.field(state, "Items", visit.input)
    if isinstance(found, dict):
        for place, (key, value) in enumerate(found.items()):
            yield {"Index": place, "Key": key, "Value": value, "Source": "STATE_DATA"}
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield {"Index": place, "Value": value, "Source": "STATE_DATA"}
    else:
        raise StatesError(
            QUERY_EVALUATION, f"The field 'Items' of the state '{visit.name}' must be an array or an object."
        )


def select(visit: Visit, item: Mapping[str, Any], value: Any) -> Any:
    """One iteration's input: ItemSelector's, or the item's value."""
    if "ItemSelector" not in visit.state:
        return value
    return visit.template(visit.state["ItemSelector"], "ItemSelector", {"Item": item})


async def together(work: Iterator[Coroutine[Any, Any, Any]], limit: int) -> list[Any]:
    """Results of all the work, in its order, at most `limit` at once; the first failure cancels the rest."""
    results: list[Any] = []
    numbered = enumerate(work)

    async def worker() -> None:
        for number, one in numbered:
            results.extend([None] * (number + 1 - len(results)))
            results[number] = await one

    await crew(worker, limit)
    return results


async def whole(work: Coroutine[Any, Any, None]) -> None:
    """Do work that a cancellation must not cut in two: it is done first, and cancelled then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


async def crew(worker: Callable[[], Coroutine[Any, Any, None]], size: int) -> None:
    """Run so many of the same worker to their end; the first failure cancels the rest and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


_SIMPLE: dict[str, Callable[[Visit], Awaitable[Step]]] = {
    "Pass": _pass,
    "Succeed": _pass,
    "Fail": _fail,
    "Wait": _wait,
    "Choice": _choice,
}
_WORK: dict[str, Callable[[Visit], Awaitable[Any]]] = {"Task": _task, "Parallel": _parallel, "Map": _map}
