"""samtools commands that turn a BAM or CRAM file into FASTQ text, which is read from a pipe.

The text ends with the exit code of the commands: without it, a command that fails half-way would look like the end of
the reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from common.alignment_header import open_alignments, refuse_other_sequences
from common.forks import ForkFailed, fork, wait_for
from common.program import KILLED, BadInput, say
from lanes import Extraction
from pysam.utils import SamtoolsError
from samtools_chain import CHUNK_BYTES, Command, large_pipe, messages_file, run_command, write_messages

_END = b"\0%03d\n"  # behind the text; FASTQ text has no NUL
_END_BYTES = 5
_UNNAMED = "none.bam"
_CONVERSIONS: list[int] = []  # the forks that this process has started


class Source(NamedTuple):
    """A BAM or CRAM file.

    Attributes:
        path: Its path, for messages.
        reference: The FASTA file of a CRAM file.
        collated: The records of each read follow each other.
        threads: The number of threads that may decompress it.
        part: The file to read in its place, which has a part of its reads; None for all of them.
        split: The command that wrote this part.
    """

    path: str
    reference: str
    collated: bool
    threads: int
    part: str | None = None
    split: Extraction | None = None

    @property
    def options(self) -> list[str]:
        """Samtools' options for reading it."""
        return ["--reference", self.reference, "-@", str(self.threads)]


def conversion(source: Source, paired: bool, others: Path) -> list[Extraction]:
    """Return the commands that write the text of pairs, or of single reads.

    Args:
        source: The file.
        paired: Pairs are asked for.
        others: A file for the reads of the other kind.
    """
    tags = ["-n", "-T", "RX"]
    rest = ["-0", f"{others}.0", "-s", f"{others}.s"] if paired else ["-1", str(others), "-2", str(others)]
    file, options = source.part or source.path, source.options
    commands: list[Command] = [["fastq", *options, *tags, *rest, file]]
    if paired and not source.collated:
        collate = ["collate", *options, "--no-PG", "-O", "-u", "-T", str(others.with_name("collate")), file]
        commands = [collate, ["fastq", *tags, *rest, "-"]]
    return [Extraction(command, messages_file(others.parent, command)) for command in commands]


def convert(source: Source, paired: bool, others: Path) -> Iterator[bytes]:
    """Start the commands of `conversion`, and return the pieces of their text.

    Args:
        source: The file.
        paired: Pairs are asked for.
        others: A file for the reads of the other kind, which is complete when the pieces end.
    """
    begin, end = large_pipe()
    commands = conversion(source, paired, others)

    def work() -> None:
        os.close(begin)
        code = _run_all(commands, end)
        if paired and not code:
            _join(others, [Path(f"{others}.0"), Path(f"{others}.s")])
        os.write(end, _END % code)

    _CONVERSIONS.append(fork(work, "samtools"))
    os.close(end)
    return _pieces(begin, source)


def wait_for_conversions() -> None:
    """Wait for the forks of `convert`, whose text was read, perhaps by another fork: their time is this program's."""
    while _CONVERSIONS:
        wait_for(_CONVERSIONS.pop())


def split_by_group(source: Source, number: int, folder: Path) -> list[Source]:
    """Write the reads of each read group to a file of its own, in the order of the header.

    Args:
        source: The file.
        number: The number of its read groups.
        folder: The folder of the files.

    Raises:
        BadInput: for a read without a read group, and for a damaged file.
        ForkFailed: if samtools failed.
    """
    unnamed, names = folder / _UNNAMED, str(folder / "%#.bam")
    kind = ["--output-fmt", "bam,level=1", "--no-PG"]
    command = ["split", *source.options, *kind, "-u", str(unnamed), "-f", names, source.path]
    split = Extraction(command, messages_file(folder, command))
    if code := wait_for(fork(lambda: _run(*split))):
        raise failure_of(source, code)
    with open_alignments(str(unnamed), source.reference) as file:
        for read in file.fetch(until_eof=True):
            expected = "expected each read to name a read group (RG), since the header has several"
            raise BadInput(f"{source.path}: {expected}, found {read.query_name}, which names none of them")
    unnamed.unlink()
    return [source._replace(part=str(folder / f"{place}.bam"), split=split) for place in range(number)]


