"""Completion in the shell, as bash asks for it: steps, pipelines, parameters, samples, files and folders."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import SmallProject, stage_toml

Complete = Callable[[str], list[str]]
STEP = """
[inputs.reads]
type = "reads"
[outputs.copy]
path = "{sample}.txt"
[parameters.mode]
type = "string"
summary = "Mode"
choices = ["fast", "slow"]
[parameters.sorted]
type = "boolean"
summary = "Sorted"
[parameters.level]
type = "integer"
summary = "Level"
"""
COPY = """
import json, sys
for path in json.load(open(sys.argv[1]))["outputs"].values():
    open(path, "w").write("x")
"""


@pytest.fixture
def complete(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Complete:
    """Return `complete(line)`, the names that bash is given for the last word of a line."""

    def call(line: str) -> list[str]:
        words = ["genomics-pipeline", *shlex.split(line), *([""] if line.endswith(" ") else [])]
        with monkeypatch.context() as patch:
            patch.setenv("_GENOMICS_PIPELINE_COMPLETE", "bash_complete")
            patch.setenv("COMP_WORDS", shlex.join(words))
            patch.setenv("COMP_CWORD", str(len(words) - 1))
            ended = cli()
        assert (ended.code, ended.err) == (0, ""), line
        return [entry.removeprefix("plain,") for entry in ended.out.splitlines() if entry]

    return call


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, STEP)
    project.pipeline(stage_toml("copying", "./copy", "copies/{sample}", {"reads": "sample.reads"}))
    project.samples({"NA1": "@r\nA\n+\nI\n", "NA2": "@r\nA\n+\nI\n", "HG3": "@r\nA\n+\nI\n"})
    return project


def test_names_of_steps_and_pipelines(complete: Complete) -> None:
    assert complete("step ali") == ["alignment", "dir,ali"]
    assert complete("pipeline show ger") == ["germline", "germline-lowpass", "germline-single", "file,ger"]
    assert complete("run --pipeline g") == ["germline", "germline-lowpass", "germline-single", "file,g"]


def test_parameters_of_the_step_or_pipeline_that_was_named(complete: Complete, small: SmallProject) -> None:
    assert complete("run --param alignment.for") == ["alignment.format=bam", "alignment.format=cram"]
    own = f"run --pipeline {small.folder}/pipeline.toml --param copying."
    everything = [f"copying.{one}" for one in ("mode=fast", "mode=slow", "sorted=true", "sorted=false", "level=")]
    assert complete(own) == everything
    assert complete(f"step {small.folder}/copy --param s") == ["sorted=true", "sorted=false"]


def test_samples_of_the_sheet_or_run_that_was_named(
    complete: Complete, small: SmallProject, cli: Callable[..., Any]
) -> None:
    assert complete(f"run {small.folder}/sheet.csv --sample NA") == ["NA1", "NA2"]
    assert cli(*small.arguments()).code == 0
    for command in ("logs", "results", "rerun"):
        assert complete(f"{command} {small.run} --sample N") == ["NA1", "NA2"]
    assert complete(f"diff {small.run} x") == complete("verify x") == ["dir,x"]
    assert complete(f"why {small.run} N") == ["NA1", "NA2"]
    assert complete(f"why {small.run} NA1 c") == ["copying"]
    assert complete(f"rerun {small.run} --param copying.m") == ["copying.mode=fast", "copying.mode=slow"]


def test_files_and_folders(complete: Complete) -> None:
    assert complete("run co") == ["file,co"]
    assert complete("run co.csv --reference h") == ["file,h"]
    assert complete("status my") == ["dir,my"]


@pytest.mark.parametrize(
    "line", ["logs {0}/none --sample N", "run {0}/none.csv --sample N", "run --pipeline {0} --param a"]
)
def test_what_cannot_be_read_completes_to_nothing(complete: Complete, tmp_path: Path, line: str) -> None:
    assert complete(line.format(tmp_path)) == []
