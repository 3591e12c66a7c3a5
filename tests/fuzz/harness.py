"""Damaged inputs for the commands, and what every command must do with each of them."""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from genomics_pipeline.cli.main import main

HANG_SECONDS = 60  # a guard, no measurement: an input takes milliseconds
SHOWN_FAILURES, SHOWN_CHARACTERS = 5, 1500
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Hang(BaseException):
    """The error of an input that does not end; no handler of the program's catches it."""


@dataclass(frozen=True)
class Ended:
    """The end of a command: its exit code and what it printed."""

    code: int
    out: str
    err: str


def run_command(*arguments: str | Path) -> Ended:
    """Run a command in this process, and check that it ends as any command must.

    Its exit code is 0, 1 or 2, with a message if it is not 0. It prints no traceback, no unexpected error and no
    control characters.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err), _guard():
        try:
            main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code
    ended = Ended(int(code or 0), *map(_text, (out, err)))
    assert ended.code in (0, 1, 2), ended
    assert ended.code == 0 or ended.err.strip() or ended.out.strip(), ended
    assert "Traceback" not in ended.err, ended.err
    assert "unexpected" not in ended.err, ended.err
    assert not CONTROLS.search(ended.out + ended.err), ended
    return ended


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


@contextmanager
def _guard() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang(f"no end after {HANG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of every file below a folder."""
    return {
        str(path.relative_to(folder)): ((stat := path.lstat()).st_size, stat.st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def for_each_input(kind: str, numbers: range, check: Callable[[Random], object]) -> None:
    """Call a check with the randomness of each input, which depends on its kind and number only.

    Raises:
        AssertionError: if inputs fail, with the numbers and errors of the first ones.
    """
    failures = []
    for number in numbers:
        try:
            check(Random(f"{kind} {number}"))
        except (Exception, Hang) as error:
            failures.append(f"{kind} {number}: {type(error).__name__}: {error}"[:SHOWN_CHARACTERS])
    assert not failures, "\n".join([f"{len(failures)} inputs", *failures[:SHOWN_FAILURES]])


def batches(count: int, size: int = 250) -> list[range]:
    """Divide the numbers of inputs into ranges, one for each test.

    >>> batches(5, 2)
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [range(start, min(start + size, count)) for start in range(0, count, size)]
