"""The Pass state, which passes its input on, as it is or transformed."""

from __future__ import annotations

from genomics_pipeline.engine.visit import Transition, Visit


async def run(visit: Visit) -> Transition:
    """Evaluate ``Result``, ``Parameters`` and ``ResultPath`` in JSONPath, ``Output`` and ``Assign`` in JSONata."""
    return visit.transition()
