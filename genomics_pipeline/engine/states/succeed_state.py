"""The Succeed state, which ends the machine."""

from __future__ import annotations

from genomics_pipeline.engine.visit import Transition, Visit


async def run(visit: Visit) -> Transition:
    """End the machine with the state's output."""
    return visit.transition()
