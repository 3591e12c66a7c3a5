from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from genomics_pipeline.engine.events import (
    ChildEnded,
    ChildStarted,
    Event,
    JobEnded,
    JobStarted,
    MapRunEnded,
    MapRunStarted,
    Note,
    RetryScheduled,
    StateEntered,
)
from genomics_pipeline.report.progress import ProgressDisplay


def child(index: int, child_input: Any) -> ChildStarted:
    return ChildStarted("Sample", index, "uuid", child_input)


def job(index: int | None, state: str = "alignment") -> JobStarted:
    return JobStarted(f"job{index}", "n", "d", 1, 100, 0.0, state, "Sample" if index is not None else None, index)


def job_ended(index: int | None, code: int | None, reason: str | None = None, state: str = "alignment") -> JobEnded:
    label = "Sample" if index is not None else None
    return JobEnded(f"job{index}", "n", "d", code, reason, 1.26, state, label, index)


EVENTS: list[Event] = [
    MapRunStarted("Sample", "arn", 5, 1),
    child(0, {"item": {"sample": "s1", "patient": "p"}}),
    child(1, {"Items": [{"item": {"sample": "s2"}}, {"item": {"sample": "s3"}}, {"item": {"sample": "s4"}}]}),
    StateEntered("alignment", "Task", 0, "Sample", 0),
    job(0),
    job(1),
    Note("less memory than declared"),
    job_ended(0, 0),
    job_ended(1, 1, "R2 is short [red]"),
    RetryScheduled("alignment", 1, 5.0, "States.TaskFailed", "{}", "Sample", 1),
    job(1),
    job_ended(1, None, "cancelled"),
    ChildEnded("Sample", 0, "uuid", {}, "SUCCEEDED", None, None, 1),
    ChildEnded("Sample", 1, "uuid", {}, "FAILED", "e", "c", 3),
    MapRunEnded("Sample", "arn", "SUCCEEDED", 5, 3),
    job(None, "gather"),
    JobEnded("job", "n", "d", None, "Host EC2 (instance i-0) terminated.", 0.04, "gather", None, None, again=True),
    job_ended(None, 137, state="gather"),
]
LINES = """\
reference: r.fa
less memory than declared
alignment s1: done in 1.3 s (2 of 5)
alignment s2 +2: FAILED after 1.3 s: R2 is short [red]
alignment s2 +2: retry 1 in 5 s (States.TaskFailed)
alignment s2 +2: cancelled after 1.3 s
Sample: 3 of 5 failed
gather: tried again after 0.0 s: Host EC2 (instance i-0) terminated.
gather: FAILED after 1.3 s: exit code 137
"""


def tell(quiet: bool) -> None:
    with ProgressDisplay(quiet=quiet) as display:
        display.note("reference: r.fa")
        for event in EVENTS:
            display.event(event)


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    tell(quiet=False)
    assert tuple(capsys.readouterr()) == ("", LINES)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell(quiet=True)
    assert tuple(capsys.readouterr()) == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Replace standard error from now on; no fixture, since pytest puts its own back before the test begins."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    return stream


def test_on_a_terminal_only_what_is_worth_keeping_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    tell(quiet=False)
    text = stream.getvalue()
    assert [line for line in LINES.splitlines() if line not in text] == ["alignment s1: done in 1.3 s (2 of 5)"]


def test_a_terminal_that_cannot_draw_has_a_line_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    tell(quiet=False)
    assert stream.getvalue().replace("\x1b[0m", "") == LINES  # which `cli.main` lets click leave out


def test_a_job_that_follows_one_that_failed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(quiet=False) as display:
        failed = job_ended(None, 137, state="gather")
        for event in (job(None, "gather"), failed, job(None, "gather")):
            display.event(event)
        for event in (failed, replace(job(None, "gather"), memory_mib=200)):
            display.event(event)
        display.event(RetryScheduled("gather", 1, 0.945422, "Batch.AWSBatchException", "{}", None, None))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "gather: tried again",
        "gather: FAILED after 1.3 s: exit code 137",
        "gather: tried again, with 200 MiB",
        "gather: retry 1 in 0.95 s (Batch.AWSBatchException)",
    ]


def interrupt() -> None:
    with ProgressDisplay(quiet=False) as display:
        display.event(EVENTS[0])
        raise KeyboardInterrupt


def test_an_interrupt_leaves_the_terminal_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    text, hide, show = stream.getvalue(), "\x1b[?25l", "\x1b[?25h"
    assert text.rfind(show) > text.rfind(hide) >= 0


def test_a_reader_that_goes_away_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    tell(quiet=False)


def test_rich_is_not_imported_without_a_terminal() -> None:
    code = "import sys\nfrom genomics_pipeline.report.progress import ProgressDisplay\n"
    code += "with ProgressDisplay(quiet=False) as display: display.note('x')\nsys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_reused_work_is_called_so_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    reused = job_ended(1, 0)
    reused.reused = True
    with ProgressDisplay(quiet=False) as display:
        for event in (*EVENTS[:3], job(1), reused, job_ended(0, 0), job_ended(0, 0, state="variant_calling")):
            display.event(event)
    assert capsys.readouterr().err.splitlines() == [
        "alignment s2 +2: done before, reused (4 of 5)",
        "alignment s1: done in 1.3 s (5 of 5)",
        "variant_calling s1: done in 1.3 s (2 of 5)",
    ]
