from __future__ import annotations

import io

import pytest
from rich.console import Console

from genomics_pipeline.engine.events import ChildEnded, ChildStarted, JobEnded, JobStarted, JobUsage, MapRunStarted
from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from genomics_pipeline.report.live import view
from genomics_pipeline.report.tally import Tally
from genomics_pipeline.report.time_left import TimeLeft


def expected(children: int) -> TimeLeft:
    stage = LocalStage("alignment", JobNeeds(2, 4096, lambda _: 100), lambda child, vcpus: 100 / vcpus)
    return TimeLeft([LocalPhase("Sample", [stage], children, 1000)], 2, 8000)


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
    tally.await_expectation()
    tally.take(MapRunStarted("Sample", "arn", 4, 0))
    for index in range(4):
        tally.take(ChildStarted("Sample", index, "uuid", {"item": {"sample": f"s{index}"}}))
    tally.take(JobStarted("j0", "n", "d", 2, 4096, 0.0, "alignment", "Sample", 0))
    tally.expect(expected(4))
    assert [one.partition("  ")[0] for one in render(tally).splitlines()] == ["all", "Sample", ""]
    assert render(tally).splitlines()[0].endswith("  0%, 2 min 15 s to 8 min 33 s left")
    now = 100.0
    tally.take(JobEnded("j0", "n", "d", 0, None, 100.0, "alignment", "Sample", 0))
    tally.take(ChildEnded("Sample", 0, "uuid", {}, "SUCCEEDED", None, None, 1))
    tally.take(JobStarted("j1", "n", "d", 2, 4096, 0.0, "alignment", "Sample", 1, usage))
    usage.memory_mib = 1234
    everything, _, job = render(tally).splitlines()
    assert everything.endswith("  25%, about 5 min 07 s left")
    assert job == "  alignment s1      0 s   1,234 of 4,096 MiB"
    tally.take(JobEnded("j1", "n", "d", 1, "bad", 10.0, "alignment", "Sample", 1))
    tally.take(ChildEnded("Sample", 1, "uuid", {}, "FAILED", "e", "c", 1))
    now = 110.0
    assert render(tally).splitlines()[0].endswith("  33%, 2 min 44 s to 4 min 30 s left")


def test_the_speed_of_programs_that_say_how_far_they_are() -> None:
    tally = Tally(clock=lambda: 61.0)
    tally.take(MapRunStarted("Sample", "arn", 3, 0))
    progress = [TaskProgress(9, "reads", 0.42, 18_400.4), TaskProgress(9, "bp", None, 20.0), None]
    for index, one in enumerate(progress):
        tally.take(ChildStarted("Sample", index, "uuid", {"item": {"sample": f"s{index}"}}))
        usage = JobUsage(100, one)
        tally.take(JobStarted(f"j{index}", "n", "d", 1, 4096, 0.0, "align", "Sample", index, usage))
    assert render(tally).splitlines()[1:] == [
        "  align s0      0 s  42%  18,400 reads/s     100 of 4,096 MiB",
        "  align s1      0 s              20 bp/s     100 of 4,096 MiB",
        "  align s2      0 s                          100 of 4,096 MiB",
    ]
    assert "reads/s" not in render(tally, 60)


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    tally = Tally(clock=lambda: 3661.0)
    tally.take(MapRunStarted("Sample", "arn", 10_000, 0))
    tally.take(ChildStarted("Sample", 0, "uuid", {"item": {"sample": "long-name-" * 9}}))
    tally.take(ChildStarted("Sample", 1, "uuid", {"item": {"sample": "\x1b[2Jevil\r\n"}}))
    for index in range(2):
        tally.take(JobStarted(f"j{index}", "n", "d", 2, 65536, 0.0, "alignment", "Sample", index, JobUsage(60000)))
    tally.expect(expected(4))
    lines = render(tally, width).splitlines()
    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    assert all("60,000 of 65,536 MiB" in line for line in lines[2:])
    assert "\x1b" not in "".join(lines)


def test_a_narrow_terminal_tells_the_samples_apart() -> None:
    tally = Tally(clock=lambda: 4.0)
    tally.take(MapRunStarted("Sample", "arn", 2, 0))
    for index in range(2):
        tally.take(ChildStarted("Sample", index, "uuid", {"item": {"sample": f"NA1287{index}"}}))
        job = JobStarted(f"j{index}", "n", "d", 2, 4096, 0.0, "variant_calling", "Sample", index, JobUsage(37 * index))
        tally.take(job)
    assert render(tally, 40).splitlines()[1:] == [
        "  NA12870      0 s            4,096 MiB",
        "  NA12871      0 s      37 of 4,096 MiB",
    ]


def test_an_empty_map_run() -> None:
    tally = Tally(clock=lambda: 0)
    tally.take(MapRunStarted("Sample", "arn", 0, 0))
    assert render(tally).endswith("0 of 0 done")
