"""Names of variables in inner scopes. AWS's messages: radkawar/stackd, dataflow_execution.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.language.validation.validate import diagnose

PASS = {"Type": "Pass", "End": True}


def problems(states: dict[str, Any], language: str = "JSONata") -> list[Diagnostic]:
    return diagnose({"QueryLanguage": language, "StartAt": next(iter(states)), "States": states})


def after_assign(name: str, then: dict[str, Any]) -> dict[str, Any]:
    return {"A": {"Type": "Pass", "Assign": {name: 1}, "Next": "B"}, "B": {**then, "End": True}}


def map_over(state: dict[str, Any], **config: str) -> dict[str, Any]:
    more = {"ProcessorConfig": config} if config else {}
    return {"Type": "Map", "ItemProcessor": {**more, "StartAt": "I", "States": {"I": state}}}


def shadows(name: str, path: str) -> Diagnostic:
    words = f"The variable name '{name}' was already defined in a parent scope."
    return Diagnostic("DUPLICATE_VARIABLE_NAME", words, path)


def test_a_branch_must_not_assign_an_outer_name() -> None:
    branches = [{"StartAt": "I", "States": {"I": {**PASS, "Assign": {"x": 2, "y": 2}}}}]
    expected = [shadows("x", "/States/B/Branches[0]/States/I/Assign/x")]
    assert problems(after_assign("x", {"Type": "Parallel", "Branches": branches})) == expected


def test_an_iteration_at_any_depth_must_not_assign_an_outer_name() -> None:
    inner = map_over({**PASS, "Assign": {"x": 2}})
    inner["ItemProcessor"]["StartAt"] = "J"
    inner["ItemProcessor"]["States"] = {"J": inner["ItemProcessor"]["States"]["I"]}
    expected = [shadows("x", "/States/B/ItemProcessor/States/I/ItemProcessor/States/J/Assign/x")]
    assert problems(after_assign("x", map_over({**inner, "End": True}))) == expected


def test_the_path_suffix_is_not_part_of_a_name() -> None:
    actual = problems(after_assign("x", map_over({**PASS, "Assign": {"x.$": "$"}})), "JSONPath")
    assert actual == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x.$")]


def test_choices_and_catchers_assign_variables() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Assign": {"x": 1}, "Next": "B"}]}
    states = {"A": choice, "B": {**map_over({**PASS, "Assign": {"x": 2}}), "End": True}}
    assert problems(states) == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x")]
    catch = [{"ErrorEquals": ["E"], "Assign": {"x": 1}, "Next": "C"}]
    states = {"B": {**map_over({**PASS, "Assign": {"x": 2}}), "Catch": catch, "End": True}, "C": PASS}
    assert problems(states) == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x")]


def test_branches_may_assign_the_same_names() -> None:
    branches = [{"StartAt": name, "States": {name: {**PASS, "Assign": {"x": 2}}}} for name in "IJ"]
    assert problems({"B": {"Type": "Parallel", "Branches": branches, "End": True}}) == []


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_distributed_map_must_not_assign_outer_names(kind: str) -> None:
    inner = map_over({**PASS, "Assign": {"x": 2}}, Mode="DISTRIBUTED", ExecutionType=kind)
    assert problems(after_assign("x", inner)) == [shadows("x", "/States/B/ItemProcessor/States/I/Assign/x")]


def test_maps_beside_each_other_may_assign_the_same_names() -> None:
    inner = map_over({**PASS, "Assign": {"x": 2}}, Mode="DISTRIBUTED", ExecutionType="STANDARD")
    second = json.loads(json.dumps(inner).replace('"I"', '"J"'))
    assert problems({"A": {**inner, "Next": "B"}, "B": {**second, "End": True}}) == []
