"""The report of a program's failure, and that of its forks: one line, after the traceback of a fault."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pysam.utils import SamtoolsError

from common.forks import fork, wait_for
from common.program import BadInput, StepError, report, run_program

FAULT = "(unexpected; the log has the traceback)"
ERRORS = [
    (BadInput("a.fq: expected reads"), 65, "error: a.fq: expected reads"),
    (StepError("two\nlines"), 1, "error: two lines"),
    (SamtoolsError("view failed"), 1, "error: 'view failed'"),  # type: ignore[no-untyped-call]
    (OSError(24, "Too many open files", "a.bam"), 1, "error: [Errno 24] Too many open files: 'a.bam'"),
    (MemoryError(), 137, "error: MemoryError"),
    (KeyError("sample"), 1, f"error: KeyError: 'sample' {FAULT}"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 1, "error: UnicodeDecodeError: 'utf-8' codec can't decode"),
    (RecursionError("deep\ndown"), 1, f"error: RecursionError: deep down {FAULT}"),
]
IDS = [type(error).__name__ for error, _, _ in ERRORS]


def raise_it(error: Exception) -> Callable[..., None]:
    def work(*_: Any) -> None:
        raise error

    return work


@pytest.mark.parametrize(("error", "code", "line"), ERRORS, ids=IDS)
def test_a_program_reports_any_error_on_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    line: str,
) -> None:
    (tmp_path / "task.json").write_text("{}")
    monkeypatch.setattr(sys, "argv", ["program", str(tmp_path / "task.json")])
    assert run_program(raise_it(error)) == code
    check(capfd.readouterr().err, line)


@pytest.mark.parametrize(("error", "code", "line"), ERRORS, ids=IDS)
def test_a_fork_reports_any_error_on_one_line(
    capfd: pytest.CaptureFixture[str], error: Exception, code: int, line: str
) -> None:
    assert wait_for(fork(raise_it(error), "a fork")) == code
    check(capfd.readouterr().err, line.replace("error: ", "error: a fork: ", 1))


def check(printed: str, line: str) -> None:
    *before, last = printed.splitlines()
    assert last.startswith(line)
    assert [one for one in before if one.startswith("error: ")] == []
    assert ("Traceback (most recent call last):" in before) == ("Error: " in line)


@pytest.mark.parametrize("text", ["", "{", json.dumps({"inputs": {}})])
def test_a_task_file_that_cannot_be_used_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "task.json").write_text(text)
    monkeypatch.setattr(sys, "argv", ["program", str(tmp_path / "task.json")])
    assert run_program(lambda task: task["inputs"]["reads"]) == 1
    assert capfd.readouterr().err.splitlines()[-1].endswith(FAULT)


class Pieces(io.RawIOBase):
    """A file that keeps what is written, in pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        return len(data)


def test_a_line_is_written_in_one_piece_where_python_buffers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks share standard error: nothing of another may come between a message and the end of its line."""
    written = Pieces()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, write_through=True))  # type: ignore[type-var]
    report(BadInput("a.fq: expected reads"))
    assert written.pieces == [b"error: a.fq: expected reads\n"]
