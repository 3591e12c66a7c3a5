"""samtools commands joined by pipes, each in a fork of this process: no new interpreter, no file between them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pysam

Command = Sequence[str]


class ChainFailed(Exception):
    """A command of the chain failed; it has said why on standard error."""


class Chain:
    """Running commands; each reads what the one before writes.

    Args:
        commands: samtools' subcommand and arguments, with ``-`` for the pipe.
    """

    def __init__(self, commands: Sequence[Command]) -> None:
        self._names = [command[0] for command in commands]
        self._pids: list[int] = []
        source, self.input = os.pipe()
        for number, command in enumerate(commands):
            last = number == len(commands) - 1
            following, target = (os.open(os.devnull, os.O_RDONLY), -1) if last else os.pipe()
            self._pids.append(_fork(command, source, target, {following, self.input}))
            os.close(source)
            if not last:
                os.close(target)
            source = following
        os.close(source)

    def wait(self) -> None:
        """Wait for all of them, once the input is closed.

        Raises:
            ChainFailed: if one failed.
        """
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in self._pids]
        for name, code in zip(self._names, codes, strict=True):
            if code:
                raise ChainFailed(f"samtools {name} ended with exit code {code}")


def run(command: Command, target: str | None = None) -> None:
    """Run one command to its end, what it prints in a file where one is given.

    Raises:
        ChainFailed: if it failed.
    """
    source = os.open(os.devnull, os.O_RDONLY)
    pid = _fork(command, source, -1, set(), target)
    os.close(source)
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise ChainFailed(f"samtools {command[0]} ended with exit code {code}")


def _fork(command: Command, source: int, target: int, foreign: set[int], printed: str | None = None) -> int:
    """A child that runs one command from the one descriptor to the other."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        for other in foreign:
            os.close(other)
        os.dup2(source, 0)
        if target >= 0:
            os.dup2(target, 1)
        for held in {source, target} - {0, 1, -1}:
            os.close(held)
        getattr(pysam.samtools, command[0])(*command[1:], catch_stdout=False, save_stdout=printed)
        code = 0
    except BaseException as error:  # the child must end here, whatever happened
        print(f"error: samtools {command[0]}: {str(error).strip()}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)
