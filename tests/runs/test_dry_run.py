"""`run --dry-run`: what would run and why, and that the run then does just that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

Cli = Callable[..., tuple[int, str, str]]
# Each writes what it reads; `counting` writes the same for many inputs.
COUNT = """
import json, sys
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["copy"]).read()
open(task["outputs"]["count"], "w").write(str(len(text.splitlines()) * task["parameters"]["factor"]))
"""
COUNT_DECLARATIONS = """
[inputs.copy]
type = "file"
[outputs.count]
path = "{sample}.count"
[parameters.factor]
type = "integer"
summary = "Factor"
default = 1
"""
JOIN = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["joint"], "w").write("".join(open(path).read() for path in task["inputs"]["counts"]))
"""
JOIN_DECLARATIONS = """
[inputs.counts]
type = "files"
[outputs.joint]
path = "joint.txt"
"""


def reads(name: str) -> str:
    return f"@{name}\nACGT\n+\nIIII\n"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Return `cli(*arguments)`, which returns the exit code of a command and what it printed."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        out, err = capfd.readouterr()
        return int(end.value.code or 0), out, err

    return call


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    """Return a project of two samples and the stages copying, counting and joining."""
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.step("count", COUNT, COUNT_DECLARATIONS)
    project.step("join", JOIN, JOIN_DECLARATIONS)
    project.pipeline(
        stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}),
        stage_toml("counting", "./count", "counts", {"copy": "copying.copy"}),
        stage_toml("joining", "./join", "joint", {"counts": "counting.count"}, "cohort"),
    )
    project.samples({"A": reads("a"), "B": reads("b")})
    return project


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(file): (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.rglob("*")}


def starts(run: Path) -> dict[tuple[str, str], str]:
    """Return when each task that is done started, by stage and item."""
    records = [json.loads(file.read_text()) for file in run.glob("steps/*/*/step.json")]
    return {(record["stage"], record["item"]): record["started"] for record in records}


def test_everything_runs_in_a_new_folder_and_nothing_is_written(small: SmallProject, cli: Cli) -> None:
    before = files_of(small.folder)
    code, out, _ = cli(*small.arguments("--dry-run"))
    assert (code, out.splitlines()) == (
        0,
        [
            "copying of A, B run: they are not done yet",
            "counting of A, B run: they are not done yet",
            "joining of cohort runs: it is not done yet",
            "5 tasks would run; nothing was written or started",
        ],
    )
    assert files_of(small.folder) == before


def nothing(_: SmallProject) -> list[str]:
    return []


def another_parameter(_: SmallProject) -> list[str]:
    return ["--param", "copying.ending=tsv"]


def another_parameter_of_the_last(_: SmallProject) -> list[str]:
    return ["--param", "counting.factor=2", "--param", "copying.ending=tsv"]


def another_sample(small: SmallProject) -> list[str]:
    (small.folder / "C.fastq").write_text(reads("c"))
    small.sheet({name: f"{name}.fastq" for name in "ABC"})
    return []


def other_reads(small: SmallProject) -> list[str]:
    (small.folder / "A.fastq").write_text(reads("another") * 2)
    return []


def another_program(small: SmallProject) -> list[str]:
    small.step("join", f"{JOIN}\n# changed\n", JOIN_DECLARATIONS)
    return []


def lost_output(small: SmallProject) -> list[str]:
    (small.run / "results/counts/B.count").unlink()
    return []


def lost_record(small: SmallProject) -> list[str]:
    (small.run / "steps/copying/B/step.json").unlink()
    return []


CASES: Mapping[Callable[[SmallProject], list[str]], list[str]] = {
    nothing: ["copying of A, B are reused", "counting of A, B are reused", "joining of cohort is reused"],
    another_parameter: [
        "copying of A, B run again because parameter `ending` changed from txt to tsv",
        "counting of A, B run again unless copying makes the same outputs as before",
        "joining of cohort runs again unless counting makes the same outputs as before",
    ],
    another_parameter_of_the_last: [
        "copying of A, B run again because parameter `ending` changed from txt to tsv",
        "counting of A, B run again because parameter `factor` changed from 1 to 2",
        "joining of cohort runs again unless counting makes the same outputs as before",
    ],
    another_sample: [
        "copying of A, B are reused",
        "copying of C runs: it is not done yet",
        "counting of A, B are reused",
        "counting of C runs: it is not done yet",
        "joining of cohort runs again because input `counts` has 3 files, not 2 files",
    ],
    other_reads: [
        "copying of A runs again because input `reads` changed: {folder}/A.fastq",
        "copying of B is reused",
        "counting of A runs again unless copying makes the same outputs as before",
        "counting of B is reused",
        "joining of cohort runs again unless counting makes the same outputs as before",
    ],
    another_program: [
        "copying of A, B are reused",
        "counting of A, B are reused",
        "joining of cohort runs again because the program of the step changed",
    ],
    lost_output: [
        "copying of A, B are reused",
        "counting of A is reused",
        "counting of B runs again because an output is missing or damaged: "
        "results/counts/B.count: expected a file of 1 bytes, found none",
        "joining of cohort runs again unless counting makes the same outputs as before",
    ],
    lost_record: [
        "copying of A is reused",
        "copying of B runs: it is not done yet",
        "counting of A is reused",
        "counting of B runs again unless copying makes the same outputs as before",
        "joining of cohort runs again unless counting makes the same outputs as before",
    ],
}


