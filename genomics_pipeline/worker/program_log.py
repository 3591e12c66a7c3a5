"""The log of a step's program, and the message about its failure in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

LOG_LINES = 200  # the last lines of a log, which are searched for error messages
LOG_BYTES = 1 << 19  # read of the end of a log, which may have any size
LAST_LINES = 5  # shown of a program that printed no error message
MESSAGE_CHARACTERS = 4000  # of a message; the log has the rest

_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = re.compile(r"(During handling|The above exception).*")  # between the tracebacks of chained exceptions


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log that are not empty."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - LOG_BYTES))
        text = stream.read().decode("utf-8", "replace")
    return [line.rstrip() for line in text.splitlines()[-LOG_LINES:] if line.strip()]


def error_message(lines: Sequence[str]) -> str:
    """Return a program's error message: its ``error:`` lines, else its last lines; of a traceback, the exception.

    >>> error_message(["Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'x'"])
    "KeyError: 'x'"
    >>> error_message(["error: expected reads", "done"])
    'expected reads'
    """
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    message = "\n".join(errors or list(_without_tracebacks(lines))[-LAST_LINES:])
    return message if len(message) <= MESSAGE_CHARACTERS else f"{message[:MESSAGE_CHARACTERS]} …"


def _without_tracebacks(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, of each Python traceback only the exception; of chained exceptions, only the last."""
    exception: str | None = None
    inside = False
    for line in lines:
        if line == _TRACEBACK:
            exception, inside = None, True
        elif inside and line.startswith(" "):
            continue
        elif inside:
            exception, inside = line, False
        elif not (exception is not None and _CHAINED.fullmatch(line)):
            if exception is not None:
                yield exception
                exception = None
            yield line
    if exception is not None:
        yield exception
