"""A copy of a FASTA file as samtools and bwa need it: lines of one length, no blanks."""

from __future__ import annotations

from typing import BinaryIO

from genomics_pipeline.reference.fasta import BLANKS, BREAKS
from genomics_pipeline.reference.fasta_parts import FastaSplitter, Part

LINE_BASES = 60


class CleanCopy:
    """A writer of a clean copy of a FASTA file that is given in chunks.

    Args:
        out: The file to write.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._splitter = FastaSplitter()
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Write the next chunk."""
        for part, piece in self._splitter.split(chunk):
            if part is Part.BASES:
                self._write_lines(piece.translate(None, BLANKS + BREAKS))
            else:
                self._end_line()
                self._out.write((b">" if part is Part.NAME else b"") + piece)

    def finish(self) -> None:
        """Write the last line, after the last chunk."""
        self._end_line()

    def _write_lines(self, bases: bytes) -> None:
        bases = self._rest + bases
        whole = len(bases) - len(bases) % LINE_BASES
        lines = [bases[start : start + LINE_BASES] for start in range(0, whole, LINE_BASES)]
        if lines:
            self._out.write(b"\n".join(lines) + b"\n")
        self._rest = bases[whole:]

    def _end_line(self) -> None:
        if self._rest:
            self._out.write(self._rest + b"\n")
        self._rest = b""
