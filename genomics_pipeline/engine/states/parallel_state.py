"""The Parallel state: ``Branches`` run concurrently, all with the same input."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.states.attempts import run_attempts
from genomics_pipeline.engine.states.concurrency import run_all
from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import BRANCH_FAILED, RUNTIME, StatesError


async def run(visit: Visit) -> Transition:
    """Return the transition after all branches, whose outputs are in their order."""
    return await run_attempts(visit, _run_branches)


async def _run_branches(visit: Visit) -> Any:
    value = visit.arguments(visit.state, default=visit.input)
    trail, path = visit.trail, visit.attempt_path
    visit.start()
    frames = [
        Frame(visit.execution, branch, trail.branch(), f"{path}:{number}", visit.item)
        for number, branch in enumerate(visit.state["Branches"])
    ]

    async def run_branch(frame: Frame) -> Any:
        try:
            return await run_machine(frame, value, visit.variables)
        except StatesError as error:
            visit.execution.aborted.append(f"{path}:")
            trail.end_branches(frame.trail, silently=error.error == RUNTIME)
            raise error.with_final_cause(BRANCH_FAILED) from error

    outputs = await run_all((run_branch(frame) for frame in frames), len(frames))
    trail.branches = []
    trail.last = max(frame.trail.last for frame in frames)
    visit.succeed()
    return outputs
