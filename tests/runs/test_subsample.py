"""`run --subsample`: a fraction of the reads for every stage that takes one, and a run that says that it is a pilot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.pilot import pilot_notes
from genomics_pipeline.runs.untrimmed import untrimmed_notes
from tests.small_project import READS, SmallProject, stage_toml

Cli = Callable[..., tuple[int, str, str]]
PROGRAM = """
import json, sys
task = json.load(open(sys.argv[1]))
json.dump({"subsample": task["parameters"]["subsample"]}, open(task["outputs"]["metrics"], "w"))
"""
DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.metrics]
path = "{sample}.json"
[parameters.subsample]
type = "number"
summary = "Fraction of the reads"
default = 1
minimum = 0.0001
maximum = 1
[metrics.subsample]
title = "Pilot"
format = ".2%"
good = { min = 1 }
"""


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Return `cli(*arguments)`, which returns the exit code of a command and what it printed."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        return int(end.value.code or 0), *capfd.readouterr()

    return call


@pytest.fixture
def counting(project: SmallProject) -> SmallProject:
    project.step("count", PROGRAM, DECLARATIONS)
    project.pipeline(stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    return project


def test_a_pilot_says_so_and_the_whole_run_follows(counting: SmallProject, cli: Cli) -> None:
    code, out, err = cli(*counting.arguments("--subsample", "0.005"))
    assert code == 0
    assert "warning: a pilot: counting takes 0.5% of the reads (subsample=0.005)\n" in err
    assert "0.50% warn" in out
    record = json.loads((counting.run / "run.json").read_text())
    assert record["parameters"] == {"counting": {"subsample": 0.005}}
    _, out, err = cli(*counting.arguments("--dry-run"))
    assert out.startswith("counting of A runs again because parameter `subsample` changed from 0.005 to 1\n")
    assert "pilot" not in err
    _, out, _ = cli(*counting.arguments("--dry-run", "--subsample", "0.1", "--param", "counting.subsample=0.005"))
    assert out.startswith("counting of A is reused")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0", "expected a number >= 0.0001, found 0.0"),
        ("2", "expected a number <= 1, found 2.0"),
        ("1%", "expected a number, found '1%'"),
        ("nan", "expected a number, found nan"),
        ("", "expected a number, found ''"),
    ],
)
def test_fractions_that_are_none(counting: SmallProject, cli: Cli, value: str, found: str) -> None:
    code, _, err = cli(*counting.arguments("--subsample", value))
    assert (code, err) == (2, f"error: --subsample: {found}\n")
    assert not counting.run.exists()


def test_samples_without_reads_are_taken_whole() -> None:
    pipeline, _ = load_pipeline("germline")
    samples = [Sample(name, name, "NA", 0, (), f"/{name}.g.vcf.gz") for name in "ABCDEF"]
    notes = list(pilot_notes(samples, pipeline, {"alignment": {"subsample": 0.01}}))
    assert notes[0] == "a pilot: alignment takes 1% of the reads (subsample=0.01)"
    assert notes[1].endswith("are taken whole: A, B, C, D, E, …")
    assert not list(pilot_notes(samples, pipeline, {}))


def test_samples_without_reads_are_not_trimmed() -> None:
    pipeline, _ = load_pipeline("germline")
    samples = [Sample(name, name, "NA", 0, (), f"/{name}.g.vcf.gz") for name in "ABCDEF"]
    (note,) = untrimmed_notes(samples, pipeline, {"alignment": {"minimum_length": 30}})
    assert note.endswith("are not trimmed (alignment.minimum_length): A, B, C, D, E, …")
    assert not list(untrimmed_notes(samples, pipeline, {"alignment": {"quality_cutoff": 0}}))