@pytest.mark.parametrize("change", CASES, ids=lambda change: change.__name__)
def test_the_run_does_what_was_forecast(
    change: Callable[[SmallProject], list[str]], small: SmallProject, cli: Cli
) -> None:
    assert cli(*small.arguments())[0] == 0
    options = change(small)
    before = files_of(small.folder)
    code, out, _ = cli(*small.arguments(*options, "--dry-run"))
    assert code == 0
    assert out.splitlines()[:-1] == [line.format(folder=small.folder) for line in CASES[change]]
    tasks = json.loads(cli(*small.arguments(*options, "--dry-run", "--json"))[1])["tasks"]
    assert files_of(small.folder) == before
    earlier = starts(small.run)
    assert cli(*small.arguments(*options))[0] == 0
    ran = {task for task, started in starts(small.run).items() if earlier.get(task) != started}
    by_verdict = {
        verdict: {(task["stage"], task["item"]) for task in tasks if task["verdict"] == verdict}
        for verdict in ("runs", "reused", "depends", "fails")
    }
    assert by_verdict["runs"] <= ran <= by_verdict["runs"] | by_verdict["depends"]
    assert not by_verdict["reused"] & ran


def test_json_names_the_difference(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments())[0] == 0
    answer = json.loads(cli(*small.arguments("--param", "copying.ending=tsv", "--dry-run", "--json"))[1])
    assert answer["counts"] == {"reused": 0, "runs": 2, "depends": 3, "fails": 0}
    assert answer["tasks"][0] == {
        "stage": "copying",
        "item": "A",
        "verdict": "runs",
        "reasons": [
            {
                "kind": "parameter",
                "name": "ending",
                "before": "txt",
                "now": "tsv",
                "words": "parameter `ending` changed from txt to tsv",
            }
        ],
        "depends_on": [],
        "error": None,
        "notes": [],
    }


def test_a_sample_that_cannot_be_read_fails_and_the_others_do_not(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments())[0] == 0
    (small.folder / "A.fastq").unlink()
    _, out, err = cli(*small.arguments("--dry-run"))
    lines = out.splitlines()
    assert lines[0].startswith(f"copying of A fails: {small.folder}/A.fastq: ")
    assert lines[1:] == [
        "copying of B is reused",
        "counting of A fails: copying fails",
        "counting of B is reused",
        "joining of cohort runs again because input `counts` has 1 file, not 2 files",
        "1 task would run; nothing was written or started",
    ]
    assert "1 of 2 samples cannot be read" in err


def test_a_wrong_request_is_refused_as_by_the_run(small: SmallProject, cli: Cli) -> None:
    code, out, err = cli(*small.arguments("--dry-run", "--param", "copying.endin=x"))
    assert (code, out) == (2, "")
    assert "unknown parameter 'endin' of copying; did you mean 'ending'?" in err


def test_a_reference_that_is_not_indexed_is_not_indexed_now(project: SmallProject, cli: Cli) -> None:
    project.step("copy", COPY, f'{COPY_DECLARATIONS}\n[inputs.reference]\ntype = "reference"\nindexes = ["fai"]\n')
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads", "reference": "reference"}))
    project.samples({"A": reads("a")})
    index = project.folder / "reference.fa.fai"
    _, out, err = cli(*project.arguments("--dry-run"))
    assert out.startswith("copying of A runs: it is not done yet\n")
    assert f"reference: {project.folder}/reference.fa has to be indexed first" in err
    assert not index.exists()
    assert cli(*project.arguments())[0] == 0
    assert cli(*project.arguments("--dry-run"))[1].startswith("copying of A is reused\n")
    index.unlink()
    _, out, _ = cli(*project.arguments("--dry-run"))
    assert out.startswith("copying of A runs again unless the reference, once it is indexed, is the same as before\n")
    assert not index.exists()
    (project.folder / "reference.fa").write_text(">chr1\nACGTACGTAA\n")
    assert cli(*project.arguments())[0] == 0
    (project.folder / "reference.fa").write_text(">chr1\nACGTACGTAC\n>chr2\nA\n")
    index.write_text("chr1\t10\t6\t10\t11\nchr2\t1\t23\t1\t2\n")
    words = f"input `reference` changed: {project.folder}/reference.fa"
    assert cli(*project.arguments("--dry-run"))[1].startswith(f"copying of A runs again because {words}\n")


def test_a_parameter_that_needs_another_index_is_the_reason_before_that_is_built(
    project: SmallProject, cli: Cli
) -> None:
    declared = '[inputs.reference]\ntype = "reference"\nindexes = ["{kind}"]\n[parameters.kind]\ntype = "string"\n'
    choices = 'summary = "Kind of index"\ndefault = "fai"\nchoices = ["fai", "bwa"]\n'
    project.step("copy", COPY, f"{COPY_DECLARATIONS}\n{declared}{choices}")
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads", "reference": "reference"}))
    project.samples({"A": reads("a")})
    assert cli(*project.arguments())[0] == 0
    assert cli(*project.arguments("--dry-run"))[1].startswith("copying of A is reused\n")
    before = files_of(project.folder)
    _, out, err = cli(*project.arguments("--dry-run", "--param", "copying.kind=bwa"))
    assert out.startswith("copying of A runs again because parameter `kind` changed from fai to bwa\n")
    assert err.rstrip().endswith("reference.fa has to be indexed first")
    assert files_of(project.folder) == before
