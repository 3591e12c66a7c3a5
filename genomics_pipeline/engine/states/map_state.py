"""Map: ``ItemProcessor`` for each item; inline here, in children of their own where its ``Mode`` is DISTRIBUTED."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.errors import StatesError
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.states.attempts import attempts
from genomics_pipeline.engine.states.crew import together
from genomics_pipeline.engine.visit import Step, Visit

INLINE_CONCURRENCY = 40  # AWS's, where MaxConcurrency sets none

Item = Mapping[str, Any]


async def run(visit: Visit) -> Step:
    """The outputs of the iterations, in the items' order; of a Distributed Map, see `distributed_map.map_run`."""
    if processor(visit.state).get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        return await attempts(visit, _inline)
    from genomics_pipeline.engine.distributed_map.map_run import run_map

    return await attempts(visit, run_map)


def processor(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """``ItemProcessor``, or ``Iterator``, as it was once called."""
    found: Mapping[str, Any] = state["ItemProcessor"] if "ItemProcessor" in state else state["Iterator"]
    return found


async def _inline(visit: Visit) -> Any:
    found = list(items(visit))
    visit.trail.add("MapStateStarted", "mapStateStarted", {"length": len(found)})
    limit = visit.field(visit.state, "MaxConcurrency", 0) or INLINE_CONCURRENCY
    outputs = await together((_iteration(visit, item) for item in found), min(limit, len(found)))
    visit.trail.last = visit.trail.history.last
    visit.trail.add("MapStateSucceeded")
    return outputs


async def _iteration(visit: Visit, item: Item) -> Any:
    told = {"name": visit.name, "index": item["Index"]}
    trail = visit.trail.branch()
    trail.add("MapIterationStarted", "mapIterationStarted", told)
    path = f"{visit.path}.{visit.attempt}:{item['Index']}"
    frame = Frame(visit.execution, processor(visit.state), trail, path, {"Item": item})
    try:
        output = await run_machine(frame, select(visit, item), visit.variables)
    except StatesError:
        trail.add("MapIterationFailed", "mapIterationFailed", told)
        visit.trail.last = trail.last
        raise
    trail.add("MapIterationSucceeded", "mapIterationSucceeded", told)
    return output


def items(visit: Visit) -> Iterator[dict[str, Any]]:
    """``Map.Item`` of each item in the state's data: ``Items``, ``ItemsPath``, or its input.

    Raises:
        StatesError: if that is no array or object.
    """
    found = visit.language.items(visit)
    if isinstance(found, dict):
        for place, (key, value) in enumerate(found.items()):
            yield {"Index": place, "Key": key, "Value": value, "Source": "STATE_DATA"}
    else:
        for place, value in enumerate(found):
            yield {"Index": place, "Value": value, "Source": "STATE_DATA"}


def select(visit: Visit, item: Item) -> Any:
    """``ItemSelector`` (once called ``Parameters``): one iteration's input; the item's value where there is none."""
    state = visit.state
    name = "ItemSelector" if "ItemSelector" in state else "Parameters"
    if name not in state:
        return item["Value"]
    return visit.template(state[name], name, {"Item": item})
