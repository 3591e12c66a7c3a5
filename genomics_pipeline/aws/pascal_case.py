"""Arguments and answers of a service as Step Functions spells them (``JobName``), and as botocore does (``jobName``).

Step Functions writes every member in PascalCase, whatever the service calls it (developer guide, "Integrating
services"); which texts are members and which are a user's keys, such as the names of parameters, only the service's
model knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape


class UnknownMember(Exception):
    """An argument that the operation does not have."""


def to_service(shape: Shape, value: Any) -> Any:
    """Return the arguments of a Task as botocore takes them.

    Raises:
        UnknownMember: with the name in the Task.
    """
    return _rename_members(shape, value, lambda shape: {_pascal(name): name for name in shape.members})


def from_service(shape: Shape, value: Any) -> Any:
    """Return an answer of botocore as the result of a Task."""
    return _rename_members(shape, value, lambda shape: {name: _pascal(name) for name in shape.members})


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _rename_members(shape: Any, value: Any, names: Callable[[Any], Mapping[str, str]]) -> Any:
    """Return a value with its members renamed; the service refuses what has not the type of the model."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        known, renamed = names(shape), {}
        for name, member in value.items():
            if name not in known:
                raise UnknownMember(name)
            inner = next(one for key, one in shape.members.items() if key in (name, known[name]))
            renamed[known[name]] = _rename_members(inner, member, names)
        return renamed
    if shape.type_name == "list" and isinstance(value, list):
        return [_rename_members(shape.member, one, names) for one in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: _rename_members(shape.value, one, names) for name, one in value.items()}
    return value
