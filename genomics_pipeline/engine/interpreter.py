"""The interpreter, which runs a machine from state to state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from genomics_pipeline.engine.events import StateEntered
from genomics_pipeline.engine.execution import Execution
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.query_language import Node, QueryLanguage
from genomics_pipeline.model.json_text import decoded

# Types of states with effects: journaled, whereas states of the other types are evaluated again after a crash.
EFFECTS = frozenset({"Task", "Parallel", "Map", "Wait"})
_HANDING_ON = frozenset({"Pass", "Succeed"})
_WITHOUT_MEANING = frozenset({"Type", "Comment", "Next", "End", "QueryLanguage"})  # for the output


@dataclass(slots=True)
class Frame:
    """A running machine: that of an execution, of a branch of a Parallel, or of an iteration of an inline Map.

    Attributes:
        execution: The execution.
        machine: The machine: a node with ``StartAt`` and ``States``.
        trail: Its path through the history.
        path: Its identity in the journal.
        item: ``Map`` of the context object, in an iteration.
        visit: The visit to its current state.
    """

    execution: Execution
    machine: Node
    trail: Trail
    path: str = ""
    item: Mapping[str, Any] | None = None
    visit: Visit | None = None

    def redrive_state(self) -> dict[str, Any]:
        """Return the journal's members for the current state, from which a redrive continues."""
        if (visit := self.visit) is None:
            return {}
        step = int(visit.path.rpartition("/")[2])
        return {"state": {**self.record(step, visit.name, visit.raw, visit.variables), "entry": visit.entry()}}

    def record(self, step: int, name: str, value: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the journal's record of the next state.

        Args:
            step: The number of states before it.
            name: Its name.
            value: Its input.
            variables: The variables that it sees.
        """
        return {
            "frame": self.path,
            "step": step,
            "next": name,
            "input": value,
            "variables": variables,
            "transitions": self.execution.transitions,
        }


async def run_machine(frame: Frame, value: Any, variables: Mapping[str, Any]) -> Any:
    """Run a machine to its end; if the journal knows the frame, from its last journaled state.

    Args:
        frame: The machine to run.
        value: Its input; a `KeptJson` is decoded by the first state that looks at it.
        variables: The variables that its first state sees.

    Returns:
        The machine's output.

    Raises:
        StatesError: if a state failed and no catcher took the error.
    """
    execution, name, number, effects = frame.execution, frame.machine["StartAt"], 0, False
    entry: Mapping[str, Any] | None = None
    if before := execution.recorder.frame(frame.path):
        if "next" not in before:
            return before["output"]
        name, number, value, variables = before["next"], before["step"], before["input"], before["variables"]
        execution.transitions, effects = max(execution.transitions, before["transitions"]), True
        entry = before.get("entry")
    while True:
        state = frame.machine["States"][name]
        execution.transitions += 1
        transition = await _visit(frame, name, state, value, variables, number, entry)
        entry = None
        number += 1
        effects = effects or state["Type"] in EFFECTS
        if transition.next is None:
            if effects and frame.path:
                await execution.recorder.append({"frame": frame.path, "output": transition.output})
            return transition.output
        name, value, variables = transition.next, transition.output, transition.variables
        if state["Type"] in EFFECTS:
            await execution.recorder.append(frame.record(number, name, value, variables))
        if frame.path:
            await asyncio.sleep(0)  # branches and iterations take turns after each state, as on AWS


async def _visit(
    frame: Frame,
    name: str,
    state: Mapping[str, Any],
    value: Any,
    variables: Mapping[str, Any],
    number: int,
    entry: Mapping[str, Any] | None,
) -> Transition:
    execution, kind = frame.execution, state["Type"]
    language = query_language(state.get("QueryLanguage", execution.query_language))
    path, frame.visit = f"{frame.path}/{number}", None
    if not (is_handed_on := hands_on(state)):
        value = decoded(value)
    visit = Visit(execution, name, state, value, variables, path, language, frame.trail, frame.item, entry)
    frame.visit = visit
    execution.engine.observer(StateEntered(name, kind, 0, execution.label, execution.index))
    try:
        if is_handed_on:
            transition = Transition.of((value, variables), state)
        else:
            visit.input = language.input(visit)
            transition = await state_runner(kind)(visit)
        if transition.output is not value:
            visit.check_payload(transition.output)
    except StatesError as error:
        raise visit.report_failure(error) from error
    frame.trail.add(f"{kind}StateExited", "stateExited", transition.exit_details(name))
    frame.trail.state = None
    return transition


def hands_on(state: Mapping[str, Any]) -> bool:
    """Return whether the output of a state is its input as it is, whatever that is."""
    return state["Type"] in _HANDING_ON and state.keys() <= _WITHOUT_MEANING


def handing_on_chain(machine: Node) -> list[tuple[str, str]] | None:
    """Return the names and types of the states of a machine that all hand on their input; None for another machine."""
    chain: dict[str, str] = {}
    name: str | None = machine["StartAt"]
    while name is not None:
        state = machine["States"][name]
        if name in chain or not hands_on(state):  # a chain that is a circle does not end
            return None
        chain[name] = state["Type"]
        name = state.get("Next")
    return list(chain.items())


@cache
def state_runner(kind: str) -> Callable[[Visit], Awaitable[Transition]]:
    """Return the function that runs states of a type: ``run`` of ``engine/states/<type>_state.py``.

    Modules are imported on first use, which keeps the start of the program quick.
    """
    module = import_module(f"genomics_pipeline.engine.states.{kind.lower()}_state")
    run: Callable[[Visit], Awaitable[Transition]] = module.run
    return run


@cache
def query_language(name: str) -> QueryLanguage:
    """Return the query language of that name, imported on first use."""
    if name == "JSONata":
        from genomics_pipeline.language.jsonata.fields import JsonataFields

        return JsonataFields()
    from genomics_pipeline.language.jsonpath.fields import JsonPathFields

    return JsonPathFields()
