"""The picture of a running command in the README: the display of `run`, drawn from a fixed stream of events.

`make pictures` writes it again after a change of the display.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from genomics_pipeline.engine.events import (
    ChildEnded,
    ChildStarted,
    Event,
    JobEnded,
    JobStarted,
    JobUsage,
    MapRunStarted,
)
from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from genomics_pipeline.report.live import view
from genomics_pipeline.report.tally import Tally
from genomics_pipeline.report.time_left import TimeLeft

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
WIDTH = 96
NAMES = ("NA12878", "NA12891", "NA12892", "HG00096", "HG00097", "HG00099", "HG00100", "HG00101")
COMMAND = "$ genomics-pipeline run cohort.csv --reference GRCh38.fa --out my-run"


def expected(stage: str, vcpus: int, seconds: float, least_mib: int) -> LocalStage:
    needs = JobNeeds(vcpus, 24_576, lambda _: least_mib)
    return LocalStage(stage, needs, lambda child, cores: seconds * vcpus / cores)


EXPECTED = [
    LocalPhase("Sample", [expected("alignment", 8, 3000, 24_576), expected("variant_calling", 4, 2400, 4096)], 8, 1000),
    LocalPhase("Interval", [expected("aggregation", 2, 300, 4096)], 12, 1000),
    LocalPhase("gather", [expected("gather", 1, 60, 1024)], 1, 1),
]


def stream() -> Iterator[tuple[float, Event]]:
    """Yield the events of a run of eight samples on 16 cores, with their times in seconds."""
    yield 0, MapRunStarted("Sample", "arn", len(NAMES), 0)
    for index, name in enumerate(NAMES):
        yield 0, ChildStarted("Sample", index, "uuid", {"item": {"sample": name}})
    for index in range(4):
        started, seconds = 3300.0 * (index // 2), 3180.0 + 40 * index
        yield started, _started("alignment", index, 8, 24_576, 0)
        yield started + seconds, _ended("alignment", index, seconds)
    for index in range(2):
        yield 6600, _started("variant_calling", index, 4, 8_192, 0)
        yield 9000 + 60 * index, _ended("variant_calling", index, 2400.0 + 60 * index)
        status, items = ("FAILED" if index else "SUCCEEDED"), 1
        yield 9000 + 60 * index, ChildEnded("Sample", index, "uuid", {}, status, None, None, items)
    yield 9060, _started("alignment", 4, 8, 24_576, 18_230, TaskProgress(229_000_000, "reads", 0.334, 221_300.0))
    yield 9100, _started("variant_calling", 2, 4, 8_192, 3_105, TaskProgress(1_305_000_000, "bp", 0.422, 1_254_800.0))
    yield 9160, _started("variant_calling", 3, 4, 8_192, 2_988, TaskProgress(1_207_000_000, "bp", 0.391, 1_231_600.0))


def _started(
    stage: str, index: int, vcpus: int, memory_mib: int, used_mib: int, progress: TaskProgress | None = None
) -> JobStarted:
    usage = JobUsage(used_mib, progress)
    return JobStarted(f"{stage}{index}", "n", stage, vcpus, memory_mib, 0.0, stage, "Sample", index, usage)


def _ended(stage: str, index: int, seconds: float) -> JobEnded:
    failed = (stage, index) == ("variant_calling", 1)
    code, reason = (65, "expected a read group, found none") if failed else (0, None)
    return JobEnded(f"{stage}{index}", "n", stage, code, reason, seconds, stage, "Sample", index)


def picture() -> str:
    """Return the picture, which asks no server for a font."""
    clock = [0.0]
    tally = Tally(clock=lambda: clock[0])
    tally.expect(TimeLeft(EXPECTED, 16, 65_536))
    console = Console(file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="truecolor")
    console.print(COMMAND, highlight=False)
    for clock[0], event in sorted(stream(), key=itemgetter(0)):
        line = tally.take(event)
        if line is not None and not (isinstance(event, JobEnded) and event.exit_code == 0):
            console.print(line, highlight=False)
    clock[0] = 10_140.0
    console.print(view(tally, WIDTH))
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    assert "http" not in form.replace("http://www.w3.org/2000/svg", "").replace("https://www.textualize.io", "")
    return console.export_svg(title="genomics-pipeline", code_format=form, unique_id="terminal")


def test_the_picture_is_that_of_the_display() -> None:
    drawn = picture()
    if os.environ.get("GENOMICS_PIPELINE_RENEW_GOLDEN"):
        PICTURE.write_text(drawn, "utf-8")
    assert drawn == PICTURE.read_text("utf-8"), "run: make pictures"
    assert "](docs/pictures/terminal.svg)" in (ROOT / "README.md").read_text("utf-8")


def test_the_picture_shows_what_the_display_has() -> None:
    text = re.sub(r"<[^>]+>", "", picture()).replace("&#160;", " ")
    shown = ("left", "1 of 8 done", "1 failed", "HG00097", "18,230 of 24,576 MiB", "221,300 reads/s", "read group")
    for words in shown:
        assert words in text
