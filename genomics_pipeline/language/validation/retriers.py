"""Retry and Catch: who may stand where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.diagnostics import Diagnostic, refused
from genomics_pipeline.language.validation.shapes import shape
from genomics_pipeline.language.walker import StateNode

_HAVE_THEM = ("Task", "Parallel", "Map")
_DEFAULT_INTERVAL = 1


def check_retry_and_catch(state: StateNode) -> Iterator[Diagnostic]:
    """Yield what is wrong with a state's ``Retry`` and ``Catch``."""
    if state.kind not in _HAVE_THEM:
        return
    for field, name in (("Retry", "Retrier"), ("Catch", "Catcher")):
        entries = state.node.get(field)
        if not isinstance(entries, list):
            continue
        for number, entry in enumerate(entries):
            path = f"{state.path}/{field}[{number}]"
            yield from shape(name, entry, path, state.language)
            if isinstance(entry, dict):
                yield from _states_all(entry, path, last=number == len(entries) - 1)
                yield from _delay(entry, path)


def _states_all(entry: dict[str, Any], path: str, *, last: bool) -> Iterator[Diagnostic]:
    errors = entry.get("ErrorEquals")
    if isinstance(errors, list) and "States.ALL" in errors and not (last and len(errors) == 1):
        yield refused("States.ALL must appear alone and at end of list", f"{path}/ErrorEquals")


def _delay(entry: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    """The States Language asks MaxDelaySeconds to be greater than IntervalSeconds ("Retrying after error")."""
    most, interval = entry.get("MaxDelaySeconds"), entry.get("IntervalSeconds", _DEFAULT_INTERVAL)
    if type(most) is int and type(interval) is int and 1 <= most <= interval:
        message = f"MaxDelaySeconds must be greater than IntervalSeconds, which is {interval}; found {most}"
        yield refused(message, f"{path}/MaxDelaySeconds")
