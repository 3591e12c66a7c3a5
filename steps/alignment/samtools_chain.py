"""samtools commands connected by pipes, each in a fork of this process: no new interpreter, no intermediate files."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pysam
from common.forks import ForkFailed, fork, wait_for
from common.program import StepError
from process_memory import without_huge_pages
from pysam.utils import SamtoolsError

Command = Sequence[str]
CHUNK_BYTES = 1 << 20
_TARGETS = (1, 3, 4, 5)  # the descriptors that a child may write to
_SPARE = 6  # the first descriptor number above those that a child uses; the limit of numbers may be low
_NO_SPACE = os.strerror(errno.ENOSPC)  # in these words, the worker knows a full disk
_ALL = 1 << 16  # more than all descriptors


class Consumer(NamedTuple):
    """A program that reads the output of a chain from standard input, in a fork: its name, and what it does."""

    name: str
    work: Callable[[], None]


class Reader(NamedTuple):
    """A program that reads the output of a chain from standard input, in a fork, and copies it to descriptors."""

    name: str
    work: Callable[[Sequence[int]], None]


def samtools_consumer(command: Command, folder: str, output: str | None = None) -> Consumer:
    """Return a command of samtools as a consumer.

    Args:
        command: Its name and arguments, with ``-`` for standard input.
        folder: A folder for what it says, see `messages_file`.
        output: The file for its standard output, if any.
    """
    return Consumer(f"samtools {command[0]}", lambda: _run_logged(command, folder, output))


class Chain:
    """Running commands, each of which reads the output of the one before it.

    Args:
        commands: samtools' subcommands and arguments, with ``-`` for the pipe.
        reader: The program that reads the output of the last one, and copies it to the others.
        consumers: The other programs, at most four.
        folder: A folder for what samtools says, see `messages_file`.
    """

    def __init__(self, commands: Sequence[Command], reader: Reader, consumers: Sequence[Consumer], folder: str) -> None:
        self._children: list[tuple[str, int]] = []
        source, self.input = large_pipe()
        for command in commands:
            following, target = large_pipe()
            self._fork(f"samtools {command[0]}", lambda c=command: _run_logged(c, folder), source, target)  # type: ignore[misc]
            source = following
        pipes = [large_pipe() for _ in consumers]
        targets = [end for _, end in pipes]
        self._fork(reader.name, lambda: reader.work(_TARGETS[: len(targets)]), source, *targets)
        for consumer, (begin, _) in zip(consumers, pipes, strict=True):
            self._fork(consumer.name, consumer.work, begin)

    def wait(self) -> None:
        """Wait for all commands, once the input is closed.

        Raises:
            ForkFailed: if one failed; of several, preferably one that was killed.
        """
        failures = [ForkFailed(name, code) for name, process in self._children if (code := wait_for(process))]
        if failures:  # the others ended because one was killed
            raise max(failures, key=lambda failure: failure.killed)

    def _fork(self, name: str, work: Callable[[], None], source: int, *targets: int) -> None:
        """Fork a child with the source as descriptor 0 and the targets as `_TARGETS`; close them in this process."""

        def connect_and_work() -> None:
            copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _SPARE) for descriptor in (source, *targets)]
            numbers = (0, *_TARGETS[: len(targets)])
            for descriptor, number in zip(copies, numbers, strict=True):
                os.dup2(descriptor, number)
            without_huge_pages()
            os.closerange(max(2, *numbers) + 1, _ALL)  # else this child would keep other pipes open
            work()

        self._children.append((name, fork(connect_and_work, name)))
        for descriptor in (source, *targets):
            os.close(descriptor)


def large_pipe() -> tuple[int, int]:
    """Make a pipe, of the largest size that any user may set where the system has such a setting.

    A user whose pipes have taken what all of them together may take gets one of the usual size (``man 7 pipe``).
    """
    begin, end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(PermissionError):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    return begin, end


def run_command(command: Command, output: str | None = None) -> None:
    """Run a command in this process, from standard input to standard output or a file.

    Args:
        command: The command.
        output: The file.

    Raises:
        SamtoolsError: if it failed.
        StepError: if it failed without a message: samtools has one for each failure, and pysam keeps it in a temporary
            file, so that the disk is full, if only until the command removed its own file.
    """
    try:
        getattr(pysam.samtools, command[0])(*command[1:], catch_stdout=False, save_stdout=output)
    except SamtoolsError as error:
        if str(error).rstrip("'").endswith("stderr="):
            raise StepError(f"expected a reason of its failure, found none: {_NO_SPACE}") from None
        raise


def _run_logged(command: Command, folder: str, output: str | None = None) -> None:
    run_command(command, output)
    write_messages(command, messages_file(folder, command))


def write_messages(command: Command, file: Path) -> None:
    """Write what a command of this process said to a file."""
    file.write_text(str(getattr(pysam.samtools, command[0]).get_messages() or ""))


def messages_file(folder: str | Path, command: Command) -> Path:
    """Return the file with what a command said, which is printed only if all of them succeed."""
    return Path(folder) / f"samtools-{command[0]}.messages"


def command_of(messages: Path) -> str:
    """Return the command whose messages a file holds.

    >>> command_of(Path("samtools-sort.messages"))
    'samtools sort'
    """
    return messages.stem.replace("-", " ")
