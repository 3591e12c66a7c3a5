"""Standard output of a command that runs code of the user."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO

_STDOUT, _STDERR = 1, 2


@contextmanager
def reserved_for_results() -> Iterator[TextIO]:
    """Yield standard output; whatever else is written to it in the meantime goes to standard error.

    That is what functions, their threads and processes, and libraries in C print. Functions that still run at the end
    do not get it back.
    """
    with _original() as output, redirect_stdout(sys.stderr):
        kept = _redirect_descriptor()
        try:
            yield output
        finally:
            output.flush()
            if kept is not None:
                if not any(thread.name == "function" for thread in threading.enumerate()):
                    os.dup2(kept, _STDOUT)
                os.close(kept)


@contextmanager
def _original() -> Iterator[TextIO]:
    """Yield a file that stays standard output when its descriptor is redirected."""
    stdout = sys.stdout
    if not _is_descriptor(stdout):
        yield stdout
        return
    stdout.flush()
    with os.fdopen(os.dup(_STDOUT), "w", encoding=stdout.encoding, errors=stdout.errors, newline="\n") as output:
        yield output


def _is_descriptor(stdout: TextIO | None) -> bool:
    with suppress(OSError, ValueError, AttributeError):  # replaced by a file in memory, closed, or absent
        return stdout is not None and stdout.fileno() == _STDOUT
    return False


def _redirect_descriptor() -> int | None:
    """Redirect the descriptor of standard output to standard error, and return a copy of it; None if one is closed."""
    with suppress(OSError):
        kept = os.dup(_STDOUT)
        os.dup2(_STDERR, _STDOUT)
        return kept
    return None
