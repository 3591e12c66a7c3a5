"""The frame of a step's program: its task file, and how it reports a failure."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
KILLED = 128 + signal.SIGKILL  # as a shell gives it; the worker takes it for a lack of memory


class StepError(Exception):
    """A failure that its message explains.

    Attributes:
        exit_code: The exit code of the program.
    """

    exit_code = 1


class BadInput(StepError):
    """Input that can never work, as ``FILE: what was expected and found``."""

    exit_code = BAD_INPUT


def run_program(work: Callable[[dict[str, Any]], None]) -> int:
    """Do a step's work for the task file named on the command line, and return the exit code.

    Args:
        work: Takes the task; raises `StepError` where it fails.
    """
    task = json.loads(Path(sys.argv[1]).read_text())
    pysam.set_verbosity(0)
    try:
        work(task)
    except StepError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
