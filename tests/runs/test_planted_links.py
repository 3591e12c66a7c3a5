"""Links and pipes in a run folder that several people may write to: no command writes or reads where they lead."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fuzz.harness import run_command
from tests.small_project import SmallProject, stage_toml

COUNT = """\
import json, sys
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
if "bad" in text:
    sys.exit("error: a bad read")
open(task["outputs"]["count"], "w").write(f"{len(text)}\\n")
"""
DECLARATIONS = '[inputs.reads]\ntype = "reads"\n[outputs.count]\npath = "{sample}.count.txt"\n'
FOLDERS = (".engine", ".scratch", "results", "steps", "map-runs", "reruns")
INNER_FOLDERS = (
    "results/counts",
    "results/counts/good",
    "results/pipeline_info",
    "steps/counting",
    "steps/counting/good",
    "map-runs/Sample",
    ".engine/run-2",
    "reruns/1",
)
INPUTS = ("manifest.jsonl", "intervals.jsonl", "definition.json", "input.json", "failures.tsv", ".engine/holder.json")
OUTPUTS = (
    ".engine/run-1/execution.jsonl",
    "results/counts/good/good.count.txt",
    "results/pipeline_info/parameters.json",
    "steps/counting/good/step.json",
    "steps/counting/good/log.txt",
    "steps/counting/bad/failure.json",
    "steps/counting/bad/log.txt",
    "reruns/1/input.json",
    "reruns/1/run.json",
)
FILES = {"record": ("run.json",), "lock": (".engine/lock",), "inputs": INPUTS, "outputs": OUTPUTS}
READ: list[tuple[str, list[str]]] = [
    ("run.json", ["status"]),
    ("run.json", ["cancel", "--yes"]),
    ("manifest.jsonl", ["runs"]),
    ("definition.json", ["results"]),
    (".engine/run-1/execution.jsonl", ["explain"]),
    ("steps/counting/good/log.txt", ["logs", "--sample", "good"]),
]


@pytest.fixture(scope="module")
def ended_run(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """Return a project whose run ended, with one of two samples failed."""
    project = SmallProject(tmp_path_factory.mktemp("project"))
    project.step("counting", COUNT, DECLARATIONS)
    project.pipeline(stage_toml("counting", "./counting", "counts/{sample}", {"reads": "sample.reads"}))
    project.samples({"good": "@r\nACGT\n+\nIIII\n", "bad": "@bad\nACGT\n+\nIIII\n"})
    run_command(*project.arguments())
    assert len(list(project.run.glob("map-runs/*/*/FAILED_0.jsonl"))) == 1
    return project


@pytest.fixture
def run(ended_run: SmallProject, tmp_path: Path) -> Path:
    """Return the run, in which the steps have to be run again, beside somebody else's folder with one file."""
    folder = ended_run.run
    shutil.rmtree(folder, ignore_errors=True)
    run_command(*ended_run.arguments())
    (folder / "steps/counting/good/step.json").unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "victim").write_text("keep")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()}


def plant(link: Path, target: Path, how: str) -> None:
    """Put a link in the place of a file or folder of a run, or of the temporary file before it."""
    if how == "temporary":
        link = link.with_name(f".{link.name}.part")
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.hardlink_to(target) if how == "hard" else link.symlink_to(target)


def commands(project: SmallProject, download: Path) -> list[list[str | Path]]:
    run = project.run
    return [
        [*project.arguments("--resume")],
        ["rerun", run, "--sample", "bad"],
        ["results", run, "--download", download],
        ["logs", run, "--failed"],
    ]


def readers(run: Path) -> list[list[str | Path]]:
    """Return the commands that only read a run."""
    return [
        ["status", run],
        ["results", run, "--failed"],
        ["logs", run, "--sample", "good"],
        ["explain", run],
        ["runs", run],
        ["rerun", run, "--dry-run"],
        ["cancel", run, "--yes"],
    ]


