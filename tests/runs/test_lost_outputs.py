"""Records and outputs of a run that were lost or damaged: whatever is done next ends with the same outputs."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.harness import Ended, run_command
from tests.small_project import SmallProject, stage_toml

COUNT = """
import json, sys
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
if "bad" in text:
    sys.exit("error: a bad read")
open(task["outputs"]["count"], "w").write(f"{len(text)} of {task['item']['sample']}\\n")
open(task["outputs"]["count"] + ".idx", "w").write("index")
"""
UPPER = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["upper"], "w").write(open(task["inputs"]["count"]).read().upper())
"""
TOTAL = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["total"], "w").write("".join(open(path).read() for path in task["inputs"]["uppers"]))
"""
STEPS = {
    "count": (COUNT, '[inputs.reads]\ntype = "reads"\n[outputs.count]\npath = "{sample}.txt"\nindexes = ["idx"]\n'),
    "upper": (
        UPPER,
        '[inputs.count]\ntype = "file"\nindexes = ["idx"]\n[outputs.upper]\npath = "{sample}.upper"\n',
    ),
    "total": (TOTAL, '[inputs.uppers]\ntype = "files"\n[outputs.total]\npath = "total.txt"\n'),
}
STAGES = (
    stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}),
    stage_toml("raising", "./upper", "uppers", {"count": "counting.count"}),
    stage_toml("total", "./total", "total", {"uppers": "raising.upper"}, scope="cohort"),
)
READS = {"a": "@r\nACGT\n+\nIIII\n", "b": "@long\nACGT\n+\nIIII\n"}
HOW = ("run", "--resume", "rerun")


class Lossy:
    """A run of two samples in a folder, in which things get lost.

    Attributes:
        project: The project of the run.
        run: The run folder.
    """

    def __init__(self, project: SmallProject) -> None:
        self.project, self.run = project, project.run
        for name, (program, declarations) in STEPS.items():
            project.step(name, program, declarations)
        project.pipeline(*STAGES)

    def begin(self, **reads: str) -> Ended:
        self.project.samples({**READS, **reads})
        return run_command(*self.project.arguments())

    def go_on(self, how: str) -> Ended:
        if how == "rerun":
            return run_command("rerun", self.run)
        return run_command(*self.project.arguments(*(["--resume"] if how == "--resume" else [])))

    def outputs(self) -> dict[str, bytes]:
        below = (self.run / "results").rglob("*")
        own = {"pipeline_info", "report.html"}  # with the times of tasks
        files = [path for path in below if path.is_file() and not own & {path.parent.name, path.name}]
        return {str(path.relative_to(self.run)): path.read_bytes() for path in files}

    def record(self, stage: str, item: str) -> Path:
        return self.run / "steps" / stage / item / "step.json"

    def redo(self, stage: str, item: str) -> None:
        """Let a step run again, as after an update of its program."""
        self.record(stage, item).unlink()

    def status(self) -> dict[str, object]:
        state: dict[str, object] = json.loads(run_command("status", self.run, "--json").out)
        return state


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Lossy:
    """Return a run that has succeeded; its files are also in a folder beside it, since tests damage them."""
    folder = tmp_path_factory.mktemp("lossy") / "project"
    folder.mkdir()
    run = Lossy(SmallProject(folder))
    assert run.begin().code == 0
    shutil.copytree(folder, folder.with_name("undamaged"))
    return run


@pytest.fixture
def lossy(finished: Lossy) -> Lossy:
    folder = finished.project.folder
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("undamaged"), folder, symlinks=True)
    return finished


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def empty(path: Path) -> None:
    os.truncate(path, 0)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


Damage = Callable[[Path], object]
TOTALS, COUNTS, UPPERS = "results/total/total.txt", "results/counts/a.txt", "results/uppers/a.upper"


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("file", "damage", "redone"),
    [
        (TOTALS, cut, None),
        (TOTALS, Path.unlink, None),
        (COUNTS, cut, None),
        (COUNTS, Path.unlink, ("raising", "a")),
        (f"{COUNTS}.idx", cut, None),
        (f"{COUNTS}.idx", Path.unlink, ("raising", "a")),
        (UPPERS, empty, None),
        (UPPERS, cut, ("total", "cohort")),
        # A changed byte is noticed by whoever reads the file; it is read where a later step runs again.
        (COUNTS, flip, ("raising", "a")),
        (f"{COUNTS}.idx", flip, ("raising", "a")),
        (UPPERS, flip, ("total", "cohort")),
        ("steps/counting/a/step.json", empty, None),
        ("steps/counting/a/step.json", cut, ("raising", "a")),
        ("steps/raising/a/step.json", empty, ("total", "cohort")),
        ("steps/total/cohort/step.json", cut, None),
        ("steps/counting/a/step.json", Path.unlink, ("raising", "b")),
    ],
)
def test_outputs_are_made_again(
    lossy: Lossy, how: str, file: str, damage: Damage, redone: tuple[str, str] | None
) -> None:
    expected = lossy.outputs()
    damage(lossy.run / file)
    if redone is not None:
        lossy.redo(*redone)
    ended = lossy.go_on(how)
    assert (ended.code, lossy.outputs()) == (0, expected), ended
    assert "missing" not in lossy.status()
    again = lossy.go_on(how)
    assert again.code == 0
    assert ("nothing to rerun" if how == "rerun" else "0 steps ran") in again.out


def link_out(path: Path) -> None:
    target = path.parents[4] / f"elsewhere-{path.name}"
    path.rename(target)
    path.symlink_to(target)


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("damage", [link_out, link_to_itself])
@pytest.mark.parametrize("file", [COUNTS, f"{COUNTS}.idx", "steps/counting/a/step.json"])
def test_what_cannot_be_reached_is_made_again(lossy: Lossy, how: str, damage: Damage, file: str) -> None:
    """A file that was moved and linked, or a loop of links, is one sample's matter; no link is written through."""
    expected = lossy.outputs()
    damage(lossy.run / file)
    assert lossy.status()["missing"] is not None
    assert run_command("results", lossy.run).code == 0
    ended = lossy.go_on(how)
    assert (ended.code, lossy.outputs()) == (0, expected), ended
    assert not (lossy.run / file).is_symlink()


