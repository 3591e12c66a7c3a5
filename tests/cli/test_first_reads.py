"""`run` looks at the first reads of FASTQ files before the first job, as `manifest validate --check-files` does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, named_reads, stage_toml

Cli = Callable[..., Ended]
READING = """
[parameters.read_layout]
type = "string"
summary = "Content of a lane with one file"
default = "auto"
[parameters.quality_encoding]
type = "string"
summary = "Encoding of qualities"
default = "auto"
"""
CUT = "@r\nACGT\n+\n"
MATES = "@r/1\nACGT\n+\nIIII\n@s/2\nACGT\n+\nIIII\n"


@pytest.fixture
def reading(project: SmallProject) -> SmallProject:
    """Return a project whose first stage reads FASTQ files as `alignment` does."""
    project.step("align", COPY, COPY_DECLARATIONS + READING)
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(
        stage_toml("copying", "./align", "copies", {"reads": "sample.reads"}),
        stage_toml("ending", "./copy", "ends", {"reads": "sample.reads"}),
        settings="tolerated_failure_percentage = 50",
    )
    return project


def problems(text: str) -> list[str]:
    """Return the messages about files, in order."""
    lines = (line.strip().removeprefix("error: ").removeprefix("warning: ") for line in text.splitlines())
    return [line for line in lines if ".fastq: sample " in line]


def test_all_files_that_cannot_be_used_are_reported_before_the_first_job(reading: SmallProject, cli: Cli) -> None:
    """Check order and words, which are those of the validation of the sheet, and that nothing is written."""
    reading.samples({"D": "", "A": named_reads("a"), "C": CUT, "B": "no reads"})
    ended = cli(*reading.arguments())
    assert (ended.code, reading.run.exists()) == (1, False)
    of = {name: f"{reading.folder}/{name}.fastq: sample {name}, lane L001: " for name in "BCD"}
    assert problems(ended.err) == [
        f"{of['D']}expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of "
        "the sample sheet",
        f"{of['C']}record 1: expected 4 lines, found 3: the file is truncated",
        f"{of['B']}record 1: expected FASTQ ('@' and a name), found 'no reads'",
    ]
    assert "3 of 4 samples cannot be read, more than the 2 that are tolerated; correct the sheet" in ended.err
    validated = cli("manifest", "validate", reading.folder / "sheet.csv", "--check-files")
    assert problems(validated.err) == problems(ended.err)


def test_a_sample_that_will_fail_is_reported_and_the_others_run(reading: SmallProject, cli: Cli) -> None:
    reading.samples({"A": named_reads("a"), "B": CUT, "C": named_reads("c")})
    program = "if not text.endswith('IIII\\n'): raise SystemExit('it is cut')"
    ended = cli(*reading.arguments("--param", f"copying.program={program}"))
    assert ended.code == 1
    (problem,) = problems(ended.err)
    assert problem.startswith(f"{reading.folder}/B.fastq: sample B, lane L001: record 1: ")
    assert "1 of 3 samples cannot be read and will fail; the others run" in ended.err
    assert sorted(file.name for file in (reading.run / "results/ends").glob("*.txt")) == ["A.txt", "C.txt"]
    assert "it is cut" in cli("results", reading.run, "--failed").out


def test_the_parameters_of_the_stage_say_how_files_are_read(reading: SmallProject, cli: Cli) -> None:
    reading.samples({"A": MATES})
    ended = cli(*reading.arguments())
    assert (ended.code, len(problems(ended.err))) == (1, 1)
    ended = cli(*reading.arguments("--param", "copying.read_layout=single"))
    assert (ended.code, problems(ended.err)) == (0, [])


def test_files_that_were_read_are_not_read_again(reading: SmallProject, cli: Cli) -> None:
    """Check a file that changes without its size and time, then one that is changed openly."""
    reading.samples({"A": named_reads("a")})
    assert cli(*reading.arguments()).code == 0
    file = reading.folder / "A.fastq"
    damage(file, file.stat().st_mtime_ns)
    assert cli(*reading.arguments()).code == 0
    damage(file, file.stat().st_mtime_ns + 1_000_000_000)
    ended = cli(*reading.arguments())
    assert (ended.code, len(problems(ended.err))) == (1, 1)


def damage(file: Path, time_ns: int) -> None:
    """Write a file of the same size that is no FASTQ, with a time."""
    file.write_text("x" * file.stat().st_size)
    os.utime(file, ns=(time_ns, time_ns))


def test_a_pipeline_of_other_steps_reads_files_in_its_own_way(small: SmallProject, cli: Cli) -> None:
    """Check a step without the parameters of reading: what it takes is its own matter."""
    small.samples({"A": "no reads"})
    ended = cli(*small.arguments())
    assert (ended.code, problems(ended.err)) == (0, [])
