"""Parallel: ``Branches`` at the same time, each with the same input."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.engine.errors import BRANCH_FAILED, StatesError
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.states.attempts import attempts
from genomics_pipeline.engine.states.crew import together
from genomics_pipeline.engine.visit import Step, Visit


async def run(visit: Visit) -> Step:
    """The outputs of the branches, in their order."""
    return await attempts(visit, _branches)


async def _branches(visit: Visit) -> Any:
    state, trail = visit.state, visit.trail
    value = visit.arguments(state, default=visit.input)
    trail.add("ParallelStateStarted")
    frames = [
        Frame(visit.execution, branch, trail.branch(), f"{visit.path}.{visit.attempt}:{number}", visit.item)
        for number, branch in enumerate(state["Branches"])
    ]
    try:
        outputs = await together((run_machine(frame, value, visit.variables) for frame in frames), len(frames))
    except StatesError as error:
        trail.add("ParallelStateFailed", "executionFailed", {"error": error.error, "cause": error.cause})
        raise StatesError(error.error, error.cause, also=(*error.also, BRANCH_FAILED)) from error
    trail.last = max(frame.trail.last for frame in frames)
    trail.add("ParallelStateSucceeded")
    return outputs
