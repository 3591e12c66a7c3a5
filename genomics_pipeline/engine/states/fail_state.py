"""The Fail state, which ends the machine with an error."""

from __future__ import annotations

from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import StatesError


async def run(visit: Visit) -> Transition:
    """Fail with ``Error`` and ``Cause``, or ``ErrorPath`` and ``CausePath``.

    Raises:
        StatesError: always.
    """
    error, cause = visit.field(visit.state, "Error", ""), visit.field(visit.state, "Cause")
    raise StatesError(error, cause, evaluation_failed=False)
