"""The standard streams of a command, which never end it: neither a full disk, a closed pipe nor an encoding does."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Mapping
from typing import TextIO

from genomics_pipeline.report.output import echo_line

ERRORS = "genomics_pipeline.plain"  # the name of our handler of characters that an encoding lacks
PLAIN: Mapping[str, str] = {"–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "→": "->", "≥": ">=", "≤": "<="}
_NULL_MODES = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)  # by descriptor


class LastingFile(io.RawIOBase):
    """A file that remembers its first failure to write, and accepts and discards everything after it.

    Args:
        descriptor: The descriptor of the file, which stays open.

    Attributes:
        failure: The error; None as long as everything was written.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        """Write bytes, waiting where the reader of a non-blocking pipe is slow, and return their number."""
        rest = memoryview(data).cast("B")  # type: ignore[arg-type]
        size = len(rest)
        while rest and self.failure is None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.failure = error
        return size


def secure_streams() -> None:
    """Replace the standard streams of this process by ones whose failures end nothing.

    A closed descriptor becomes the null device, or the next file that is opened would get what is printed. Streams that
    were replaced before, such as by a test, are left alone.
    """
    codecs.register_error(ERRORS, _plain)
    for descriptor, mode in enumerate(_NULL_MODES):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # the lowest free descriptor is this one
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if sys.stdout is sys.__stdout__:
        sys.stdout = _lasting(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _lasting(sys.stderr, 2)


def output_failure() -> OSError | None:
    """Return the error after which standard output was discarded; None if there was none."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.failure if isinstance(raw, LastingFile) else None


def flush_streams(code: int, is_product: bool) -> int:
    """Write what is still buffered, report output that was lost, and return the exit code.

    Args:
        code: The exit code of the command.
        is_product: Whether standard output is all that the command makes, so that losing it is a failure.
    """
    sys.stdout.flush()
    failure = output_failure()
    if failure is not None and failure.errno not in (errno.EPIPE, errno.EBADF):  # nobody wants it
        word, code = ("error", max(code, 1)) if is_product else ("warning", code)
        echo_line(f"{word}: standard output: {failure.strerror}; the output is incomplete", err=True)
    sys.stderr.flush()
    return code


def _lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = stream.encoding if stream else "utf-8"
    is_immediate = descriptor == 2 or os.isatty(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(LastingFile(descriptor)), encoding=encoding, errors=ERRORS, line_buffering=is_immediate
    )


def _plain(error: UnicodeError) -> tuple[str, int]:
    r"""Return plain characters for those that an encoding lacks; an escape for a byte that a name could not hold.

    >>> codecs.register_error(ERRORS, _plain)
    >>> "– 5 × ü … \udce9".encode("ascii", ERRORS)
    b'- 5 x ? ... \\xe9'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain_character, error.object[error.start : error.end])), error.end


def _plain_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name, by PEP 383
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else PLAIN.get(character, "?")
