"""The states around a stage that a run may leave out: the Choice before it, and the end of a machine without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.jsonata.text import expression, literal
from genomics_pipeline.model.pipeline import Stage

CHOICE = "Chosen"  # behind the name of the stage: a Choice
LEFT_OUT = "LeftOut"  # likewise: the end of an execution without the stage, if that is the last


def first_state(stage: Stage) -> str:
    """Return the name of the state with which a stage begins."""
    return f"{stage.name}{CHOICE}" if stage.when else stage.name


def optional_states(stage: Stage, following: str | None) -> dict[str, Any]:
    """Return the states before a stage, and in its place where it is the last; none for a stage of every run.

    The execution's input lists the optional stages that run, so that the document is the same for every run.

    Args:
        stage: The stage.
        following: The state after it; None for the last stage.
    """
    if not stage.when:
        return {}
    without = following or f"{stage.name}{LEFT_OUT}"
    condition = expression(f"{literal(stage.name)} in $states.input.optional")
    choice = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": stage.name}], "Default": without}
    return {first_state(stage): choice, **({} if following else {without: {"Type": "Succeed"}})}


def is_optional(task: str, states: Mapping[str, Any]) -> bool:
    """Return whether a Task of a document's states may be left out."""
    return f"{task}{CHOICE}" in states
