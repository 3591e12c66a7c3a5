"""The Map state: ``ItemProcessor`` runs for each item, inline or, in ``DISTRIBUTED`` mode, in child executions."""

from __future__ import annotations

import asyncio
from typing import Any

from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.states.attempts import run_attempts
from genomics_pipeline.engine.states.concurrency import run_workers
from genomics_pipeline.engine.states.map_items import items, processor, select
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model import quotas


async def run(visit: Visit) -> Transition:
    """Return the transition after all iterations, whose outputs are in the items' order."""
    if processor(visit.state).get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        return await run_attempts(visit, _run_inline)
    from genomics_pipeline.engine.distributed_map.distributed_state import run_distributed

    return await run_attempts(visit, run_distributed)


async def _run_inline(visit: Visit) -> Any:
    map_items = list(items(visit))
    visit.start({"length": len(map_items)})
    limit = visit.field(visit.state, "MaxConcurrency", 0) or quotas.INLINE_CONCURRENCY.value
    iterations = Iterations(visit, map_items)
    await run_workers(iterations.work, min(limit, len(map_items)))
    visit.trail.last = iterations.last
    visit.succeed()
    return iterations.outputs


class Iterations:
    """The iterations of one attempt of an inline Map.

    Attributes:
        outputs: Their outputs, in the items' order.
        last: The number of the last event of all of them, after which the Map continues.
    """

    def __init__(self, visit: Visit, map_items: list[dict[str, Any]]) -> None:
        self.outputs: list[Any] = [None] * len(map_items)
        self.last = self._started = visit.trail.last
        self._visit = visit
        self._remaining = iter(map_items)

    async def work(self) -> None:
        """Run iterations one after the other; the events of each follow those of the one before it."""
        visit, last = self._visit, self._started
        trail: Trail | None = None
        try:
            for item in self._remaining:
                trail = None
                value = select(visit, item)
                details = {"name": visit.name, "index": item["Index"]}
                trail = visit.trail.branch(last, details)
                trail.add("MapIterationStarted", "mapIterationStarted", details)
                await asyncio.sleep(0)  # concurrent iterations all start before the first one goes on
                path = f"{visit.attempt_path}:{item['Index']}"
                frame = Frame(visit.execution, processor(visit.state), trail, path, {"Item": item})
                self.outputs[item["Index"]] = await run_machine(frame, value, visit.variables)
                last = trail.last
                self.last = trail.add_side_event("MapIterationSucceeded", "mapIterationSucceeded", details)
                visit.trail.branches.remove(trail)
        except StatesError as error:
            visit.execution.aborted.append(f"{visit.attempt_path}:")
            visit.trail.end_branches(trail, silently=error.error == RUNTIME)
            raise
