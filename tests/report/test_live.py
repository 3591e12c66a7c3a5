from __future__ import annotations

import io

from rich.console import Console

from genomics_pipeline.engine.events import ChildEnded, ChildStarted, JobStarted, MapRunStarted
from genomics_pipeline.report.live import view
from genomics_pipeline.report.tally import Tally


def render(tally: Tally) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(view(tally))
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
    bar = "━" * 30
    jobs = "".join(f"  alignment s{index}  3 s\n" for index in range(2, 12))
    expected = f"Sample  {bar}  3 of 20 done, 12 running, 1 failed\n{jobs}  and 2 more jobs"
    assert render(tally).replace("╸", "━").replace("╺", "━").replace(" " * 24, "━" * 24) == expected


def test_an_empty_map_run() -> None:
    tally = Tally(clock=lambda: 0)
    tally.take(MapRunStarted("Sample", "arn", 0, 0))
    assert render(tally).endswith("0 of 0 done")
