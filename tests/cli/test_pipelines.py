"""`pipelines`, `pipeline show` and `step NAME --help`: what there is, and what it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import SmallProject, stage_toml

Cli = Callable[..., Any]
DECLARATIONS = """
[inputs.reads]
type = "reads"
summary = "Reads of a test"
[outputs.copy]
path = "{sample}.txt"
summary = "A copy"
[parameters.level]
type = "integer"
summary = "Level of copying"
default = 3
default_on_aws = 5
minimum = 1
maximum = 9
[parameters.mode]
type = "string"
summary = "Mode of copying"
choices = ["fast", "slow"]
[resources]
vcpus = 3
memory_mib = [512, 2048]
disk_gib = 7
timeout_s = 90
"""


@pytest.fixture
def pipeline(project: SmallProject) -> Path:
    """Return the file of a pipeline with one stage, which gives a parameter."""
    project.step("copy", "", DECLARATIONS)
    file = project.pipeline(stage_toml("copying", "./copy", "copies/{sample}", {"reads": "sample.reads"}))
    file.write_text(file.read_text() + '[parameters.copying]\nmode = "slow"\n')
    return file


def shown(text: str) -> str:
    """Return help text without its line breaks."""
    return " ".join(text.split())


def test_the_help_of_a_step_lists_all_that_it_declares(cli: Cli, pipeline: Path) -> None:
    for arguments in (("--help",), ("--out", "x", "-h")):
        ended = cli("step", pipeline.parent / "copy", *arguments)
        assert (ended.code, ended.err) == (0, "")
        text = shown(ended.out)
        assert "copy 1: A step of a test" in text
        assert "reads Reads of a test" in text
        assert "copy A copy: {sample}.txt" in text
        assert "level Level of copying. [integer from 1 to 9; default 3; on AWS 5]" in text
        assert "mode Mode of copying. [fast or slow; no default]" in text
        assert "3 vCPUs, 512 MiB of memory (then 2048 MiB), 7 GiB of disk, at most 90 seconds" in text
        assert "--reference" in text


def test_the_help_without_a_step_lists_the_shipped_ones(cli: Cli) -> None:
    text = shown(cli("step", "--help").out)
    assert "alignment Reads of one sample to a coordinate-sorted" in text
    assert "gather Joint variants of all intervals" in text


def test_the_help_of_an_unknown_step_names_the_nearest(cli: Cli) -> None:
    ended = cli("step", "alignmen", "--help")
    assert (ended.code, ended.out) == (1, "")
    assert "unknown step 'alignmen'; did you mean 'alignment'?" in ended.err


def test_a_pipeline_is_shown_with_its_own_values(cli: Cli, pipeline: Path) -> None:
    text = shown(cli("pipeline", "show", pipeline).out)
    assert "small: A pipeline of a test" in text
    assert "Stage copying, once for each sample: step copy 1: A step of a test" in text
    assert "reads sample.reads: Reads of a test" in text
    assert "copy A copy: results/copies/{sample}/{sample}.txt" in text
    assert "Parameters (--param copying.NAME=VALUE)" in text
    assert "mode Mode of copying. [fast or slow; slow in this pipeline]" in text


def test_a_pipeline_as_json(cli: Cli, pipeline: Path) -> None:
    (stage,) = json.loads(cli("pipeline", "show", pipeline, "--json").out)["stages"]
    assert stage["parameters"] == {"mode": "slow"}
    level = stage["step"]["parameters"]["level"]
    assert (level["default"], level["default_on_aws"], level["minimum"], level["maximum"]) == (3, 5, 1, 9)
    assert stage["step"]["parameters"]["mode"]["choices"] == ["fast", "slow"]
    resources = {"vcpus": 3, "memory_mib": [512, 2048], "disk_gib": 7, "timeout_s": 90}
    assert stage["step"]["resources"] == {"runtime": "batch", **resources}


def test_a_page_about_a_pipeline_of_ones_own(cli: Cli, pipeline: Path) -> None:
    page = cli("pipeline", "document", pipeline).out
    assert "| copying | [copy](#copy) | once for each sample | reads: `sample.reads` |" in page
    assert "| `copying.mode` | `slow` |" in page
    assert "| `level` | integer from 1 to 9 | `3` | `5` | Level of copying |" in page
    assert "## alignment" not in page


def test_pipelines_lists_the_shipped_ones_and_those_of_a_folder(
    cli: Cli, pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pipeline.parent
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (folder / "damaged.toml").write_text("[[")
    (folder / "wrong.toml").write_text('name = "wrong"\nsummary = "s"\n[[stages]]\nname = "a"\n')
    monkeypatch.chdir(folder)
    rows = [json.loads(line) for line in cli("pipelines", "--json").out.splitlines()]
    named = {row["pipeline"]: row for row in rows}
    assert named["germline"]["stages"] == ["alignment", "variant_calling", "aggregation", "gather", "annotation"]
    assert (named["./pipeline.toml"]["name"], named["./pipeline.toml"]["stages"]) == ("small", ["copying"])
    assert "wrong.toml:3" in named["./wrong.toml"]["error"]
    assert "damaged" not in str(rows)
    assert "pyproject" not in str(rows)
    text = cli("pipelines", folder).out
    assert f"{pipeline}  A pipeline of a test (copying)\n" in text
    assert "wrong.toml  cannot be used: " in text


def test_a_folder_of_pipelines_that_does_not_exist(cli: Cli, tmp_path: Path) -> None:
    ended = cli("pipelines", tmp_path / "none")
    assert ended.code == 1
    assert f"{tmp_path / 'none'}: expected a folder with pipeline files, found none" in ended.err
