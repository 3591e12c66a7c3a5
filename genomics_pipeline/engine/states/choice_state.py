"""Choice: the first rule that matches leads on, or ``Default``."""

from __future__ import annotations

from genomics_pipeline.engine.errors import NO_CHOICE_MATCHED, StatesError
from genomics_pipeline.engine.visit import Step, Visit


async def run(visit: Visit) -> Step:
    """``Choices`` in their order.

    Raises:
        StatesError: ``States.NoChoiceMatched``.
    """
    for number, rule in enumerate(visit.state["Choices"]):
        at = f"Choices[{number}]/"
        if visit.language.condition(visit, rule, at):
            return Step.of(visit.language.passed(visit, rule, at), rule)
    if "Default" not in visit.state:
        raise StatesError(NO_CHOICE_MATCHED, f"No Choices matched and no Default was given in state '{visit.name}'.")
    step = visit.passed()
    return Step(step.output, step.variables, visit.state["Default"])
