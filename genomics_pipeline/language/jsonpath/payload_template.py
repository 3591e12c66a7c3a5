"""Payload templates: JSON in which the value of a key ``name.$`` is a path or an intrinsic function."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.language.jsonpath import intrinsics, path
from genomics_pipeline.language.jsonpath.scope import PathScope

_PATH_SUFFIX = ".$"
_EXPECTED = "must be a valid JSONPath or a valid intrinsic function call"


def fill(template: Any, scope: PathScope, field: str) -> Any:
    """Return the value of a payload template.

    >>> fill({"n.$": "$.count", "s": "$.count"}, PathScope({"count": 2}), "Parameters")
    {'n': 2, 's': '$.count'}

    Args:
        template: Any JSON value of a document.
        scope: The data that its paths refer to.
        field: The field that contains it. AWS's causes name only the key.

    Raises:
        StatesError: ``States.Runtime``.
    """
    if isinstance(template, dict):
        return dict(_fill_member(key, value, scope, field) for key, value in template.items())
    if isinstance(template, list):
        return [fill(value, scope, field) for value in template]
    return template


def _fill_member(key: str, value: Any, scope: PathScope, field: str) -> tuple[str, Any]:
    if not key.endswith(_PATH_SUFFIX):
        return key, fill(value, scope, field)
    if isinstance(value, str) and intrinsics.is_intrinsic(value):
        return key[:-2], intrinsics.evaluate(value, scope, key)
    if isinstance(value, str) and value.startswith("$"):
        found = path.find(value, scope, key)
        scope.budget.add(found, key)
        return key[:-2], found
    raise StatesError(RUNTIME, f"The value for the field '{key}' {_EXPECTED} at {field}")
