"""Validation as a whole: valid documents pass, no document raises, and problems are in the document's order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.language.validation.shapes import fields
from genomics_pipeline.language.validation.validate import MAX_DEPTH, STATE_TYPES, diagnose
from genomics_pipeline.model import quotas

HERE = Path(__file__).parent
GOLDEN = sorted((HERE.parents[1] / "golden").glob("*.json"))
GOOD = {
    f"{language}:{name}": document
    for language in ("jsonata", "jsonpath")
    for name, document in json.loads((HERE / f"good_{language}.json").read_text("utf-8")).items()
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = sorted({"StartAt", "States"}.union(*(fields(kind) for kind in (*STATE_TYPES, "Retrier", "ReaderConfig"))))
WORDS = st.sampled_from([*STATE_TYPES, "JSONata", "JSONPath", "$.a", "$$", "{% $x %}", "{% (", "States.ALL", "", -1, 0])


@pytest.mark.parametrize("name", GOOD)
def test_valid_documents_pass(name: str) -> None:
    assert diagnose(GOOD[name]) == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_definitions_pass(path: Path) -> None:
    assert diagnose(json.loads(path.read_text("utf-8"))) == []


def test_every_field_is_used_in_a_valid_document() -> None:
    used: set[str] = set()

    def walk(value: Any) -> None:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)
        used.update(value if isinstance(value, dict) else ())

    walk(GOOD)
    kinds = (*STATE_TYPES, "StateMachine", "Branch", "ItemProcessor", "ItemReader", "ReaderConfig")
    declared = set().union(*(fields(kind) for kind in (*kinds, "ItemBatcher", "ResultWriter", "Retrier", "Catcher")))
    assert declared - used == set()


@pytest.mark.parametrize("document", [None, True, 1, "", "not a definition", []])
def test_a_definition_is_an_object(document: Any) -> None:
    # localstack/localstack, test_sfn_api_validation.snapshot.json, EMPTY_STRING: without a location
    assert diagnose(document) == [
        Diagnostic("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", "", "ERROR")
    ]


def test_problems_are_in_the_documents_order(check: Callable[..., list[str]]) -> None:
    """Check one problem of each rule; a problem without a path comes last."""
    states = {
        "S": {
            "Retry": [{"ErrorEquals": []}],
            "Resource": "echo",
            "Arguments": "{% 1 + %}",
            "Next": "No",
            "Type": "Task",
        },
        "Map": {"Type": "Map", "Label": "a b", "ItemProcessor": {"StartAt": "S", "States": {"S": 1}}, "Next": "S"},
    }
    assert check("jsonata:task", "States", states) == [
        "/States/S/Retry[0]/ErrorEquals: Value cannot be empty",
        "/States/S/Resource: Value is not a valid resource ARN",
        "/States/S/Arguments: INVALID_JSONATA_EXPRESSION: Unexpected end of expression",
        "/States/S/Next: MISSING_TRANSITION_TARGET: Missing 'Next' target: No",
        "/States/Map: Field 'Label' is not supported in INLINE mode; it needs ProcessorConfig.Mode DISTRIBUTED",
        "/States/Map/Label: INVALID_LABEL_NAME: Label 'a b' contains the invalid character ' '",
        "/States/Map/ItemProcessor/States/S: Expected value of type [OBJECT]",
        "/States/Map/ItemProcessor/States/S: DUPLICATE_STATE_NAME: Duplicate State name: S",
        ": MISSING_END_STATE: Workflow has no terminal state",
    ]


def test_the_size_of_a_definition_is_limited(check: Callable[..., list[str]]) -> None:
    rest = len(json.dumps({**GOOD["jsonata:every comment"], "Comment": ""}, separators=(",", ":")))
    assert check("jsonata:every comment", "Comment", "é" * (quotas.DEFINITION.value - rest)) == []
    assert check("jsonata:every comment", "Comment", "é" * (quotas.DEFINITION.value - rest + 1)) == [
        "/: A definition may have at most 1048576 characters, found 1048577"
    ]


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_the_depth_of_a_definition_is_limited(check: Callable[..., list[str]]) -> None:
    place = "States/S/Output"
    assert check("jsonata:pass", place, nest(MAX_DEPTH - 3)) == []
    expected = ["/: TOO_DEEPLY_NESTED: The states are too deeply nested."]
    assert check("jsonata:pass", place, nest(MAX_DEPTH - 2)) == expected
    assert [problem.code for problem in diagnose({"States": nest(100_000)})] == ["TOO_DEEPLY_NESTED"]


def test_a_deeply_nested_expression_is_a_problem(check: Callable[..., list[str]]) -> None:
    lines = check("jsonata:pass", "States/S/Output", f"{{% {'(' * 5000} %}}")
    assert [line.split(": ")[:2] for line in lines] == [["/States/S/Output", "INVALID_JSONATA_EXPRESSION"]]


@given(JSON)
def test_any_json_value_is_diagnosed(value: Any) -> None:
    assert all(isinstance(problem, Diagnostic) for problem in diagnose(value))


@given(JSON, st.sampled_from(NAMES), st.sampled_from([*STATE_TYPES, ""]))
def test_any_value_of_any_field_is_diagnosed(value: Any, field: str, kind: str) -> None:
    state = {"Type": kind, "ItemProcessor": value, field: value}
    for document in ({"StartAt": "S", "States": {"S": state}}, {"StartAt": "S", "States": {"S": value}, field: value}):
        for language in ("JSONata", "JSONPath"):
            assert all(isinstance(problem, Diagnostic) for problem in diagnose({"QueryLanguage": language, **document}))


def paths_of(value: Any, parents: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, part in inner for path in [(*parents, key), *paths_of(part, (*parents, key))]]


@given(st.data())
def test_any_changes_to_a_valid_document_are_diagnosed(data: st.DataObject) -> None:
    document = json.loads(json.dumps(GOOD[data.draw(st.sampled_from(sorted(GOOD)))]))
    for _ in range(data.draw(st.integers(1, 3))):
        paths = paths_of(document)
        if not paths:
            break
        *parents, last = data.draw(st.sampled_from(paths))
        node = document
        for key in parents:
            node = node[key]
        operation = data.draw(st.sampled_from(["delete", "replace", "rename"]))
        if operation == "replace" or (operation == "rename" and isinstance(node, list)):
            node[last] = data.draw(WORDS | JSON)
        else:
            value = node.pop(last)
            if operation == "rename":
                node[data.draw(st.sampled_from(NAMES) | st.text(max_size=5))] = value
    for express in (False, True):
        problems = diagnose(document, express=express)
        assert all(problem.code and problem.message and problem.severity == "ERROR" for problem in problems)