@pytest.mark.parametrize("how", HOW)
def test_damage_behind_damage_is_found(lossy: Lossy, how: str) -> None:
    """The cohort's step finds one file damaged, and the step that makes it again finds its own input damaged."""
    expected = lossy.outputs()
    for file in (COUNTS, UPPERS):
        flip(lossy.run / file)
    lossy.redo("total", "cohort")
    ended = lossy.go_on(how)
    assert (ended.code, lossy.outputs()) == (0, expected), ended
    assert ended.err.count("outputs were lost or damaged: another execution makes them again") == 2


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (COUNTS, "a: not done any more"),
        (UPPERS, "a: not done any more"),
        ("map-runs/Sample/*/manifest.json", "its result files are missing or damaged"),
        ("map-runs/Sample/*/SUCCEEDED_0.jsonl", "its result files are missing or damaged"),
    ],
)
def test_an_interrupted_run_does_not_trust_what_its_journal_says(
    lossy: Lossy, how: str, pattern: str, reason: str
) -> None:
    expected = lossy.outputs()
    record = json.loads((lossy.run / "run.json").read_text())
    (lossy.run / "run.json").write_text(json.dumps({**record, "status": "RUNNING", "summary": {}}))
    journal = lossy.run / ".engine" / "run-1" / "execution.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    ended = next(number for number, line in enumerate(lines) if '"run":' in line)
    journal.write_text("".join(lines[: ended + 1]))  # killed after the Map Run over samples
    lossy.redo("total", "cohort")
    cut(next(lossy.run.glob(pattern)))
    ended_run = lossy.go_on(how)
    assert (ended_run.code, lossy.outputs()) == (0, expected), ended_run
    if how != "run":
        assert f"nothing to resume: {reason}" in ended_run.err


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "damage", [empty, *(pytest.param(one, marks=pytest.mark.fuzz) for one in (cut, flip, Path.unlink, make_folder))]
)
@pytest.mark.parametrize(
    "pattern",
    [
        "run.json",
        "input.json",
        "definition.json",
        "manifest.jsonl",
        "intervals.jsonl",
        "map-runs/Sample/*/manifest.json",
        "map-runs/Sample/*/SUCCEEDED_0.jsonl",
        ".engine/run-1/execution.jsonl",
        ".engine/run-1/*-*-*.jsonl",
        "steps/counting/*/step.json",
    ],
)
def test_of_any_damaged_record_the_advice_works(lossy: Lossy, how: str, damage: Damage, pattern: str) -> None:
    expected = lossy.outputs()
    for path in sorted(lossy.run.glob(pattern)):
        damage(path)
    for command in ("status", "results", "logs"):
        shown = run_command(command, lossy.run, *(["--failed"] if command == "logs" else []))
        assert shown.code in (0, 1)
    ended = lossy.go_on(how)
    if ended.code:
        assert how == "rerun"
        assert re.search(r"repeat the command of the run|start it with `genomics-pipeline run`", ended.err), ended.err
        ended = lossy.go_on("run")
    assert (ended.code, lossy.outputs()) == (0, expected), ended
    assert lossy.go_on("rerun").code == 0


