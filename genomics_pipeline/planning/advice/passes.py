"""Rule for Pass states that only reshape data, which a neighbouring state does without a transition of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.language.walker import JSONATA, StateNode
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity

# Functions whose value the first Task cannot draw itself where a later state needs the same one.
_DRAWS = re.compile(r"States\.(?:UUID|MathRandom)\(|\$(?:uuid|random)\(")


def check_passes(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield Pass states of STANDARD executions that another state could replace."""
    looping = {
        state.path
        for machine in definition.machines
        for loop in definition.graphs[machine.path].loops()
        for state in loop
    }
    for state in definition.of_kind("Pass"):
        if state.machine.express or not _is_replaceable(definition, state, looping):
            continue
        per = "execution" if definition.distributed_map(state) is None else "item"
        why = (
            "A Pass state is a paid state transition. "
            "Assign and Output of the states around it (in JSONPath: Assign, ResultSelector, Parameters) "
            "reshape data without one."
        )
        severity = Severity.WARNING if per == "item" else None
        yield Remark(state.path, why, Saving("", 1, per), severity)


def _is_replaceable(definition: ReadDefinition, state: StateNode, looping: set[str]) -> bool:
    graph = definition.graph(state)
    if len(graph.states) == 1:
        return False
    before, after = graph.preceding.get(state.name, ()), graph.following[state.name]
    if not after and any(source.kind == "Choice" or state.name in graph.caught[source.name] for source in before):
        return False  # Choices and catchers need a state that ends the execution
    if state.name == graph.start and after:
        # What is set before a loop cannot be set inside it, and a Choice, Succeed or ItemsPath has no place for it.
        target = graph.states[after[0]]
        has_place = target.kind in ("Task", "Pass") or (target.kind == "Map" and target.language == JSONATA)
        return has_place and target.path not in looping and not _DRAWS.search(str(state.node))
    return True


RULES = (AdviceRule("reshaping-pass", Severity.NOTE, check_passes),)
