"""samtools commands joined by pipes, each in a fork of this process: no new interpreter, no file between them."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Sequence

import pysam

Command = Sequence[str]
CHUNK_BYTES = 1 << 20
_SPARE = 64  # above every descriptor that is given a place
_ALL = 1 << 16


class ChainFailed(Exception):
    """A command of the chain failed; it has said why on standard error.

    Attributes:
        killed: By SIGKILL, as the system does when memory runs out.
    """

    def __init__(self, name: str, code: int) -> None:
        self.killed = code == -signal.SIGKILL
        how = "was killed by signal 9; it may have run out of memory" if self.killed else f"ended with exit code {code}"
        super().__init__(f"{name} {how}")


class Chain:
    """Running commands; each reads what the one before writes.

    Args:
        commands: samtools' subcommands and arguments, with ``-`` for the pipe.
        ends: Two of them that both read all that the last one writes, each with the file that its standard output
            goes to, if any.
    """

    def __init__(self, commands: Sequence[Command], ends: Sequence[tuple[Command, str | None]]) -> None:
        self._children: list[tuple[str, int]] = []
        source, self.input = _pipe()
        for command in commands:
            following, target = _pipe()
            self._fork(f"samtools {command[0]}", lambda c=command: _run(c), source, target)  # type: ignore[misc]
            source = following
        first, second = _pipe(), _pipe()
        self._fork("tee", _tee, source, first[1], second[1])
        for (command, printed), (begin, _) in zip(ends, (first, second), strict=True):
            self._fork(f"samtools {command[0]}", lambda c=command, p=printed: _run(c, p), begin)  # type: ignore[misc]

    def wait(self) -> None:
        """Wait for all of them, once the input is closed.

        Raises:
            ChainFailed: if one failed.
        """
        codes = [(name, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for name, pid in self._children]
        for name, code in sorted(codes, key=lambda end: end[1] != -signal.SIGKILL):  # its neighbours end with it
            if code:
                raise ChainFailed(name, code)

    def _fork(self, name: str, work: Callable[[], None], source: int, *targets: int) -> None:
        """A child that reads 0 and writes 1, and 3 where there is a second target; these are closed here."""
        if pid := os.fork():
            self._children.append((name, pid))
            for descriptor in (source, *targets):
                os.close(descriptor)
            return
        code = 1
        try:
            held = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _SPARE) for descriptor in (source, *targets)]
            for descriptor, place in zip(held, (0, 1, 3), strict=False):
                os.dup2(descriptor, place)
            os.closerange(max(3, len(held) + 1), _ALL)  # whoever holds an end of a pipe keeps it open
            work()
            code = 0
        except BrokenPipeError:
            pass  # whoever reads has ended, and said why
        except BaseException as error:  # the child must end here, whatever happened
            print(f"error: {name}: {str(error).strip()}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)


def _pipe() -> tuple[int, int]:
    """A pipe, as large as a user may have where the system lets us say so."""
    begin, end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    return begin, end


def _run(command: Command, printed: str | None = None) -> None:
    getattr(pysam.samtools, command[0])(*command[1:], catch_stdout=False, save_stdout=printed)


def _tee() -> None:
    """Standard input to two pipes."""
    while chunk := os.read(0, CHUNK_BYTES):
        for target in (1, 3):
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(target, rest) :]
