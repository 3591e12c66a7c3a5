"""Calls of ``os._exit`` by a function of the user, which would otherwise end the engine without a result."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

_in_function: ContextVar[bool] = ContextVar("in_function", default=False)
_end_process: Callable[[int], NoReturn] = os._exit
_engine: int | None = None  # the process whose functions' calls end the function only


@contextmanager
def exits_end_the_function() -> Iterator[None]:
    """Let ``os._exit`` raise SystemExit, as `sys.exit` does, while a function runs in this thread or task.

    Processes that the function forks end as ever. Other threads of the function still end the engine, with a message.
    """
    global _engine  # one process has one os._exit
    _engine = os.getpid()
    os._exit = _exit
    before = _in_function.set(True)
    try:
        yield
    finally:
        _in_function.reset(before)


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
