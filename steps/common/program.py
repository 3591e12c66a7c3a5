"""The entry point of a step's program: the task file, and the report of a failure."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam

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
    task = json.loads(Path(sys.argv[1]).read_text())
    pysam.set_verbosity(0)
    try:
        work(task)
    except StepError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
