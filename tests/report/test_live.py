from __future__ import annotations

import io

import pytest
from rich.console import Console

from genomics_pipeline.engine.events import ChildEnded, ChildStarted, JobEnded, JobStarted, JobUsage, MapRunStarted
from genomics_pipeline.report.live import view
from genomics_pipeline.report.tally import Tally
from genomics_pipeline.report.time_left import ExpectedStage, TimeLeft


def render(tally: Tally, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(view(tally, width))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_bars_and_running_jobs() -> None:
    now = 10.0
    tally = Tally(clock=lambda: now)
    tally.take(MapRunStarted("Sample", "arn", 20, 2))
    for index in range(14):
        tally.take(ChildStarted("Sample", index, "uuid", {"item": {"sample": f"s{index}"}}))
    for index in (0, 1):
        status = "FAILED" if index else "SUCCEEDED"
        tally.take(ChildEnded("Sample", index, "uuid", {}, status, None, None, 1))
    for index in range(2, 14):
        tally.take(JobStarted(f"j{index}", "n", "d", 1, 1, 0.0, "alignment", "Sample", index))
    now = 13.4
    first, *jobs, last = render(tally).splitlines()
    assert (first.split()[0], first.endswith("  3 of 20 done, 12 running, 1 failed")) == ("Sample", True)
    assert jobs == [f"  {f'alignment s{index}':<13}      3 s            1 MiB" for index in range(2, 12)]
    assert last == "  and 2 more jobs"


def test_memory_beside_its_limit_and_the_time_that_is_left() -> None:
    now = 0.0
    tally, usage = Tally(clock=lambda: now), JobUsage()
    tally.take(MapRunStarted("Sample", "arn", 4, 0))
    for index in range(4):
        tally.take(ChildStarted("Sample", index, "uuid", {"item": {"sample": f"s{index}"}}))
    tally.take(JobStarted("j0", "n", "d", 2, 4096, 0.0, "alignment", "Sample", 0))
    tally.expect(TimeLeft([ExpectedStage("alignment", "sample", 9, 50, 2)], 2))
    assert [one.partition("  ")[0] for one in render(tally).splitlines()] == ["all", "Sample", ""]
    assert render(tally).splitlines()[0].endswith("  0%")
    now = 100.0
    tally.take(JobEnded("j0", "n", "d", 0, None, 100.0, "alignment", "Sample", 0))
    tally.take(ChildEnded("Sample", 0, "uuid", {}, "SUCCEEDED", None, None, 1))
    tally.take(JobStarted("j1", "n", "d", 2, 4096, 0.0, "alignment", "Sample", 1, usage))
    usage.memory_mib = 1234
    everything, _, job = render(tally).splitlines()
    assert everything.endswith("  25%, about 5 min 00 s left")
    assert job == "  alignment s1      0 s   1,234 of 4,096 MiB"
    tally.take(JobEnded("j1", "n", "d", 1, "bad", 10.0, "alignment", "Sample", 1))
    tally.take(ChildEnded("Sample", 1, "uuid", {}, "FAILED", "e", "c", 1))
    assert render(tally).splitlines()[0].endswith("  50%, about 3 min 20 s left")


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    tally = Tally(clock=lambda: 3661.0)
    tally.take(MapRunStarted("Sample", "arn", 10_000, 0))
    tally.take(ChildStarted("Sample", 0, "uuid", {"item": {"sample": "long-name-" * 9}}))
    tally.take(ChildStarted("Sample", 1, "uuid", {"item": {"sample": "\x1b[2Jevil\r\n"}}))
    for index in range(2):
        tally.take(JobStarted(f"j{index}", "n", "d", 2, 65536, 0.0, "alignment", "Sample", index, JobUsage(60000)))
    tally.expect(TimeLeft([ExpectedStage("alignment", "sample", 9, 50, 2)], 2))
    lines = render(tally, width).splitlines()
    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    assert all("60,000 of 65,536 MiB" in line for line in lines[2:])
    assert "\x1b" not in "".join(lines)


def test_an_empty_map_run() -> None:
    tally = Tally(clock=lambda: 0)
    tally.take(MapRunStarted("Sample", "arn", 0, 0))
    assert render(tally).endswith("0 of 0 done")
