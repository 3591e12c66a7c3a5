"""A check of requests and responses against botocore's models of AWS's services: shapes, and the limits in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

# Errors that any operation of a service can answer and that its model does not list with each.
COMMON = {
    "stepfunctions": frozenset({"ThrottlingException", "ValidationException"}),
    "batch": frozenset({"ClientException", "ServerException", "TooManyRequestsException"}),
}


@cache
def operation(service: str, name: str) -> OperationModel:
    """Return the model of an operation: ``operation("stepfunctions", "StartExecution")``."""
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def input_problems(service: str, name: str, params: dict[str, Any]) -> list[str]:
    """Return what AWS's model does not allow in a request."""
    return _problems(operation(service, name).input_shape, params)


def output_problems(service: str, name: str, answer: dict[str, Any]) -> list[str]:
    """Return what AWS's model does not allow in a response, as boto3 gives it, or with times as numbers."""
    body = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    return _problems(operation(service, name).output_shape, body)


def error_problems(service: str, name: str, code: str) -> list[str]:
    """Return what is wrong with an error's code, as a response to that operation."""
    shapes: list[Any] = list(operation(service, name).error_shapes)
    known = {shape.error_code for shape in shapes} | COMMON.get(service, frozenset())
    return [] if code in known else [f"{name} never answers {code}: {', '.join(sorted(known))}"]


def watch(session: Any) -> list[str]:
    """Check every request that clients of a boto3 session make from now on, and every response they get.

    Returns:
        The problems found so far; it grows.
    """
    found: list[str] = []

    def check_request(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        found.extend(_report(model, _problems(model.input_shape, params)))

    def check_response(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        if "Error" not in parsed:
            found.extend(_report(model, output_problems(model.service_model.service_name, model.name, parsed)))

    session.events.register("before-parameter-build.*.*", check_request)
    session.events.register("after-call.*.*", check_response)
    return found


def _report(model: OperationModel, problems: list[str]) -> Iterator[str]:
    yield from (f"{model.service_model.service_name} {model.name}: {problem}" for problem in problems)


def _problems(shape: Shape | None, value: Any) -> list[str]:
    if shape is None:
        return [] if not value else [f"expected nothing, found {value}"]
    report = ParamValidator().validate(value, shape)
    return [report.generate_report()] if report.has_errors() else list(_limits(shape, value, ""))


def _limits(shape: Any, value: Any, at: str) -> Iterator[str]:
    """Yield problems that botocore leaves to the service: enumerations, lengths, ranges, patterns."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _limits(shape.members[name], member, f"{at}.{name}")
    elif shape.type_name == "list":
        yield from _length(shape, value, at)
        for place, member in enumerate(value):
            yield from _limits(shape.member, member, f"{at}[{place}]")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from _limits(shape.value, member, f"{at}.{name}")
    elif shape.type_name == "string":
        yield from _length(shape, value, at)
        if (known := shape.metadata.get("enum")) and value not in known:
            yield f"{at}: {value!r} is none of {', '.join(known)}"
        if (pattern := _pattern(shape.metadata.get("pattern"))) and not pattern.fullmatch(value):
            yield f"{at}: {value!r} does not match {pattern.pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        low, high = shape.metadata.get("min", value), shape.metadata.get("max", value)
        if not low <= value <= high:
            yield f"{at}: {value} is not from {low} to {high}"


def _length(shape: Shape, value: Any, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not low <= len(value) <= high:
        yield f"{at}: its length {len(value)} is not from {low} to {high}"


@cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile a pattern of the model; None for one that only Java understands."""
    try:
        return re.compile(text, re.DOTALL) if text else None
    except re.error:
        return None
