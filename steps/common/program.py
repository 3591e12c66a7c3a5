"""The entry point of a step's program: the task file, and the report of a failure."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
from pysam.utils import SamtoolsError

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
KILLED = 128 + signal.SIGKILL  # as a shell reports it; the worker takes it for out of memory


class StepError(Exception):
    """A failure whose message is for the user.

    Attributes:
        exit_code: The exit code that the program ends with.
    """

    exit_code = 1


class BadInput(StepError):
    """The error of input that can never work, as ``FILE: expected …, found …``."""

    exit_code = BAD_INPUT


def run_program(work: Callable[[dict[str, Any]], None]) -> int:
    """Run a step's work with the task file named on the command line, and return the exit code.

    Args:
        work: A function of the task, which raises `StepError` if it fails.
    """
    pysam.set_verbosity(0)
    try:
        work(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    except Exception as error:
        report(error)
        return exit_code_of(error)
    return 0


def report(error: Exception, name: str = "") -> None:
    """Print the message of an error on one line of standard error, after the traceback of an unexpected one.

    Args:
        error: The error.
        name: A prefix of the message.
    """
    message = " ".join(str(error).split())
    if is_unexpected(error):
        traceback.print_exception(error)
        message = f"{type(error).__name__}: {message} (unexpected; the log has the traceback)"
    elif not message:
        message = type(error).__name__
    say(f"error: {name}{': ' if name else ''}{message}")


def say(line: str) -> None:
    """Print a line to standard error in one piece, so that no other process of the step prints within it.

    `print` writes the end of a line by itself where PYTHONUNBUFFERED is set.

    Args:
        line: The line, without its end.
    """
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def is_unexpected(error: Exception) -> bool:
    """Return whether an error is a fault of the program, which only its traceback explains."""
    return not isinstance(error, StepError | SamtoolsError | OSError | MemoryError)


def exit_code_of(error: Exception) -> int:
    """Return the exit code that a program ends with after an error."""
    if isinstance(error, StepError):
        return error.exit_code
    return KILLED if isinstance(error, MemoryError) else 1
