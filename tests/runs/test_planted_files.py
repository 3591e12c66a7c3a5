"""A run folder in which somebody planted links and hostile records: nothing outside of it is read or written."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.runs.conftest import Command, Ended
from tests.small_project import SmallProject, stage_toml

PROGRAM = """
import json, os, sys
task = json.load(open(sys.argv[1]))
read = open(task["inputs"]["reads"][0]["fastq_1"]).readline().strip()
print("a log")
if read == "@link":
    os.symlink("/etc/passwd", task["outputs"]["name"])
else:
    open(task["outputs"]["name"], "w").write(read)
"""
DECLARATIONS = '[inputs.reads]\ntype = "reads"\n[outputs.name]\npath = "{sample}.txt"\n'
SECRET = "a secret of somebody else"


@pytest.fixture
def run(project: SmallProject, command: Command, tmp_path: Path) -> Path:
    """Return the folder of a run of the samples `good` and `link`, which failed."""
    project.step("first", PROGRAM, DECLARATIONS)
    stage = stage_toml("one", "./first", "one", {"reads": "sample.reads"})
    project.pipeline(stage, settings="tolerated_failure_percentage = 100")
    project.samples({name: f"@{name}\nACGT\n+\nFFFF\n" for name in ("good", "link")})
    command(*project.arguments())
    return tmp_path / "run"


def test_nothing_outside_is_read_or_written(run: Path, command: Command, tmp_path: Path) -> None:
    _an_output_that_is_a_link_outside_is_no_output(run)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    for plant in (_hostile_keys, _linked_log, _linked_output, _linked_folder):
        plant(run, outside, command)
        assert [(file.name, file.read_text()) for file in outside.iterdir()] == [("secret", SECRET)], plant


def _an_output_that_is_a_link_outside_is_no_output(run: Path) -> None:
    failure = json.loads((run / "steps/one/link/failure.json").read_text())
    assert failure["message"] == (
        "expected the output link.txt, found a symbolic link to /etc/passwd; copy that file instead"
    )
    assert not (run / "results/one/link.txt").exists()


def _hostile_keys(run: Path, outside: Path, command: Command) -> None:
    """Change the keys of a record, each to one that leads elsewhere, and download."""
    record = run / "steps/one/good/step.json"
    text = record.read_text()
    members = json.loads(text)
    evil = b"evil"
    for number, key in enumerate(
        (
            f"results/{outside}/secret",
            f"results/{'../' * 9}{outside}/secret",
            f"{outside}/secret",
            f"results/../../{outside.name}/secret",
            "results/..",
            "results/",
            "results/a\0b",
            "results/\x1b[2J",
            "run.json",
            "steps/one/good/step.json",
            "results\\..\\a",
            "results/~/a",
            f"results/{'a' * 256}",
        )
    ):
        output = {"key": key, "size_bytes": 4, "sha256": hashlib.sha256(evil).hexdigest(), "indexes": []}
        for outputs in ({"name": output}, {"name": {**members["outputs"]["name"], "indexes": [output]}}):
            record.write_text(json.dumps({**members, "outputs": outputs}))
            ended = command("results", run, "--sample", "good", "--download", run.parent / f"d{number}")
            assert ended.stdout.startswith("good  PENDING"), (key, ended)
            assert not any((run.parent / f"d{number}").glob("**/*")), key
    record.write_text(text)


def _linked_log(run: Path, outside: Path, command: Command) -> None:
    log = run / "steps/one/good/log.txt"
    log.unlink()
    log.symlink_to(outside / "secret")
    _refused(command("logs", run, "--sample", "good"), log, outside / "secret")


def _linked_output(run: Path, outside: Path, command: Command) -> None:
    output = run / "results/one/good.txt"
    output.unlink()
    output.symlink_to(outside / "secret")
    _lost(command("results", run, "--sample", "good", "--download", run.parent / "d"))
    assert not any((run.parent / "d").glob("**/*"))


def _linked_folder(run: Path, outside: Path, command: Command) -> None:
    folder = run / "steps/one/good"
    shutil.copytree(folder, outside / "good", ignore=shutil.ignore_patterns("log.txt"))
    shutil.rmtree(folder)
    folder.symlink_to(outside / "good")
    _lost(command("results", run, "--sample", "good"))
    _refused(command("logs", run, "--sample", "good"), folder, outside / "good")
    shutil.rmtree(outside / "good")


def _lost(ended: Ended) -> None:
    """Check that an item with a link in the place of its record or output counts as not done."""
    assert (ended.returncode, ended.stdout[:13]) == (0, "good  PENDING"), ended
    assert SECRET not in ended.stdout + ended.stderr


def _refused(ended: Ended, link: Path, target: Path) -> None:
    assert ended.returncode == 1, ended
    assert SECRET not in ended.stdout + ended.stderr
    assert f"found a symbolic link to {target}; remove the link" in ended.stderr
    assert str(link) in ended.stderr
