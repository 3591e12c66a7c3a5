"""Checks of the fields of each kind of object, as ``schemas/asl.schema.json`` declares them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from genomics_pipeline.language.validation.diagnostics import SCHEMA, Diagnostic


@cache
def _schema() -> dict[str, Any]:
    text = resources.files("genomics_pipeline.schemas").joinpath("asl.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(name: str, language: str) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    from genomics_pipeline.language.validation.keywords import keywords

    words = extend(Draft202012Validator, keywords(language))  # type: ignore[no-untyped-call]
    return words({**_schema(), "$ref": f"#/$defs/{name}"})


def fields(name: str) -> dict[str, Any]:
    """Return the declared fields of a kind of object, such as ``Task``, ``ChoiceRule`` or ``Retrier``."""
    declared: dict[str, Any] = _schema()["$defs"][name]["properties"]
    return declared


def check_shape(name: str, node: Any, path: str, language: str) -> Iterator[Diagnostic]:
    """Yield the problems of one object's fields.

    Args:
        name: The kind of object.
        node: The object, or a JSON value of another type in its place.
        path: The path to it.
        language: Its state's query language.
    """
    for error in _validator(name, language).iter_errors(node):
        error_path = path + "".join(f"[{key}]" if isinstance(key, int) else f"/{key}" for key in error.absolute_path)
        yield Diagnostic(getattr(error, "code", SCHEMA), error.message, error_path or "/")
