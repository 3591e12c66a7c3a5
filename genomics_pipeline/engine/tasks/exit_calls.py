"""Calls of ``os._exit`` by a function of the user, which would otherwise end the engine without a result."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import NoReturn

_in_function: ContextVar[bool] = ContextVar("in_function", default=False)
_end_process = os._exit
_engine: int | None = None  # the process whose functions' calls end the function only
_running, _lock = 0, Lock()  # functions now; one process has one os._exit


@contextmanager
def exits_end_the_function() -> Iterator[None]:
    """Let ``os._exit`` raise SystemExit, as `sys.exit` does, while a function runs in this thread or task.

    Processes that the function forks end as ever. Other threads of a function still end the engine, with a message.
    """
    _count(1)
    before = _in_function.set(True)
    try:
        yield
    finally:
        _in_function.reset(before)
        _count(-1)


def _count(change: int) -> None:
    """Change the number of functions that run; without any, ``os._exit`` is Python's own."""
    global _running, _engine
    with _lock:
        _running += change
        _engine = os.getpid()
        if _running:
            os._exit = _exit
        else:
            os._exit = _end_process


def _exit(status: int) -> NoReturn:
    if os.getpid() != _engine:
        _end_process(status)
    if _in_function.get():
        raise SystemExit(status)
    sys.stderr.write(
        f"error: expected the execution's result, found that a thread of a function called os._exit({status}): "
        "let the function return or raise an exception\n"
    )
    sys.stderr.flush()
    _end_process(status or 1)