@pytest.mark.parametrize("how", ["symbolic", "hard", "temporary"])
@pytest.mark.parametrize("names", FILES.values(), ids=FILES)
def test_files(names: Sequence[str], how: str, ended_run: SmallProject, run: Path, tmp_path: Path) -> None:
    for name in names:
        plant(run / name, tmp_path / "elsewhere" / "victim", how)
    for command in commands(ended_run, tmp_path / "download"):
        run_command(*command)
        assert tree(tmp_path / "elsewhere") == {"victim": b"keep"}, command


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_refused_by_commands_that_write(
    name: str, ended_run: SmallProject, run: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    plant(run / name, elsewhere, "symbolic")
    for command in [*commands(ended_run, tmp_path / "download"), *readers(run)]:
        ended = run_command(*command)
        assert ended.code == 1
        assert (
            f"{run / name}: expected a folder inside {run}, found a symbolic link to {elsewhere}; "
            "remove the link, then run again\n"
        ) in ended.err
        assert tree(elsewhere) == {"victim": b"keep"}, command
        assert [path.name for path in elsewhere.iterdir()] == ["victim"]


@pytest.mark.parametrize(("name", "command"), READ)
def test_a_link_is_not_read(name: str, command: list[str], run: Path, tmp_path: Path) -> None:
    shutil.move(run / name, tmp_path / "elsewhere" / "record")
    (run / name).symlink_to(tmp_path / "elsewhere" / "record")
    ended = run_command(command[0], run, *command[1:])
    assert ended.code == 1
    assert f"{run / name}: expected a file" in ended.err
    assert f"found a symbolic link to {tmp_path / 'elsewhere' / 'record'}; remove the link, then run again" in ended.err


@pytest.mark.parametrize(("name", "command"), READ)
def test_a_named_pipe_is_not_waited_for(name: str, command: list[str], run: Path) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    ended = run_command(command[0], run, *command[1:])
    assert ended.code == 1
    assert "expected a" in ended.err


@pytest.mark.parametrize("name", [".engine/lock", ".engine/holder.json", "steps/counting/good/step.json"])
def test_a_pipe_in_the_place_of_a_file_that_may_be_missing(name: str, ended_run: SmallProject, run: Path) -> None:
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    assert "1 of 2" in run_command("status", run).out
    ended = run_command(*ended_run.arguments("--resume"))
    assert ended.code == 1
    assert (f"{run / name}: expected a file" in ended.err) == name.endswith("lock")


@pytest.mark.parametrize("name", INNER_FOLDERS)
def test_a_folder_of_a_folder(name: str, ended_run: SmallProject, run: Path, tmp_path: Path) -> None:
    plant(run / name, tmp_path / "elsewhere", "symbolic")
    for command in commands(ended_run, tmp_path / "download"):
        run_command(*command)
        assert tree(tmp_path / "elsewhere") == {"victim": b"keep"}, command
        assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["victim"]


def test_a_run_folder_may_be_reached_through_a_link(ended_run: SmallProject, run: Path) -> None:
    moved = run.with_name("on-another-disk")
    run.rename(moved)
    run.symlink_to(moved)
    try:
        ended = run_command(*ended_run.arguments())
    finally:
        run.unlink()
        moved.rename(run)
    assert (run / "steps/counting/good/step.json").is_file(), ended


@pytest.mark.parametrize("name", ["good.count.txt", ".good.count.txt.part"])
def test_a_link_in_a_folder_of_downloads_is_replaced(
    name: str, ended_run: SmallProject, run: Path, tmp_path: Path
) -> None:
    run_command(*ended_run.arguments())
    plant(tmp_path / "download/counts/good" / name, tmp_path / "elsewhere" / "victim", "symbolic")
    ended = run_command("results", run, "--download", tmp_path / "download")
    assert ended.code == 0
    results = tree(run / "results")
    assert results["counts/good/good.count.txt"] == b"15\n"
    assert tree(tmp_path / "download") == results
    assert not (tmp_path / "download/counts/good/good.count.txt").is_symlink()
    assert tree(tmp_path / "elsewhere") == {"victim": b"keep"}
