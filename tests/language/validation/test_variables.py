"""Which names the variables of inner scopes may have. AWS's words: radkawar/stackd, dataflow_execution.json."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.language.validation.validate import diagnose

PASS = {"Type": "Pass", "End": True}


def told(states: dict[str, Any], language: str = "JSONata") -> list[Diagnostic]:
    return diagnose({"QueryLanguage": language, "StartAt": next(iter(states)), "States": states})


def outer(name: str, then: dict[str, Any]) -> dict[str, Any]:
    return {"A": {"Type": "Pass", "Assign": {name: 1}, "Next": "B"}, "B": {**then, "End": True}}


def within(state: dict[str, Any], **config: str) -> dict[str, Any]:
    more = {"ProcessorConfig": config} if config else {}
    return {"Type": "Map", "ItemProcessor": {**more, "StartAt": "I", "States": {"I": state}}}


def shadows(name: str, path: str) -> Diagnostic:
    words = f"The variable name '{name}' was already defined in a parent scope."
    return Diagnostic("DUPLICATE_VARIABLE_NAME", words, path)


def test_a_branch_does_not_assign_a_name_of_its_parallel() -> None:
    branches = [{"StartAt": "I", "States": {"I": {**PASS, "Assign": {"x": 2, "y": 2}}}}]
    expected = [shadows("x", "/States/B/Branches[0]/States/I/Assign/x")]
    assert told(outer("x", {"Type": "Parallel", "Branches": branches})) == expected


def test_nor_does_an_iteration_however_deep() -> None:
    inner = within({**PASS, "Assign": {"x": 2}})
    inner["ItemProcessor"]["StartAt"] = "J"
    inner["ItemProcessor"]["States"] = {"J": inner["ItemProcessor"]["States"]["I"]}
    expected = [shadows("x", "/States/B/ItemProcessor/States/I/ItemProcessor/States/J/Assign/x")]
    assert told(outer("x", within({**inner, "End": True}))) == expected


def test_paths_are_not_part_of_the_name() -> None:
    told_of = told(outer("x", within({**PASS, "Assign": {"x.$": "$"}})), "JSONPath")
    assert told_of == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x.$")]


def test_choices_and_catchers_assign_too() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Assign": {"x": 1}, "Next": "B"}]}
    states = {"A": choice, "B": {**within({**PASS, "Assign": {"x": 2}}), "End": True}}
    assert told(states) == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x")]
    catch = [{"ErrorEquals": ["E"], "Assign": {"x": 1}, "Next": "C"}]
    states = {"B": {**within({**PASS, "Assign": {"x": 2}}), "Catch": catch, "End": True}, "C": PASS}
    assert told(states) == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x")]


def test_siblings_may_have_the_same_names() -> None:
    branches = [{"StartAt": name, "States": {name: {**PASS, "Assign": {"x": 2}}}} for name in "IJ"]
    assert told({"B": {"Type": "Parallel", "Branches": branches, "End": True}}) == []


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_distributed_map_starts_anew(kind: str) -> None:
    inner = within({**PASS, "Assign": {"x": 2}}, Mode="DISTRIBUTED", ExecutionType=kind)
    assert told(outer("x", inner)) == []
