"""`run --params-file`: the values of a file, those of the command line in their place, and reruns with both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.main import main
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Main = Callable[..., tuple[int, str]]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Main:
    """Return `call(*arguments)`, which returns the exit code of a command, and what it printed to standard error."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        return int(end.value.code or 0), capfd.readouterr().err

    return run


@pytest.fixture
def copying(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    return project


def parameters_of(run: Path) -> Any:
    return json.loads((run / "results/pipeline_info/parameters.json").read_text())["copying"]


def test_the_command_line_precedes_the_file(copying: SmallProject, call: Main) -> None:
    file = copying.folder / "p.toml"
    (copying.folder / "panel").write_text("x")
    file.write_text('[copying]\nending = "tsv"\npanel = "panel"\nprogram = "pass"\n')
    assert call(*copying.arguments("--params-file", file, "--param", "copying.ending=csv"))[0] == 0
    panel = str(copying.folder / "panel")
    assert parameters_of(copying.run) == {"ending": "csv", "panel": panel, "program": "pass"}
    # A rerun has the same parameters, without the file.
    file.unlink()
    record = json.loads((copying.run / "run.json").read_text())
    assert record["request"]["parameters"] == ["copying.ending=csv", f"copying.panel={panel}", "copying.program=pass"]
    # The parameters of a run are such a file: the same command with them runs nothing again.
    own = copying.run / "results/pipeline_info/parameters.json"
    assert call(*copying.arguments("--params-file", own))[0] == 0
    assert json.loads((copying.run / "run.json").read_text())["summary"]["steps"] == {"run": 0, "reused": 1}


def test_a_wrong_file_and_a_wrong_option_are_reported_at_once(copying: SmallProject, call: Main) -> None:
    file = copying.folder / "p.toml"
    file.write_text('[copying]\nendin = "tsv"\n')
    code, err = call(*copying.arguments("--params-file", file, "--param", "copying.x=1"))
    assert code == 1
    assert f"{file}:2:copying.endin: unknown parameter 'endin'; did you mean 'ending'?" in err
    assert "--param copying.x=1: unknown parameter 'x' of copying" in err
    assert not copying.run.exists()
    assert call(*copying.arguments("--params-file", copying.folder / "none.toml"))[0] == 2
