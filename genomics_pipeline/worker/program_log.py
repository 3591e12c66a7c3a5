"""The log of a step's program, and the message about its failure in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

LOG_LINES = 200  # the last lines of a log, which are searched for error messages
LOG_BYTES = 1 << 19  # read of the end of a log, which may have any size
LAST_LINES = 5  # shown of a program that printed no error message
COMMAND = "$ "  # before the command, as at the prompt of a shell
MESSAGE_CHARACTERS = 4000  # of a message; the log has the rest

_TRACEBACK = re.compile(r"( *)Traceback \(most recent call last\):")
_FRAME = re.compile(r'( *)  File ".*", line \d+(, in .*)?')  # of a traceback that begins before the lines
_GROUP = re.compile(r" +\+ Exception Group (Traceback .*)")  # the header of the traceback of an exception group
_GROUP_LINE = re.compile(r" +(?:\| ?(.*)|\+[-+]+.*)")  # of an exception group: with text, or between its exceptions
_CHAINED = re.compile(r"(During handling|The above exception).*")  # between the tracebacks of chained exceptions
_REMOTE = re.compile(r'[\w.]*RemoteTraceback:|"""')  # around the traceback of another process


def begin_log(log: Path, argv: Sequence[str], notes: Sequence[str] = ()) -> None:
    """Write the command of a program as the first line of its log, and notes about its inputs behind it."""
    log.write_bytes(os.fsencode("".join(f"{line}\n" for line in (f"{COMMAND}{shlex.join(argv)}", *notes))))


def renew_lost_log(log: Path) -> None:
    """Write an empty log where a program has removed or replaced its own, which would hide how the program ended."""
    if not log.is_file() or log.is_symlink():
        if log.is_dir() and not log.is_symlink():  # `rmtree` would wait for a writer of a named pipe
            shutil.rmtree(log, ignore_errors=True)
        else:
            log.unlink(missing_ok=True)
        log.parent.mkdir(exist_ok=True)
        log.touch()


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log that are not empty, without the command at its beginning."""
    with log.open("rb") as stream:
        start = max(0, log.stat().st_size - LOG_BYTES)
        stream.seek(start)
        text = stream.read(LOG_BYTES).decode("utf-8", "replace")
    lines = text.splitlines()
    printed = lines[1:] if not start and text.startswith(COMMAND) else lines
    return [line.rstrip() for line in printed[-LOG_LINES:] if line.strip()]


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
    margin: str | None = None  # of the traceback that these lines belong to
    for line in _without_groups(lines):
        if margin is not None and line.startswith(f"{margin} "):
            continue
        if margin is not None:
            exception, margin = line.removeprefix(margin), None
        elif exception is not None and _CHAINED.fullmatch(line):
            exception = None
        elif not _REMOTE.fullmatch(line):
            if exception is not None:
                yield exception
                exception = None
            if header := _TRACEBACK.fullmatch(line) or _FRAME.fullmatch(line):
                margin = header[1]
            else:
                yield line
    if exception is not None:
        yield exception


def _without_groups(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, the tracebacks of an exception group one after the other, as if each stood by itself."""
    in_group = False
    for line in lines:
        if header := _GROUP.fullmatch(line):
            in_group = True
            yield header[1]
        elif in_group and (part := _GROUP_LINE.fullmatch(line)):
            if part[1]:
                yield part[1]
        else:
            in_group = False
            yield line
