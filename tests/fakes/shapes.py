"""A check of requests and responses against botocore's models of AWS's services: shapes, and the limits in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

# Errors that any operation of a service may return, although the model does not list them.
COMMON = {
    "stepfunctions": frozenset({"ThrottlingException", "ValidationException"}),
    "batch": frozenset({"ClientException", "ServerException", "TooManyRequestsException"}),
}
# What AWS answers although its models do not allow it:
_UNLIKE_THE_MODELS = (
    # Jobs that have not started: recorded in aws-sdk-js issue 4193, and in the Batch user guide, "Job queue blocked
    # events".
    re.compile(r'(Missing required parameter in jobs\[\d+\]: "startedAt"\n?)+'),
    # The first event of a stack that is created by a change set.
    re.compile(r"\.StackEvents\[\d+\]\.ResourceStatus: 'REVIEW_IN_PROGRESS' is none of .*"),
)


@cache
def operation(service: str, name: str) -> OperationModel:
    """Return the model of an operation: ``operation("stepfunctions", "StartExecution")``."""
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def input_problems(service: str, name: str, params: dict[str, Any]) -> list[str]:
    """Return the problems of a request according to AWS's model."""
    return _problems(operation(service, name).input_shape, params)


def output_problems(service: str, name: str, answer: dict[str, Any]) -> list[str]:
    """Return the problems of a response, as boto3 returns it or with times as numbers, according to AWS's model."""
    body = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    problems = _problems(operation(service, name).output_shape, body)
    return [one for one in problems if not any(known.fullmatch(one) for known in _UNLIKE_THE_MODELS)]


def error_problems(service: str, name: str, code: str) -> list[str]:
    """Return the problems of an error code as the response to an operation."""
    shapes: list[Any] = list(operation(service, name).error_shapes)
    known = {shape.error_code for shape in shapes} | COMMON.get(service, frozenset())
    return [] if code in known else [f"{name} never answers {code}: {', '.join(sorted(known))}"]


def watch(session: Any) -> list[str]:
    """Check every later request of the clients of a boto3 session, and every response.

    Returns:
        The problems so far, a list that grows.
    """
    problems: list[str] = []

    def check_request(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        problems.extend(_report(model, _problems(model.input_shape, params)))

    def check_response(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        if "Error" not in parsed:
            problems.extend(_report(model, output_problems(model.service_model.service_name, model.name, parsed)))

    session.events.register("before-parameter-build.*.*", check_request)
    session.events.register("after-call.*.*", check_response)
    return problems


def _report(model: OperationModel, problems: list[str]) -> Iterator[str]:
    yield from (f"{model.service_model.service_name} {model.name}: {problem}" for problem in problems)


def _problems(shape: Shape | None, value: Any) -> list[str]:
    if shape is None:
        return [] if not value else [f"expected nothing, found {value}"]
    report = ParamValidator().validate(value, shape)
    return [report.generate_report()] if report.has_errors() else list(_limits(shape, value, ""))


def _limits(shape: Any, value: Any, location: str) -> Iterator[str]:
    """Yield problems that botocore does not check: enumerations, lengths, ranges, patterns."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _limits(shape.members[name], member, f"{location}.{name}")
    elif shape.type_name == "list":
        yield from _length(shape, value, location)
        for index, member in enumerate(value):
            yield from _limits(shape.member, member, f"{location}[{index}]")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from _limits(shape.value, member, f"{location}.{name}")
    elif shape.type_name == "string":
        yield from _length(shape, value, location)
        if (known := shape.metadata.get("enum")) and value not in known:
            yield f"{location}: {value!r} is none of {', '.join(known)}"
        if (pattern := _pattern(shape.metadata.get("pattern"))) and not pattern.fullmatch(value):
            yield f"{location}: {value!r} does not match {pattern.pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        low, high = shape.metadata.get("min", value), shape.metadata.get("max", value)
        if not low <= value <= high:
            yield f"{location}: {value} is not from {low} to {high}"


def _length(shape: Shape, value: Any, location: str) -> Iterator[str]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not low <= len(value) <= high:
        yield f"{location}: its length {len(value)} is not from {low} to {high}"


@cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile a pattern of the model; return None for one that only Java understands."""
    try:
        return re.compile(text, re.DOTALL) if text else None
    except re.error:
        return None