def test_what_is_lost_is_shown(lossy: Lossy) -> None:
    cut(lossy.run / UPPERS)
    empty(lossy.record("counting", "b"))
    assert lossy.status()["missing"] == {
        "samples": 2,
        "of_samples": 2,
        "intervals": 0,
        "cohort": False,
        "by_class": {"pending": 2},
        "first": ["a", "b"],
        "accepted": False,
    }
    rows = run_command("results", lossy.run, "--failed").out
    message = "not done any more: its completion record or an output is missing or damaged"
    assert rows.count(message) == 2
    assert [line.split()[1] for line in run_command("results", lossy.run).out.splitlines() if line[0] != " "] == [
        "PENDING",
        "PENDING",
        "SUCCEEDED",
    ]


@pytest.mark.parametrize("how", HOW)
def test_result_files_that_could_not_be_written_lock_nothing(project: SmallProject, how: str) -> None:
    lossy = Lossy(project)
    (lossy.run / ".engine").mkdir(parents=True)
    (lossy.run / "map-runs").touch()  # the folder cannot be made, as on a full disk
    first = lossy.begin()
    assert first.code == 1
    assert "map-runs" in first.err + first.out
    assert lossy.status()["status"] == "FAILED"
    missing = run_command("results", lossy.run, "--failed", "--json").out
    rows = [(row["sample"], row["class"], row["message"]) for row in map(json.loads, missing.splitlines())]
    assert rows == [("cohort", "pending", "not finished: the run ended before it")]
    (lossy.run / "map-runs").unlink()
    assert lossy.go_on(how).code == 0
    assert lossy.outputs()[TOTALS] == b"15 OF A\n18 OF B\n"


@pytest.mark.parametrize("where", ["renamed", "copied", "linked", "moved"])
def test_a_run_is_the_same_wherever_its_folder_is(project: SmallProject, tmp_path: Path, where: str) -> None:
    lossy = Lossy(project)
    assert lossy.begin(bad="@bad\n").code in (0, 1)
    before = {
        command: run_command(command, lossy.run, *options).out
        for command, options in (("status", ()), ("results", ("--failed", "--json")), ("logs", ("--failed",)))
    }
    other = tmp_path / "elsewhere" / "another name"
    other.parent.mkdir()
    if where == "copied":
        shutil.copytree(lossy.run, other)
    elif where == "linked":
        other.symlink_to(lossy.run)
    else:
        lossy.run.rename(other)
    for command, options in (("status", ()), ("results", ("--failed", "--json")), ("logs", ("--failed",))):
        there = run_command(command, other, *options).out
        assert there.replace(f"'{other}'", str(lossy.run)).replace(str(other), str(lossy.run)) == before[command]
    (project.folder / "bad.fastq").write_text(READS["a"])
    assert run_command("rerun", other).code == 0
    state = json.loads(run_command("status", other, "--json").out)
    assert (state["run"], state["execution"], state["status"]) == ("run", "run-2", "SUCCEEDED")
    assert (other / TOTALS).read_bytes().count(b"OF") == 3


def test_no_record_knows_the_folder_of_the_run(lossy: Lossy) -> None:
    """Paths that a record must have are those of the user's files, which are elsewhere."""
    records = [path for path in lossy.run.rglob("*.json*") if path.is_file()]
    assert len(records) > 10
    assert [path.name for path in records if f"{lossy.run}/" in path.read_text()] == []


def test_an_interrupted_run_is_resumed_where_it_was_moved(lossy: Lossy, tmp_path: Path) -> None:
    record = json.loads((lossy.run / "run.json").read_text())
    (lossy.run / "run.json").write_text(json.dumps({**record, "status": "RUNNING", "summary": {}}))
    journal = lossy.run / ".engine" / "run-1" / "execution.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
    other = tmp_path / "moved"
    lossy.run.rename(other)
    arguments = [str(other) if argument == str(lossy.run) else argument for argument in lossy.project.arguments()]
    ended = run_command(*arguments, "--resume")
    assert (ended.code, "resuming execution run-1" in ended.err) == (0, True), ended


