"""The check of a whole FASTA file, in one pass and in bounded memory, which finds all problems with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.fasta_parts import FastaSplitter, LineLayout, Part
from genomics_pipeline.reference.names import ambiguous_names, length_problem, name_problem

CHUNK_BYTES = 1 << 22
BASES = b"ACGTNRYSWKMBDHVacgtnryswkmbdhv"  # IUPAC codes of DNA
BLANKS = b" \t\v\f"
BREAKS = b"\r\n"
_NO_BASE = re.compile(b"[^" + BASES + BLANKS + BREAKS + b"]")
_PROTEIN = "a reference consists of DNA; this looks like protein"
_GAPS = "a reference has no gaps: remove them with `seqkit seq --remove-gaps`"
_ADVICE = {
    **dict.fromkeys("EFIJLOPQZ", _PROTEIN),
    **dict.fromkeys("-.*", _GAPS),
    "U": "write RNA as DNA: `seqkit seq --rna2dna`",
    "X": "write unknown bases as N",
    ";": "remove comment lines, which begin with ';'",
    ">": "begin each sequence on a new line",
}
_BEGINNINGS = {
    b";": "; remove comment lines, which begin with ';'",
    b"\xef": "; remove the byte order mark",
    **dict.fromkeys((b"\n", b"\r", b" ", b"\t"), "; remove the blanks before the first '>'"),
}


@dataclass(frozen=True, slots=True)
class FastaCheck:
    """The result of the check of a file without problems.

    Attributes:
        regular: In each sequence all lines have one length, the last one apart, and there are no blanks.
        digest: `contigs_digest` of its sequences.
        bases: The number of all bases.
    """

    regular: bool
    digest: str
    bases: int


def contigs_digest(contigs: Iterable[Contig]) -> str:
    """Return a sha256 of the names and lengths of sequences, in order."""
    digest = sha256()
    for name, length_bp in contigs:
        digest.update(f"{name}\0{length_bp}\n".encode())
    return digest.hexdigest()


class FastaChecker:
    """A check of a FASTA file that is given in chunks.

    Args:
        uri: The name of the file in messages.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._splitter = FastaSplitter()
        self._problems: list[Problem] = []
        self._lines: dict[str, int] = {}  # of the sequences, by name
        self._header = bytearray()
        self._name = ""
        self._line, self._column = 1, 0
        self._layout = LineLayout()
        self._started = self._in_header = self._wrong_letter = False
        self._regular = True
        self._length = self._blank = self._bases = 0
        self._digest = sha256()

    def feed(self, chunk: bytes) -> None:
        """Check the next chunk.

        Raises:
            DataError: for a file that is no FASTA file or goes beyond a limit, with all problems so far.
        """
        if not self._started and chunk:
            self._check_beginning(chunk)
            self._started = True
        for part, piece in self._splitter.split(chunk):
            if part is Part.BASES:
                self._add_bases(piece)
            else:
                self._add_header(part, piece)

    def finish(self) -> FastaCheck:
        """Return the result, after the last chunk.

        Raises:
            DataError: with all problems.
        """
        if not self._started:
            self._stop("expected FASTA, beginning with '>', found an empty file", None)
        if self._in_header:
            self._refuse_lone_returns()
            self._end_header()
        self._end_sequence()
        problems = [*self._problems, *ambiguous_names(self._lines, self._uri)]
        if problems:
            raise DataError(sorted(problems, key=lambda problem: problem.line or 0)[: budgets.FASTA_ERRORS.value])
        return FastaCheck(self._regular, self._digest.hexdigest(), self._bases)

    def _check_beginning(self, chunk: bytes) -> None:
        if chunk[:2] in (b"\xff\xfe", b"\xfe\xff", b">\0", b"\0>"):
            advice = "write it anew as plain text: iconv -f UTF-16 -t UTF-8"
            self._stop(f"expected FASTA, beginning with '>', found text in UTF-16; {advice}", None)
        if chunk[:1] != b">":
            found = f"{chunk[:1]!r}{_BEGINNINGS.get(chunk[:1], '')}"
            self._stop(f"expected FASTA, beginning with '>', found {found}", None)

    def _add_header(self, part: Part, piece: bytes) -> None:
        if part is Part.NAME:
            self._end_sequence()
            self._header.clear()
            self._in_header = True
        self._header += piece
        if len(self._header) > budgets.FASTA_NAME_LINE.value:
            self._refuse_lone_returns()
            self._stop(f"expected a name line of at most {budgets.FASTA_NAME_LINE}, found a longer one", self._line)
        if piece.endswith(b"\n"):
            self._end_header()

    def _refuse_lone_returns(self) -> None:
        """Refuse line breaks that are carriage returns only, which make one name line of a whole file."""
        if b"\r" in self._header:
            found = "found carriage returns only, as old Macintosh files have; convert it: tr '\\r' '\\n'"
            self._stop(f"expected line feeds at the ends of lines, {found}", self._line)

    def _end_header(self) -> None:
        header, self._in_header = bytes(self._header), False
        name = b"" if header[:1].isspace() else (header.split(None, 1) or [b""])[0]
        self._name = name.decode("latin-1")
        if message := self._name_problem(name):
            self._add_problem(message, self._line)
        self._lines.setdefault(self._name, self._line)
        if len(self._lines) > budgets.FASTA_SEQUENCES.value:
            self._stop(f"expected at most {budgets.FASTA_SEQUENCES}, found more; join the short ones", self._line)
        self._name_line, self._line, self._column = self._line, self._line + header.endswith(b"\n"), 0
        self._layout = LineLayout()
        self._length = self._blank = 0
        self._wrong_letter = False

    def _name_problem(self, name: bytes) -> str | None:
        if not name:
            return "expected '>' and a name, found no name"
        if self._name in self._lines:
            again = f"{self._name!a} again (first on line {self._lines[self._name]})"
            return f"expected each sequence once, found {again}"
        return name_problem(name)

    def _end_sequence(self) -> None:
        if not self._lines:
            return
        if not self._length:
            self._add_problem(f"expected bases of the sequence {self._name!a}, found none", self._name_line)
        self._regular = self._regular and self._layout.end()
        self._digest.update(f"{self._name}\0{self._length}\n".encode())
        self._bases += self._length

    def _add_bases(self, piece: bytes) -> None:
        returns, breaks = piece.count(b"\r"), piece.count(b"\n")
        others = piece.translate(None, BASES + BREAKS)
        letters = others.translate(None, BLANKS)
        if letters and not self._wrong_letter:
            self._add_wrong_letter(piece)
        blank = returns + breaks + len(others) - len(letters)
        self._regular = self._regular and len(others) == len(letters)
        self._layout.add(piece, self._column, breaks, returns)
        self._length += len(piece) - blank
        self._blank += blank
        if message := length_problem(self._name, self._length):
            self._stop(message, self._name_line)
        if self._blank > self._length + budgets.FASTA_BLANKS.value:
            found = f"{self._length} and {self._blank} blanks and line breaks"
            self._stop(f"expected bases of the sequence {self._name!a}, found {found}", self._line)
        self._line += breaks
        last = piece.rfind(b"\n")
        self._column = len(piece) - last - 1 if last >= 0 else self._column + len(piece)

    def _add_wrong_letter(self, piece: bytes) -> None:
        """Add the problem of the first byte of a sequence that is no base."""
        found = _NO_BASE.search(piece)
        assert found is not None
        self._wrong_letter = True
        before = piece.rfind(b"\n", 0, found.start())
        line = self._line + piece.count(b"\n", 0, found.start())
        column = found.start() - before if before >= 0 else self._column + found.start() + 1
        letter = found[0].decode("latin-1")
        shown = repr(letter) if letter.isascii() and letter.isprintable() else f"the byte 0x{found[0].hex()}"
        expected = f"expected bases of the sequence {self._name!a} (A, C, G, T, N or another IUPAC code)"
        self._add_problem(f"{expected}, found {shown}; {_ADVICE.get(letter.upper(), 'remove it')}", line, column)

    def _add_problem(self, message: str, line: int, column: int | None = None) -> None:
        self._problems.append(Problem(message, self._uri, line, column))
        if len(self._problems) == budgets.FASTA_ERRORS.value:
            self._stop(f"{budgets.FASTA_ERRORS} so far; the rest of the file was not read", line)

    def _stop(self, message: str, line: int | None) -> None:
        """Raise all problems so far, and one more."""
        raise DataError([*self._problems, Problem(message, self._uri, line)])
