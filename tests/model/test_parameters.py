from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.parameters import ParameterSpec, Value, misfit, parse_value, resolve


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "a=b.c", "a=b.c"),
        ("integer", "-3", -3),
        ("number", "7", 7),
        ("number", "7.5", 7.5),
        ("boolean", "True", True),
        ("file", "../a.bed", "/here/../a.bed"),
        ("file", "/x/a.bed", "/x/a.bed"),
        ("file", "s3://b/a.bed", "s3://b/a.bed"),
    ],
)
def test_texts_are_parsed_by_type(kind: str, text: str, value: Value) -> None:
    parsed = parse_value(ParameterSpec("p", kind, "of any kind"), text, "/here")
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", True), ("number", False), ("boolean", 1), ("integer", 1.0), ("string", 1), ("file", "")],
)
def test_values_of_another_type_do_not_fit(kind: str, value: object) -> None:
    assert misfit(ParameterSpec("p", kind, "of any kind"), value) is not None


def test_parameters_are_resolved_in_the_order_of_the_step() -> None:
    specs = {
        "b": ParameterSpec("b", "integer", "copies", default=2, minimum=1),
        "a": ParameterSpec("a", "file", "a file that may be left out"),
    }
    assert list(resolve(specs, {"a": "/x"}).items()) == [("b", 2), ("a", "/x")]
    assert resolve(specs, {"b": None, "a": None}) == {"b": None, "a": None}
    with pytest.raises(UsageError) as error:
        resolve(specs, {"c": 1, "b": 0})
    assert str(error.value) == "c: unknown parameter 'c'; known: b, a\nb: expected an integer >= 1, found 0"