def test_a_repeated_run_keeps_its_times(lossy: Lossy) -> None:
    record = json.loads((lossy.run / "run.json").read_text())
    first = {**record, "started": "2026-01-01T00:00:00+00:00", "summary": {**record["summary"], "seconds": 3600.0}}
    (lossy.run / "run.json").write_text(json.dumps(first))
    for how in HOW:
        assert lossy.go_on(how).code == 0
        after = json.loads((lossy.run / "run.json").read_text())
        assert (after["started"], after["summary"]["seconds"]) == ("2026-01-01T00:00:00+00:00", 3600.0)
        assert lossy.status()["seconds"] == 3600
    lossy.redo("total", "cohort")  # something runs: its own times are recorded
    assert lossy.go_on("run").code == 0
    assert json.loads((lossy.run / "run.json").read_text())["started"] > "2026-01-02"


def test_status_and_rerun_of_an_interrupted_run_agree(lossy: Lossy) -> None:
    record = json.loads((lossy.run / "run.json").read_text())
    (lossy.run / "run.json").write_text(json.dumps({**record, "status": "ABORTED", "summary": {}}))
    lossy.redo("total", "cohort")
    shown = run_command("status", lossy.run)
    assert [line for line in shown.out.splitlines() if "continue it" in line] == [
        f"continue it: genomics-pipeline rerun {lossy.run}"
    ]
    assert lossy.go_on("rerun").code == 0
    assert lossy.status()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("map-runs", "expected a folder, found a file or a link at {path}; move or remove it, then run again"),
        ("steps", "expected a folder, found a file or a link at {path}; move or remove it, then run again"),
        ("results", "expected a folder, found a file or a link at {path}; move or remove it, then run again"),
        (".engine", "expected a folder, found a file or a link at {path}; move or remove it, then run again"),
        (".engine/lock", "{path}: expected a file, found a folder; move or remove it, then run again"),
    ],
)
def test_what_is_in_the_way_is_named(lossy: Lossy, pattern: str, advice: str) -> None:
    path = lossy.run / pattern
    kept = path.with_name("kept")
    path.rename(kept)
    path.mkdir() if kept.is_file() else path.write_text("in the way")
    ended = lossy.go_on("run")
    assert ended.code != 0
    assert advice.format(path=path) in ended.err + ended.out
    path.rmdir() if path.is_dir() else path.unlink()
    kept.rename(path)
    assert lossy.go_on("run").code == 0


@pytest.mark.parametrize("name", ["run.json", "definition.json", "manifest.jsonl", "execution.jsonl", "lock"])
def test_a_file_that_must_not_be_opened_is_named_with_advice(
    lossy: Lossy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = os.open

    def refuse(path: str | Path, *arguments: Any, **options: Any) -> int:
        if Path(path).name == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    ended = run_command("rerun", lossy.run)
    assert ended.code == 1
    assert f"{name}: expected a file that can be opened, found: Permission denied; change its permissions" in ended.err


def test_a_disk_that_cannot_be_written_to_is_reported_with_advice(
    lossy: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: str | Path, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    ended = run_command("rerun", lossy.run)
    advice = "mount it for writing, or copy the folder to a disk that can be written to, and use the copy"
    assert (ended.code, ended.err) == (1, f"error: {lossy.run}/.engine/lock: Read-only file system; {advice}\n")
    assert lossy.status()["status"] == "SUCCEEDED"


def test_a_damaged_definition_is_named_with_its_line(lossy: Lossy) -> None:
    definition = lossy.run / "definition.json"
    definition.write_text(definition.read_text().replace("{", "{\n oops", 1))
    ended = run_command("status", lossy.run)
    problem = "expected the definition of a run, found no JSON object"
    advice = "repeat the command of the run: steps that are done are reused"
    assert (ended.code, ended.err) == (1, f"error: {definition}:2:2: {problem}; {advice}\n")


def test_a_definition_whose_maps_have_no_tasks_is_none_of_ours(lossy: Lossy) -> None:
    definition = lossy.run / "definition.json"
    definition.write_text(definition.read_text().replace('"Type": "Task"', '"Type": "Tiqk"'))
    ended = run_command("status", lossy.run)
    advice = "repeat the command of the run: steps that are done are reused"
    expected = f"error: {definition}: expected a definition of ours, found none; {advice}\n"
    assert (ended.code, ended.err) == (1, expected)
