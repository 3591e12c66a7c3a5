"""The Wait state, with ``Seconds``, ``Timestamp`` and their ``Path`` forms."""

from __future__ import annotations

from datetime import datetime

from genomics_pipeline.engine.visit import Transition, Visit


async def run(visit: Visit) -> Transition:
    """Wait, then pass the input on; a timestamp in the past means no wait."""
    clock = visit.execution.engine.clock
    until = visit.field(visit.state, "Timestamp")
    if until is None:
        seconds = visit.field(visit.state, "Seconds")
    else:
        seconds = datetime.fromisoformat(until).timestamp() - clock.now()
    await clock.sleep(max(seconds, 0))
    return visit.transition()
