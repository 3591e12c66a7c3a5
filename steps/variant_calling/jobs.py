"""Parallel jobs, each in a fork."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

import pysam.bcftools
import pysam.samtools
from common.forks import ForkFailed, exit_on_sigterm, fork
from common.program import StepError
from common.provenance import log_messages
from pysam.utils import SamtoolsError


def bcftools(command: str, *argv: str) -> None:
    """Run one bcftools command, which must name its output file, in this process.

    Raises:
        StepError: with bcftools' message, if it failed.
    """
    try:
        run_command = getattr(pysam.bcftools, command)
        run_command(*argv, catch_stdout=False)
        log_messages(f"bcftools {command}", run_command.get_messages())
    except SamtoolsError as error:
        raise StepError(f"bcftools {command}: {error}") from None


def samtools(command: str, *argv: str) -> None:
    """Run one samtools command, which must name its output file, in this process.

    Raises:
        StepError: with samtools' message, if it failed.
    """
    try:
        getattr(pysam.samtools, command)(*argv, catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(f"samtools {command}: {error}") from None


def run(jobs: Sequence[Callable[[], None]], at_once: int) -> None:
    """Run every job in a fork of its own, at most `at_once` at a time.

    Raises:
        ForkFailed: if a job failed, after the others are killed.
    """
    running: set[int] = set()
    waiting = list(reversed(jobs))
    exit_on_sigterm()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.add(fork(waiting.pop()))
            process, status = os.wait()
            running.discard(process)
            if status:
                raise ForkFailed("a forked process", os.waitstatus_to_exitcode(status))
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
