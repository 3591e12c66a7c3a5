"""The validator: the same verdicts as the package jsonschema, and words that are no keywords."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from genomics_pipeline.model.json_schema import KEYWORDS, Validator, Violation

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    "step": sorted(ROOT.glob("steps/*/step.toml")),
    "pipeline": sorted(ROOT.glob("pipelines/*.toml")),
}
TEXTS = ("", "a", "A b", "fastq", "sample", "host_lost")
NUMBERS = (0, 1, -1, 5, 11, 1e9, 2.0, 2.5)
ARRAYS: tuple[Any, ...] = ([], [1], [1, True], [1, 1.0], ["fastq", "fastq"], ["", 3], [5] * 11)
OBJECTS: tuple[Any, ...] = ({}, {"a": 1}, {"fastq": -1}, {"type": "file"}, {"path": "x"})
VALUES = st.sampled_from([None, True, False, *TEXTS, *NUMBERS, *ARRAYS, *OBJECTS]).map(copy.deepcopy)
NAMES = st.sampled_from(["type", "minimum", "retry", "fastq", "unknown", "resources", "memory_mib", "bases"])


def read_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(
        resources.files("genomics_pipeline.schemas").joinpath(f"{name}.schema.json").read_text("utf-8")
    )
    return schema


def containers(value: Any) -> Iterator[Any]:
    """Yield all objects and arrays of a document."""
    if isinstance(value, dict | list):
        yield value
        for member in value.values() if isinstance(value, dict) else value:
            yield from containers(member)


@st.composite
def changed_documents(draw: st.DrawFn, name: str) -> Any:
    """Return a shipped file in which a few values are replaced, added or removed."""
    document = copy.deepcopy(tomllib.loads(draw(st.sampled_from(DOCUMENTS[name])).read_text()))
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from(list(containers(document))))
        if isinstance(target, list):
            target.append(draw(VALUES))
            continue
        key = draw(st.sampled_from([*target, draw(NAMES)]))
        if key in target and draw(st.booleans()):
            del target[key]
        else:
            target[key] = draw(VALUES)
    return document


def theirs(schema: dict[str, Any], document: Any) -> set[tuple[tuple[str | int, ...], str]]:
    """Return path and keyword of each error of jsonschema; a forbidden name belongs to the path here."""
    errors = set()
    for error in Draft202012Validator(schema).iter_errors(document):
        named = "propertyNames" in error.absolute_schema_path
        path = (*error.absolute_path, *([str(error.instance)] if named else []))
        errors.add((path, str(error.validator)))
    return errors


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@given(data=st.data())
def test_verdicts_are_those_of_jsonschema(name: str, data: st.DataObject) -> None:
    schema, document = read_schema(name), data.draw(changed_documents(name))
    ours = {(violation.path, violation.keyword) for violation in Validator(schema, KEYWORDS).violations(document)}
    assert ours == theirs(schema, document)


@pytest.mark.parametrize(
    ("schema", "value", "broken"),
    [
        ({"type": "integer"}, True, True),
        ({"type": "integer"}, 2.0, False),
        ({"type": ["number", "null"]}, None, False),
        ({"exclusiveMinimum": 0}, 0, True),
        ({"exclusiveMinimum": 0}, "0", False),
        ({"maximum": 1}, 1, False),
        ({"maxItems": 1}, [1, 2], True),
        ({"minLength": 1}, "", True),
        ({"pattern": "a+"}, "aab", True),
        ({"pattern": "^a$"}, "a\n", True),
        ({"uniqueItems": True}, [1, True, "1"], False),
        ({"uniqueItems": True}, [[1], [1]], True),
        ({"additionalProperties": {"type": "string"}, "properties": {"a": {}}}, {"a": 1, "b": "x"}, False),
    ],
)
def test_keywords(schema: dict[str, Any], value: Any, broken: bool) -> None:
    assert bool(list(Validator(schema, KEYWORDS).violations(value))) is broken


def test_a_violation_names_what_is_missing_or_not_allowed() -> None:
    schema = {"required": ["a", "b", "c"], "additionalProperties": False, "properties": {key: {} for key in "abc"}}
    nested = {"items": schema}
    found = list(Validator(nested, KEYWORDS).violations([{"a": 1, "b": 2, "c": 3}, {"b": 1, "x": 2, "y": 3}]))
    assert found == [
        Violation("required", ["a", "c"], {"b": 1, "x": 2, "y": 3}, schema, (1,)),
        Violation("additionalProperties", ["x", "y"], {"b": 1, "x": 2, "y": 3}, schema, (1,)),
    ]


def test_a_word_that_is_no_keyword_is_an_error() -> None:
    with pytest.raises(KeyError, match="maxLength"):
        list(Validator({"maxLength": 3}, KEYWORDS).violations("abcd"))
