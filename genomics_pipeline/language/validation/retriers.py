"""Checks of Retry and Catch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.diagnostics import Diagnostic, schema_violation
from genomics_pipeline.language.validation.shapes import check_shape
from genomics_pipeline.language.walker import StateNode

_RETRYING_TYPES = ("Task", "Parallel", "Map")
_DEFAULT_INTERVAL = 1


def check_retry_and_catch(state: StateNode) -> Iterator[Diagnostic]:
    """Yield the problems of a state's ``Retry`` and ``Catch``."""
    if state.kind not in _RETRYING_TYPES:
        return
    for field, name in (("Retry", "Retrier"), ("Catch", "Catcher")):
        entries = state.node.get(field)
        if not isinstance(entries, list):
            continue
        for number, entry in enumerate(entries):
            path = f"{state.path}/{field}[{number}]"
            yield from check_shape(name, entry, path, state.language)
            if isinstance(entry, dict):
                yield from _check_states_all(entry, path, last=number == len(entries) - 1)
                yield from _check_delay(entry, path)


def _check_states_all(entry: dict[str, Any], path: str, *, last: bool) -> Iterator[Diagnostic]:
    errors = entry.get("ErrorEquals")
    if isinstance(errors, list) and "States.ALL" in errors and not (last and len(errors) == 1):
        yield schema_violation("States.ALL must appear alone and at end of list", f"{path}/ErrorEquals")


def _check_delay(entry: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    # States Language, "Retrying after error": MaxDelaySeconds must be greater than IntervalSeconds.
    most, interval = entry.get("MaxDelaySeconds"), entry.get("IntervalSeconds", _DEFAULT_INTERVAL)
    if type(most) is int and type(interval) is int and 1 <= most <= interval:
        message = f"MaxDelaySeconds must be greater than IntervalSeconds, which is {interval}; found {most}"
        yield schema_violation(message, f"{path}/MaxDelaySeconds")
