"""Failures in the forms in which AWS reports them: a cause, an execution, rows of a result file, or jobs; and of a run.

Names of members are in camelCase or in PascalCase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import DataError, Problem, RunError
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.report.explanation import FailureGroup, group_failures
from genomics_pipeline.runs.json_file import read_json, shown_name
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.stores.protocol import Store

NOT_FAILED = ("SUCCEEDED", "RUNNING", "PENDING_REDRIVE")  # statuses of an execution
EXPECTED = "a cause, an execution, rows of ResultWriter's FAILED file, or jobs"


def explain_run(run: ReadableRun, place: str) -> list[FailureGroup]:
    """Return the failures of a run, those of one kind together.

    Args:
        run: The run.
        place: Its folder, URI or name, for messages.

    Raises:
        RunError: if nothing in it has failed.
    """
    failures = [(one.failure, one.item) for one in run.failed_items()]
    if not failures:
        raise RunError(f"{place}: expected a run with failures, found none so far")
    return group_failures(failures)


def explain_file(file: str, store: Store) -> list[FailureGroup]:
    """Return the failures that a file describes, those of one kind together.

    Args:
        file: A path, a URI, or ``-`` for standard input.
        store: Reads objects by their URIs.

    Raises:
        DataError: if it describes none.
    """
    value = read_json(file, store, lines=True)
    try:
        return group_failures(list(_failures(value)))
    except _NoFailure as error:
        raise DataError(Problem(f"expected {error.expected}, found {error}", shown_name(file))) from None


class _NoFailure(Exception):
    """A value that describes no failure; the message says what it is instead."""

    def __init__(self, found: str, expected: str = EXPECTED) -> None:
        super().__init__(found)
        self.expected = expected


def _failures(value: Any) -> Iterator[tuple[Failure, str]]:
    """Yield each failure with the names of its items, empty where they are not known."""
    jobs = value.get("jobs", value.get("Jobs")) if isinstance(value, dict) else None
    values = jobs if isinstance(jobs, list) else value if isinstance(value, list) else [value]
    if not values:
        raise _NoFailure("an empty array")
    several = len(values) > 1
    ended = [one for one in values if several and isinstance(one, dict) and _status(one) in NOT_FAILED]
    if len(ended) == len(values):
        raise _NoFailure(f"{len(values)} that are {_status(values[0])}", "one that failed")
    for one in values:
        if one not in ended:
            yield _failure(one), _items(one)


def _status(members: Mapping[str, Any]) -> Any:
    return members.get("Status", members.get("status"))


def _failure(value: Any) -> Failure:
    if isinstance(value, str):
        return classify("", value)
    if not isinstance(value, dict):
        raise _NoFailure(json.dumps(value)[:200])
    if {"stage", "cause"} <= value.keys():
        return classify(str(value.get("error", "")), json.dumps(value))
    members = {_pascal_case(name): member for name, member in value.items()}
    if members.keys() & {"JobId", "Attempts", "Container"}:
        return _job_failure(members)
    if members.keys() & {"ExecutionArn", "Error", "Cause"}:
        return _execution_failure(members)
    raise _NoFailure(f"an object of {', '.join(value)}" if value else "an empty object")


def _items(value: Any) -> str:
    """Return the names of the items of a row, from its input; empty where there are none."""
    text = value.get("Input", value.get("input")) if isinstance(value, dict) else None
    try:
        return ", ".join(map(item_id, items_of(text))) if isinstance(text, str) else ""
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, DataError):
        return ""


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
