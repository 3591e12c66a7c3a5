"""Failures as people find them: a cause, an execution, a row of ResultWriter's, a job; in camelCase or PascalCase."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.runs.json_file import STDIN, read_json
from genomics_pipeline.stores.protocol import Store

ENDED_WELL = ("SUCCEEDED", "RUNNING", "PENDING_REDRIVE")  # of an execution
EXPECTED = "a cause, an execution, a row of ResultWriter's FAILED file, or a job"


def explain_file(file: str, store: Store) -> Failure:
    """Return the failure that a file holds.

    Args:
        file: A path, a URI, or ``-`` for standard input.
        store: Reads objects by their URIs.

    Raises:
        DataError: if it holds none.
    """
    given = read_json(file, store)
    try:
        return _failure(given)
    except _NoFailure as instead:
        raise DataError(Problem(f"expected {instead.expected}, found {instead}", _name(file))) from None


class _NoFailure(Exception):
    """Input that holds no failure; the message says what it holds."""

    def __init__(self, found: str, expected: str = EXPECTED) -> None:
        super().__init__(found)
        self.expected = expected


def _name(file: str) -> str:
    return "standard input" if file == STDIN else file


def _failure(given: Any) -> Failure:
    if isinstance(given, str):
        return classify("", given)
    if isinstance(given, list):
        return _failure(_only(given, "row"))
    if not isinstance(given, dict):
        raise _NoFailure(json.dumps(given))
    if {"stage", "cause"} <= given.keys():
        return classify(str(given.get("error", "")), json.dumps(given))
    names = {_pascal(name): value for name, value in given.items()}
    if isinstance(names.get("Jobs"), list):
        return _failure(_only(names["Jobs"], "job"))
    if names.keys() & {"JobId", "Attempts", "Container"}:
        return _of_job(names)
    if names.keys() & {"ExecutionArn", "Error", "Cause"}:
        return _of_execution(names)
    raise _NoFailure(f"an object of {', '.join(given)}" if given else "an empty object")


def _only(values: list[Any], what: str) -> Any:
    if len(values) != 1:
        raise _NoFailure(f"{len(values)} {what}s", f"one {what}")
    return values[0]


def _of_job(job: Mapping[str, Any]) -> Failure:
    if job.get("Status") == "SUCCEEDED":
        raise _NoFailure("one that SUCCEEDED", "a job that failed")
    return classify("", json.dumps(_pascal_all(job)))


def _of_execution(execution: Mapping[str, Any]) -> Failure:
    status = execution.get("Status")
    if status in ENDED_WELL:
        raise _NoFailure(f"one that is {status}", "an execution that failed")
    timed_out = "States.Timeout" if status == "TIMED_OUT" else ""
    cause = execution.get("Cause") or ""
    return classify(str(execution.get("Error") or timed_out), cause if isinstance(cause, str) else json.dumps(cause))


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _pascal_all(value: Any) -> Any:
    """Return a job's detail in PascalCase, as Step Functions spells it; so are names of tags, which nobody reads."""
    if isinstance(value, Mapping):
        return {_pascal(name): _pascal_all(member) for name, member in value.items()}
    return [_pascal_all(member) for member in value] if isinstance(value, list) else value
