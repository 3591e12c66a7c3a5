"""Failures in the forms in which AWS reports them: a cause, an execution, a row of a result file, or a job.

Names of members are in camelCase or in PascalCase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.runs.json_file import STDIN, read_json
from genomics_pipeline.stores.protocol import Store

NOT_FAILED = ("SUCCEEDED", "RUNNING", "PENDING_REDRIVE")  # statuses of an execution
EXPECTED = "a cause, an execution, a row of ResultWriter's FAILED file, or a job"


def explain_file(file: str, store: Store) -> Failure:
    """Return the failure that a file describes.

    Args:
        file: A path, a URI, or ``-`` for standard input.
        store: Reads objects by their URIs.

    Raises:
        DataError: if it describes none.
    """
    value = read_json(file, store)
    try:
        return _failure(value)
    except _NoFailure as error:
        raise DataError(Problem(f"expected {error.expected}, found {error}", _name(file))) from None


class _NoFailure(Exception):
    """A value that describes no failure; the message says what it is instead."""

    def __init__(self, found: str, expected: str = EXPECTED) -> None:
        super().__init__(found)
        self.expected = expected


def _name(file: str) -> str:
    return "standard input" if file == STDIN else file


def _failure(value: Any) -> Failure:
    if isinstance(value, str):
        return classify("", value)
    if isinstance(value, list):
        return _failure(_single(value, "row"))
    if not isinstance(value, dict):
        raise _NoFailure(json.dumps(value))
    if {"stage", "cause"} <= value.keys():
        return classify(str(value.get("error", "")), json.dumps(value))
    members = {_pascal_case(name): member for name, member in value.items()}
    if isinstance(members.get("Jobs"), list):
        return _failure(_single(members["Jobs"], "job"))
    if members.keys() & {"JobId", "Attempts", "Container"}:
        return _job_failure(members)
    if members.keys() & {"ExecutionArn", "Error", "Cause"}:
        return _execution_failure(members)
    raise _NoFailure(f"an object of {', '.join(value)}" if value else "an empty object")


def _single(values: list[Any], noun: str) -> Any:
    if len(values) != 1:
        raise _NoFailure(f"{len(values)} {noun}s", f"one {noun}")
    return values[0]


def _job_failure(job: Mapping[str, Any]) -> Failure:
    if job.get("Status") == "SUCCEEDED":
        raise _NoFailure("one that SUCCEEDED", "a job that failed")
    return classify("", json.dumps(_with_pascal_case(job)))


def _execution_failure(execution: Mapping[str, Any]) -> Failure:
    status = execution.get("Status")
    if status in NOT_FAILED:
        raise _NoFailure(f"one that is {status}", "an execution that failed")
    timed_out = "States.Timeout" if status == "TIMED_OUT" else ""
    cause = execution.get("Cause") or ""
    return classify(str(execution.get("Error") or timed_out), cause if isinstance(cause, str) else json.dumps(cause))


def _pascal_case(name: str) -> str:
    return name[:1].upper() + name[1:]


def _with_pascal_case(value: Any) -> Any:
    """Return a job's detail with names in PascalCase, as Step Functions spells them.

    The names of tags and variables are changed too; the classification reads none of them.
    """
    if isinstance(value, Mapping):
        return {_pascal_case(name): _with_pascal_case(member) for name, member in value.items()}
    return [_with_pascal_case(member) for member in value] if isinstance(value, list) else value
