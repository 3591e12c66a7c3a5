"""Map: ``ItemProcessor`` for each item; inline here, in children of their own where its ``Mode`` is DISTRIBUTED."""

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
    """Return the outputs of the iterations, in the items' order; see `distributed_map.map_run` for the others."""
    if processor(visit.state).get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        return await run_attempts(visit, _inline)
    from genomics_pipeline.engine.distributed_map.map_run import run_map

    return await run_attempts(visit, run_map)


async def _inline(visit: Visit) -> Any:
    found = list(items(visit))
    visit.start({"length": len(found)})
    limit = visit.field(visit.state, "MaxConcurrency", 0) or quotas.INLINE_CONCURRENCY.value
    iterations = Iterations(visit, found)
    await run_workers(iterations.work, min(limit, len(found)))
    visit.trail.last = iterations.last
    visit.succeed()
    return iterations.outputs


class Iterations:
    """The iterations of one attempt.

    Attributes:
        outputs: What they gave.
        last: The last event of all of them, by which the Map goes on.
    """

    def __init__(self, visit: Visit, found: list[dict[str, Any]]) -> None:
        self.outputs: list[Any] = [None] * len(found)
        self.last = self._started = visit.trail.last
        self._visit = visit
        self._left = iter(found)

    async def work(self) -> None:
        """One after the other: an iteration follows the one whose place it takes."""
        visit, last = self._visit, self._started
        trail: Trail | None = None
        try:
            for item in self._left:
                trail = None
                value = select(visit, item)
                told = {"name": visit.name, "index": item["Index"]}
                trail = visit.trail.branch(last, told)
                trail.add("MapIterationStarted", "mapIterationStarted", told)
                await asyncio.sleep(0)  # all that may start do so before one goes on
                path = f"{visit.attempt_path}:{item['Index']}"
                frame = Frame(visit.execution, processor(visit.state), trail, path, {"Item": item})
                self.outputs[item["Index"]] = await run_machine(frame, value, visit.variables)
                last = trail.last
                self.last = trail.add_side_event("MapIterationSucceeded", "mapIterationSucceeded", told)
                visit.trail.branches.remove(trail)
        except StatesError as error:
            visit.trail.end_branches(trail, silently=error.error == RUNTIME)
            raise
