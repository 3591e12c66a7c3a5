"""Blocks ``console`` of a page: commands behind ``$ ``, run in one folder, and what they print.

A line that is ``…`` stands for any lines. Both sides are compared without what differs between two runs: times,
durations, folders, columns' widths, parts of names that are drawn.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = "/home/ada"  # the folder of the page's reader
PROGRAM = f"{HOME}/genomics-pipeline"  # the folder of the program
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"
DURATION = r"\b\d[\d,]*(\.\d+)? ?(s|ms|min|minutes?|seconds?|h)\b"
SAME = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(f"{DURATION}( {DURATION})*"), "DURATION"),
    (re.compile(r"\d+\.\d$"), "SECONDS"),  # at the end of a row of a table
    (re.compile(r"\b[\d,]+ MiB\b"), "MEMORY"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "JOB"),
    (re.compile(r"(task-\w+-\w+)-[0-9a-f]{8}"), r"\1-DRAWN"),
    (re.compile(r"\b[\d,]+ (bytes|kB|MB)\b"), "SIZE"),
    (re.compile(r"\d+ cores?"), "CORES"),
    (re.compile(r"[─━-]{3,}"), "LINE"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True)
class Shown:
    """A command of a page.

    Attributes:
        command: The command, a line of a shell.
        lines: What the page says that it prints.
    """

    command: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Printed:
    """The end of a command: its exit code and what it printed; where that is nothing, its standard error."""

    code: int
    lines: tuple[str, ...]


def shown_commands(page: str) -> Iterator[Shown]:
    """Yield the commands of a page's blocks, in their order."""
    for block in BLOCK.findall(page):
        lines = block.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            yield Shown(lines[start].removeprefix("$ "), tuple(lines[start + 1 : end]))


def run_command(command: str, folder: Path) -> Printed:
    """Run a command of a page in a folder, which is the reader's home folder in what it prints."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GENOMICS_PIPELINE_"))},
        "PATH": programs,
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "COLUMNS": "110",
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    text = ended.stdout or ended.stderr
    for place, name in ((folder, HOME), (Path(sys.executable).parent, "bin"), (ROOT, PROGRAM)):
        text = text.replace(str(place), name)
    return Printed(ended.returncode, tuple(line.rstrip() for line in text.splitlines()))


def without_differences(line: str) -> str:
    """Return a line without what differs between two runs.

    >>> without_differences("sample1     done    8,320     43      2.4")
    'sample1 done 8,320 43 SECONDS'
    >>> without_differences("alignment  2  1 min 02 s  59 s")
    'alignment 2 DURATION DURATION'
    """
    for pattern, word in SAME:
        line = pattern.sub(word, line)
    return line.strip()


def is_as_shown(shown: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Return whether a command printed what a page says.

    >>> is_as_shown(("a", "…", "c  2.0 s"), ("a", "b", "b", "c 1.5 s")), is_as_shown(("a",), ("a", "b"))
    (True, False)
    """
    pattern = "".join(r"(.*\n)*?" if line == ANY else re.escape(without_differences(line)) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{without_differences(line)}\n" for line in printed)) is not None


def renewed(page: str, printed: dict[int, tuple[str, ...]]) -> str:
    """Return a page with what its commands printed, but for those of which the page leaves lines out.

    Args:
        page: The page.
        printed: The lines that the commands printed, by their number.
    """
    numbers = iter(range(len(printed)))

    def renew(block: re.Match[str]) -> str:
        lines: list[str] = []
        for one in shown_commands(block[0]):
            own = printed[next(numbers)]
            lines += [f"$ {one.command}", *(one.lines if is_as_shown(one.lines, own) else own)]
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    return BLOCK.sub(renew, page)
