"""AWS's limits, checked where they are still cheap: on the document, before anything is created.

Numbers: Step Functions developer guide, "Quotas" and "Map state"; AWS Batch user guide, "Service quotas"; botocore's
models of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import inf, isinf
from typing import Any

from genomics_pipeline.asl.canonical import canonical
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError, Problem

_LABEL = re.compile(f"[^{quotas.NOT_IN_NAMES}]+")
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

NAME = "the state's name"

Document = Mapping[str, Any]
Names = dict[tuple[str, str], list[str]]  # paths by field and name: what may be there once


def check_limits(document: Document) -> None:
    """Refuse a document that AWS would refuse, or fail on while it runs.

    Raises:
        DataError: every limit that is passed, each with its state and field.
    """
    names: Names = {}
    problems = list(_machine(document, "$", names, express=False))
    size = len(canonical(document).encode())
    if size > quotas.DEFINITION.value:
        problems.append(_problem("$", "the definition", f"at most {quotas.DEFINITION.value} bytes", size))
    problems += [
        _problem(paths[1], field, "one of its own in the whole definition", f"{name!r}, also of {paths[0]}")
        for (field, name), paths in names.items()
        if len(paths) > 1
    ]
    if problems:
        raise DataError(problems)


def _problem(path: str, field: str, expected: str, found: object) -> Problem:
    return Problem(f"{field}: AWS allows {expected}, found {found}", column=path)


def _machine(machine: Document, path: str, names: Names, express: bool) -> Iterator[Problem]:
    for name, state in machine["States"].items():
        place = f"{path}.States.{name}"
        names.setdefault((NAME, name), []).append(place)
        if len(name) > quotas.STATE_NAME.value:
            yield _problem(place, NAME, f"at most {quotas.STATE_NAME}", len(name))
        yield from _retriers(state, place)
        if state["Type"] == "Task":
            yield from _task(state, place, express)
        elif state["Type"] == "Map":
            yield from _map(state, place, names)


def _retriers(state: Document, place: str) -> Iterator[Problem]:
    for number, retrier in enumerate(state.get("Retry", ())):
        where = f"{place}.Retry[{number}]"
        for field, least, most in (
            ("IntervalSeconds", 1, quotas.SECONDS.value),
            ("MaxDelaySeconds", 1, quotas.MAX_DELAY.value),
            ("MaxAttempts", 0, quotas.MAX_ATTEMPTS.value),
            ("BackoffRate", 1, inf),
        ):
            value = retrier.get(field, least)
            if not least <= value <= most:
                allowed = f"at least {least}" if isinf(most) else f"{least} to {most}"
                yield _problem(where, field, allowed, value)
        if "MaxDelaySeconds" in retrier and retrier["MaxDelaySeconds"] <= retrier.get("IntervalSeconds", 1):
            yield _problem(where, "MaxDelaySeconds", "more than IntervalSeconds", retrier["MaxDelaySeconds"])
    for kind in ("Retry", "Catch"):
        for number, entry in enumerate(state.get(kind, ())):
            last = number == len(state[kind]) - 1
            if "States.ALL" in entry["ErrorEquals"] and (len(entry["ErrorEquals"]) > 1 or not last):
                yield _problem(f"{place}.{kind}[{number}]", "ErrorEquals", "States.ALL alone and last", entry)


def _task(state: Document, place: str, express: bool) -> Iterator[Problem]:
    if express and state["Resource"].endswith((".sync", ".waitForTaskToken")):
        yield _problem(place, "Resource", "no .sync or .waitForTaskToken in EXPRESS children", state["Resource"])
    arguments = state["Arguments"]
    name = arguments["JobName"]
    if len(name) > quotas.JOB_NAME.value or not _JOB_NAME.fullmatch(name):
        yield _problem(place, "JobName", f"at most {quotas.JOB_NAME.value} letters, digits, '-' and '_'", repr(name))
    size = submit_bytes(arguments)
    if size > quotas.SUBMIT_JOB.value:
        yield _problem(place, "Arguments", f"a SubmitJob of at most {quotas.SUBMIT_JOB}", f"{size} without items")


def submit_bytes(arguments: Document) -> int:
    """How many bytes of a SubmitJob request are known already; each item comes on top, its quotes escaped."""
    return len(json.dumps(arguments, ensure_ascii=False).encode())


def _map(state: Document, place: str, names: Names) -> Iterator[Problem]:
    label = state["Label"]
    names.setdefault(("Label", label), []).append(place)
    if len(label) > quotas.LABEL.value or not _LABEL.fullmatch(label):
        yield _problem(place, "Label", f"at most {quotas.LABEL} without spaces and wildcards", repr(label))
    if not 0 <= state["MaxConcurrency"] <= quotas.MAP_RUN_CONCURRENCY.value:
        yield _problem(place, "MaxConcurrency", f"0 to {quotas.MAP_RUN_CONCURRENCY.value}", state["MaxConcurrency"])
    percentage, count = state["ToleratedFailurePercentage"], state["ToleratedFailureCount"]
    if not isinstance(percentage, str) and not 0 <= percentage <= 100:  # an expression's value comes with the run
        yield _problem(place, "ToleratedFailurePercentage", "0 to 100", percentage)
    if not isinstance(count, str) and count < 0:
        yield _problem(place, "ToleratedFailureCount", "0 or more", state["ToleratedFailureCount"])
    if "ItemBatcher" in state:
        yield from _batcher(state, place)
    processor = state["ItemProcessor"]
    express = processor["ProcessorConfig"]["ExecutionType"] == "EXPRESS"
    yield from _machine(processor, f"{place}.ItemProcessor", names, express)


def _batcher(state: Document, place: str) -> Iterator[Problem]:
    batch = state["ItemBatcher"].get("MaxInputBytesPerBatch", quotas.PAYLOAD.value)
    if batch > quotas.PAYLOAD.value:
        yield _problem(place, "ItemBatcher.MaxInputBytesPerBatch", f"at most {quotas.PAYLOAD.value}", batch)
        return
    for name, child in state["ItemProcessor"]["States"].items():
        if child["Type"] != "Task":
            continue
        fits = (quotas.SUBMIT_JOB.value - submit_bytes(child["Arguments"])) // 2
        if batch > fits:
            expected = (
                f"at most {fits} bytes: with them the job of {name} would pass SubmitJob's {quotas.SUBMIT_JOB.value}"
            )
            yield _problem(place, "ItemBatcher.MaxInputBytesPerBatch", expected, batch)
