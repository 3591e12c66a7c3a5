"""FASTA files in pieces of bounded size: name lines and lines of bases, however long they are."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum


class Part(Enum):
    """The kinds of pieces of a FASTA file."""

    NAME = "the beginning of a name line, without its >"
    MORE = "more of a name line"
    BASES = "part of a line of bases, or many lines"


class FastaSplitter:
    r"""A splitter of a FASTA file that is given in chunks.

    >>> splitter = FastaSplitter()
    >>> [(part.name, piece) for chunk in (b">a", b" b\nAC\nGT\n>c\nA") for part, piece in splitter.split(chunk)]
    [('NAME', b'a'), ('MORE', b' b\n'), ('BASES', b'AC\nGT\n'), ('NAME', b'c\n'), ('BASES', b'A')]
    """

    def __init__(self) -> None:
        self._part = Part.BASES
        self._at_start = True  # of a line

    def split(self, chunk: bytes) -> Iterator[tuple[Part, bytes]]:
        """Yield the pieces of the next chunk."""
        start = 0
        while start < len(chunk):
            if self._part is Part.BASES and self._at_start and chunk[start : start + 1] == b">":
                self._part, start = Part.NAME, start + 1
            in_bases = self._part is Part.BASES
            if in_bases:
                found = chunk.find(b"\n>", start) if chunk.find(b">", start) >= 0 else -1  # the latter is much faster
            else:
                found = chunk.find(b"\n", start)
            end = found + 1 if found >= 0 else len(chunk)
            yield self._part, chunk[start:end]
            self._at_start = chunk[end - 1 : end] == b"\n"
            if not in_bases:
                self._part = Part.BASES if self._at_start else Part.MORE
            start = end


class LineLayout:
    """The lines of one sequence, given in pieces.

    samtools and bwa need lines of one length, the last one apart, and no blanks.

    Attributes:
        regular: True as long as they are so.
    """

    def __init__(self) -> None:
        self.regular = True
        self._line_bytes: int | None = None  # with the line break
        self._ended = False  # after a shorter line
        self._breaks = self._returns = 0
        self._after_return = False

    def add(self, piece: bytes, column: int, breaks: int, returns: int) -> None:
        r"""Add a piece.

        Args:
            piece: The piece.
            column: The number of bytes of its first line that came before it.
            breaks: The number of \n in it.
            returns: The number of \r in it.
        """
        self._breaks += breaks
        self._returns += returns
        if returns or self._after_return:
            self.regular = self.regular and not self._has_lone_return(piece, returns)
        if self._ended:
            self.regular = self.regular and not piece.strip(b"\r\n")
        elif self.regular:
            self._add_lines(piece, column, breaks)

    def _has_lone_return(self, piece: bytes, returns: int) -> bool:
        r"""Return whether there is a \r that is not followed by \n."""
        before, self._after_return = self._after_return, piece.endswith(b"\r")
        return (before and not piece.startswith(b"\n")) or returns - self._after_return != piece.count(b"\r\n")

    def end(self) -> bool:
        """Return whether all lines are regular, and have the same kind of line break."""
        return self.regular and not self._after_return and self._returns in (0, self._breaks)

    def _add_lines(self, piece: bytes, column: int, breaks: int) -> None:
        if self._line_bytes is None:
            first = piece.find(b"\n")
            if first < 0:
                return
            self._line_bytes = column + first + 1
            piece, column, breaks = piece[first + 1 :], 0, breaks - 1
        if not piece:
            return
        ends = piece[self._line_bytes - 1 - column :: self._line_bytes] if column < self._line_bytes else None
        if ends is None or ends.count(b"\n") != len(ends) or len(ends) != breaks:
            self._find_short_line(piece, column)

    def _find_short_line(self, piece: bytes, column: int) -> None:
        """Find the line that differs: a shorter one must be the last."""
        assert self._line_bytes is not None
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            length = column + end - start + 1
            if length != self._line_bytes:
                self._ended = length < self._line_bytes
                self.regular = self._ended and not piece[end + 1 :].strip(b"\r\n")
                return
            start, column = end + 1, 0
        self.regular = column + len(piece) - start < self._line_bytes
