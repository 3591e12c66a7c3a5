"""A document with one stage of another document, over one child, for a replay of a task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.language.jsonata.text import expression

FIRST = "ReplayedAttempt"  # the name of the state that gives the stage its earlier attempts
RESULTS = "EarlierResults"  # the name of the state that assigns the results of earlier Map Runs
_LEFT_OUT = frozenset({"Next", "Assign", "Catch", "ToleratedFailurePercentage", "ToleratedFailureCount"})


def single_stage(
    document: Mapping[str, Any],
    first: str,
    last: str,
    tried: Sequence[Mapping[str, Any]],
    results: Mapping[str, Sequence[Mapping[str, str]]],
) -> dict[str, Any]:
    """Return a document that runs a stage of a definition, as one attempt: the states of the definition, as they are.

    It fails where the definition would decide on another attempt. Where `first` is an earlier stage, the stages from
    that one on run.

    Args:
        document: A document of `generate`.
        first: The first stage that runs.
        last: The stage.
        tried: The attempts of the stage before this one, as the definition keeps them: ``class``, ``memory_mib``.
        results: ResultWriterDetails by Label, of the Map Runs before.

    Raises:
        LookupError: for a document that has no such stages.
    """
    variables = dict(_variables(document, results))
    assigned = {"Assign": variables} if variables else {}
    begin: dict[str, Any] = {RESULTS: {"Type": "Pass", **assigned, "Output": expression("$states.input")}}
    head = {"QueryLanguage": "JSONata", "StartAt": RESULTS}
    for state in distributed_maps(document):
        inner = state["ItemProcessor"]["States"]
        if last in inner:
            machine = _machine(inner, first, last, tried)
            one = {name: value for name, value in state.items() if name not in _LEFT_OUT}
            over = {**one, "ItemProcessor": {**state["ItemProcessor"], **machine}, "End": True}
            begin[RESULTS]["Next"] = state["Label"]
            return {**head, "States": {**begin, state["Label"]: over}}
    machine = _machine(document["States"], first, last, tried)
    begin[RESULTS]["Next"] = machine["StartAt"]
    return {**head, "States": {**begin, **machine["States"]}}


def _machine(states: Mapping[str, Any], first: str, last: str, tried: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the first state and the states of the stages from `first` to `last`, without their ends of failures."""
    chosen: dict[str, Any] = {}
    stage = first
    while last not in chosen:
        state = states[stage]
        if state["Type"] != "Task" or stage in chosen:
            raise LookupError(stage)
        end = {"End": True} if stage == last else {"Next": state["Next"]}
        chosen[stage] = {**{name: value for name, value in state.items() if name not in _LEFT_OUT | {"End"}}, **end}
        stage = state.get("Next", "")
    if not tried:
        return {"StartAt": first, "States": chosen}
    healing = json.dumps({"healing": {"stage": last, "tried": list(tried)}})
    attempt = {"Type": "Pass", "Output": expression(f"$merge([$states.input,{healing}])"), "Next": first}
    return {"StartAt": FIRST, "States": {FIRST: attempt, **chosen}}


def _variables(
    document: Mapping[str, Any], results: Mapping[str, Sequence[Mapping[str, str]]]
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield the variable of each Map, with the results of its Map Runs."""
    for state in document["States"].values():
        if state["Type"] == "Map":
            label = state.get("Label") or next(distributed_maps(state["ItemProcessor"]))["Label"]
            for variable in state.get("Assign", {}):
                yield variable, [dict(one) for one in results.get(label, ())]
