"""Lines of text files that a user gave, plain or gzip, within budgets."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

from genomics_pipeline.model.budgets import Budget
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class TextKind:
    """A kind of text file.

    Attributes:
        name: Its name, for messages, such as ``BED``.
        size: The budget of a file, decompressed.
        line: The budget of a line.
    """

    name: str
    size: Budget
    line: Budget


def text_lines(uri: str, kind: TextKind, store: Store) -> Iterator[bytes]:
    """Yield the lines of a file, without their ends.

    Args:
        uri: The file, which exists.
        kind: What it is expected to be.
        store: The store of the file.

    Raises:
        DataError: for a file or a line that is too long, and damaged compressed content.
        OSError: if the file cannot be read.
    """
    rest, size = b"", 0
    with store.open(uri) as stored, reported_damage():
        stream = open_decompressed(stored)
        while piece := stream.read(_PIECE_BYTES):
            size += len(piece)
            if size > kind.size.value:
                raise DataError(f"expected a {kind.name} file of at most {kind.size}, decompressed, found more")
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in _short(lines, kind))
            _short([rest], kind)
    if rest:
        yield rest.removesuffix(b"\r")


def line_problems(
    uri: str, lines: Iterable[bytes], misfit: Callable[[bytes], str | None], most: Budget
) -> Generator[Problem, None, bool]:
    """Yield the problems of the lines of a file, and return whether it was read to its end without one.

    Args:
        uri: The file.
        lines: Its lines, from the first.
        misfit: Returns what is wrong with a line, or None.
        most: The number of problems after which no line is checked.

    Raises:
        OSError: if the file cannot be read.
    """
    problems, number = 0, 0
    try:
        for number, line in enumerate(lines, 1):
            if message := misfit(line):
                problems += 1
                yield Problem(message, uri, number)
            if problems >= most.value:
                yield Problem(f"found {most} up to here; the rest was not checked", uri, number)
                return False
    except DataError as error:
        yield from (Problem(one.message, uri, number + 1) for one in error.problems)
        return False
    return not problems


def _short(lines: Iterable[bytes], kind: TextKind) -> Iterable[bytes]:
    """Return the lines.

    Raises:
        DataError: for one that is longer than its budget.
    """
    for line in lines:
        if len(line) > kind.line.value:
            raise DataError(f"expected lines of at most {kind.line}, found a longer one; is this a {kind.name} file?")
    return lines
