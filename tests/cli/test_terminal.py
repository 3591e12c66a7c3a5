"""`run` in a terminal: a bar of the whole run, a line for each running job, and at its end the terminal as before."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable
from contextlib import suppress

import pytest

from tests.pseudo_terminal import InTerminal, run_in_terminal
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"  # the cursor
MEMORY = re.compile(rb"[1-9][\d,]* of [\d,]+ MiB")
MOVEMENT = re.compile(r"\x1b\[\d*[A-HJK]")  # of the cursor, and lines that are erased
BAR = re.compile(r"^all .* (\d+)%, about [\d hmins]+ left$")  # after the first job that ended
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": "@a\nACGT\n+\nIIII\n", "B" * 60: "@b\nACGT\n+\nIIII\n"})
    return project


def lines(printed: bytes) -> list[str]:
    """Return the lines that were ever shown, without colours and movements."""
    apart = MOVEMENT.sub("\n", printed.decode())
    return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPE.sub("", apart)) if line.strip()]


def both_run(shown: Iterable[str]) -> bool:
    """Return whether a line says that both samples run."""
    return any(line.startswith("Sample") and line.endswith("0 of 2 done, 2 running") for line in shown)


class Gate:
    """A named pipe that jobs wait at.

    Args:
        small: The project of the jobs.
    """

    def __init__(self, small: SmallProject) -> None:
        self._pipe = small.folder / "gate"
        os.mkfifo(self._pipe)
        self.arguments = small.arguments("--param", f"copying.program=open({str(self._pipe)!r}).read()")

    def open(self) -> None:
        """Let the jobs go on that wait."""
        with suppress(OSError):  # none waits
            os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("columns", [80, 40])
def test_jobs_with_their_time_and_memory(small: SmallProject, columns: int) -> None:
    gate = Gate(small)

    def on_output(terminal: InTerminal) -> None:
        if MEMORY.search(terminal.printed) and (columns == 40 or both_run(lines(terminal.printed))):
            gate.open()

    ended = run_in_terminal(gate.arguments, {}, columns, on_output)
    assert ended.process.returncode == 0
    shown = lines(ended.printed)
    jobs = [line for line in shown if re.fullmatch(r"  (copying |…)?[AB]+ +\d+ s +([\d,]+ of )?[\d,]+ MiB", line)]
    assert any(" of " in line for line in jobs)
    assert all(len(line) <= columns for line in jobs)
    assert both_run(shown) or columns == 40
    assert ended.printed.count(HIDE) == ended.printed.count(SHOW) > 0


def test_a_terminal_that_becomes_narrow(small: SmallProject) -> None:
    gate, resized = Gate(small), list[int]()

    def on_output(terminal: InTerminal) -> None:
        if not resized and b" MiB" in terminal.printed and b"B" * 60 in terminal.printed:
            resized.append(len(terminal.printed))
            terminal.resize(40)
        elif resized and b"MiB" in terminal.printed[resized[0] + 1000 :]:
            gate.open()

    ended = run_in_terminal(gate.arguments, {}, 120, on_output)
    assert ended.process.returncode == 0
    after = lines(ended.printed[resized[0] :])
    assert any("B" * 60 in line for line in lines(ended.printed[: resized[0]]))
    jobs = [line for line in after if line.startswith("  ") and line.endswith("MiB")]
    assert jobs
    assert len(jobs[-1]) <= 40


def test_ctrl_c_gives_the_cursor_back(small: SmallProject) -> None:
    pressed: list[bool] = []

    def on_output(terminal: InTerminal) -> None:
        if not pressed and b" MiB" in terminal.printed:
            pressed.append(True)
            terminal.press(b"\x03")

    ended = run_in_terminal(Gate(small).arguments, {}, 80, on_output)
    assert ended.process.returncode in (130, -signal.SIGINT)
    assert ended.printed.rfind(SHOW) > ended.printed.rfind(HIDE) >= 0


def test_names_of_files_cannot_control_the_terminal(small: SmallProject) -> None:
    evil = "evil\x1b]0;PWNED\x07.fastq"
    (small.folder / evil).write_text("@r\nACGT\n+\nIIII\n")
    small.sheet({"A": evil})
    message = "print('\\x1b]0;PWNED\\x07'); raise SystemExit('\\x1b[2Jbad ' + reads)"
    ended = run_in_terminal(small.arguments("--param", f"copying.program={message}"), {})
    assert ended.process.returncode == 1
    assert b"PWNED" in ended.printed
    assert b"\x1b]0" not in ended.printed
    assert b"\x1b[2J" not in ended.printed


@pytest.mark.parametrize(("option", "has_lines"), [("--quiet", False), ("--verbose", True)])
def test_quiet_shows_nothing_while_it_runs(small: SmallProject, option: str, has_lines: bool) -> None:
    ended = run_in_terminal(small.arguments(option), {})
    assert ended.process.returncode == 0
    assert (HIDE in ended.printed) is has_lines
    assert "copying" not in lines(ended.printed)[0] or has_lines


def test_no_colours_but_the_same_lines(small: SmallProject) -> None:
    ended = run_in_terminal(small.arguments(), {"NO_COLOR": "1"})
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|38|9[0-7])[;m]", ended.printed)
    assert HIDE in ended.printed


def test_the_bar_of_the_whole_run(small: SmallProject) -> None:
    gate, seen = Gate(small), list[str]()
    small.step("alignment", COPY, COPY_DECLARATIONS)  # whose rates are known by its name
    small.pipeline(stage_toml("copying", "./alignment", "copies", {"reads": "sample.reads"}))

    def on_output(terminal: InTerminal) -> None:
        bars = [line for line in lines(terminal.printed) if BAR.search(line)]
        if bars:
            seen.append(bars[0])
            gate.open()  # again with every output, since the job may not wait yet

    waits = f"if 'B' in task['item']['sample']: open({str(small.folder / 'gate')!r}).read()"
    ended = run_in_terminal(small.arguments("--param", f"copying.program={waits}"), {}, on_output=on_output)
    assert ended.process.returncode == 0, seen
    found = BAR.search(seen[0])
    assert found is not None
    assert 0 < int(found[1]) < 100
