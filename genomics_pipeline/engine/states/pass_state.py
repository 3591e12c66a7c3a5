"""Pass: its input, or what it makes of it."""

from __future__ import annotations

from genomics_pipeline.engine.visit import Transition, Visit


async def run(visit: Visit) -> Transition:
    """Evaluate ``Result``, ``Parameters``, ``ResultPath`` in JSONPath; ``Output``, ``Assign`` in JSONata."""
    return visit.transition()
