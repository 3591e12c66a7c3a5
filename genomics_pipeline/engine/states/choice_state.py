"""The Choice state: the first rule that matches decides on the next state, otherwise ``Default``."""

from __future__ import annotations

from dataclasses import replace

from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import RUNTIME, StatesError


async def run(visit: Visit) -> Transition:
    """Return the transition of the first rule that matches, or to ``Default``.

    Raises:
        StatesError: ``States.Runtime`` if no rule matches and there is no ``Default``. The documentation says
            ``States.NoChoiceMatched``; this name and cause were recorded on AWS.
    """
    for number, rule in enumerate(visit.state["Choices"]):
        prefix = f"Choices[{number}]/"
        if visit.language.condition(visit, rule, prefix):
            return Transition.of(visit.language.outcome_without_result(visit, rule, prefix), rule)
    if "Default" not in visit.state:
        raise StatesError(RUNTIME, "Failed to transition out of the state. The state does not point to a next state.")
    return replace(visit.transition(), next=visit.state["Default"])
