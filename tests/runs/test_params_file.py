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


def test_bounds_of_metrics_are_those_of_the_run(project: SmallProject, call: Main) -> None:
    measuring = (
        COPY
        + 'open(outputs["metrics"], "w").write(json.dumps({"depth": 5.0, "kind": {"value": "X", "verdict": "bad"}}))'
    )
    declared = '[outputs.metrics]\npath = "{sample}.json"\n[metrics.depth]\ntitle = "Depth"\ngood = { min = 20 }\n'
    declared += 'bad = { below = 10 }\n[metrics.kind]\ntitle = "Kind"\n'
    project.step("copy", measuring, COPY_DECLARATIONS + declared)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    assert call(*project.arguments())[0] == 0
    assert outcome(project.run) == ("bad", {"min": 20}, {"below": 10})
    file = project.folder / "p.toml"
    file.write_text("[copying.metrics.depth]\ngood = { min = 5 }\nbad = { below = 4 }\n")
    assert call(*project.arguments("--params-file", file, "--bound", "copying.depth.bad.below=none"))[0] == 0
    assert outcome(project.run) == ("good", {"min": 5}, None)
    record = json.loads((project.run / "run.json").read_text())
    assert record["summary"]["steps"] == {"run": 0, "reused": 1}, "nothing that is computed depends on bounds"
    assert record["request"]["bounds"] == ["copying.depth.good.min=5", "copying.depth.bad.below=none"]
    own = project.run / "results/pipeline_info/parameters.json"
    assert call(*project.arguments("--params-file", own))[0] == 0
    assert outcome(project.run) == ("good", {"min": 5}, None)
    table = json.loads((project.run / "results/pipeline_info/genomics_pipeline_metrics_mqc.json").read_text())
    assert table["data"] == {"A": {"copying.depth": 5.0, "copying.kind": "X bad"}}
    assert table["headers"]["copying.depth"]["cond_formatting_rules"] == {"warn": [{"lt": 5}]}
    ended = call(*project.arguments("--bound", "copying.dept.good.min=5"))
    assert ended == (
        2,
        "error: --bound copying.dept.good.min=5: unknown metric 'dept' of step copy; did you mean 'depth'?\n",
    )


def outcome(run: Path) -> tuple[Any, Any, Any]:
    """Return the verdict on the depth of sample A, and its bounds."""
    summary = json.loads((run / "run.json").read_text())["summary"]
    declared = summary["metrics"]["sample"]["copying"]["depth"]
    return summary["samples"][0]["verdicts"]["copying"]["depth"], declared.get("good"), declared.get("bad")


def test_a_wrong_file_and_a_wrong_option_are_reported_at_once(copying: SmallProject, call: Main) -> None:
    file = copying.folder / "p.toml"
    file.write_text('[copying]\nendin = "tsv"\n')
    code, err = call(*copying.arguments("--params-file", file, "--param", "copying.x=1"))
    assert code == 1
    assert f"{file}:2:copying.endin: unknown parameter 'endin'; did you mean 'ending'?" in err
    assert "--param copying.x=1: unknown parameter 'x' of copying" in err
    assert not copying.run.exists()
    assert call(*copying.arguments("--params-file", copying.folder / "none.toml"))[0] == 2