def _pieces(begin: int, source: Source) -> Iterator[bytes]:
    """Yield the text in a pipe.

    Raises:
        BadInput: if the source is damaged.
        ForkFailed: if samtools failed.
    """
    tail = b""
    with os.fdopen(begin, "rb", buffering=0) as pipe:
        while piece := pipe.read(CHUNK_BYTES):
            text = tail + piece
            yield text[:-_END_BYTES]
            tail = text[-_END_BYTES:]
    code = int(tail[1:]) if len(tail) == _END_BYTES and tail[:1] == _END[:1] else KILLED
    if code:
        raise failure_of(source, code)


def failure_of(source: Source, code: int) -> ForkFailed | BadInput:
    """Return the error of commands that failed: about the file, if it cannot be read, else about the commands."""
    failure = ForkFailed("samtools", code)
    if failure.killed:
        return failure
    number = 0
    try:
        with open_alignments(source.path, source.reference) as file:
            for number, _ in enumerate(file.fetch(until_eof=True), 1):  # noqa: B007
                pass
    except OSError:
        return damage_of(source.path, source.reference, number)
    except BadInput as error:
        return error
    return failure


def damage_of(path: str, reference: str, number: int) -> BadInput:
    """Return why the records of a file cannot be read.

    Args:
        path: The file.
        reference: The FASTA file of a CRAM file.
        number: The number of records that can be read.
    """
    try:
        refuse_other_sequences(path, reference)
    except BadInput as error:
        return error
    return damaged(path, number)


def damaged(path: str, number: int) -> BadInput:
    """Return the error of a file of which so many records can be read."""
    expected = "expected whole alignments, found damage"
    return BadInput(f"{path}: {expected} behind record {number}: the file is cut off or changed")


def _run_all(commands: Sequence[Extraction], target: int) -> int:
    """Run one or two commands, the output of the first being the input of the second, and return their exit code."""
    processes = []
    source = os.open(os.devnull, os.O_RDONLY)
    for command in commands[:-1]:
        begin, end = large_pipe()
        processes.append(fork(connected(command.command, source, end, begin, messages=command.messages)))
        os.close(source)
        os.close(end)
        source = begin
    last = commands[-1]
    processes.append(fork(connected(last.command, source, target, messages=last.messages)))
    os.close(source)
    codes = [KILLED if code < 0 else code for code in map(wait_for, processes)]
    return max(codes)


def connected(
    command: Command, source: int, target: int, *closing: int, messages: Path | None = None
) -> Callable[[], None]:
    """Return the work of a fork that runs a command between two pipes.

    Args:
        command: The command.
        source: The descriptor of its input.
        target: The descriptor of its output.
        closing: Descriptors that only its parent uses.
        messages: The file for what the command says, if any.
    """

    def work() -> None:
        os.dup2(source, 0)
        os.dup2(target, 1)
        for descriptor in (source, target, *closing):
            os.close(descriptor)
        _run(command, messages)

    return work


def _run(command: Command, messages: Path | None) -> None:
    """Run a command; if it fails, print its messages, but no error: what is wrong with the file follows.

    Args:
        command: The command.
        messages: The file for what it says, if any.
    """
    try:
        run_command(command)
    except SamtoolsError as error:
        say(f"samtools {command[0]}: {error}")
        raise SystemExit(1) from None
    if messages:
        write_messages(command, messages)


def _join(target: Path, parts: Sequence[Path]) -> None:
    """Write files one after the other into one, and remove them."""
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    out.write(piece)
            part.unlink()
