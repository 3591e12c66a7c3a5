"""`genomics-pipeline delete` of runs on this machine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.holder import write_holder
from genomics_pipeline.runs.process_identity import this_process
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores import removal
from tests.runs.records import local_run

if TYPE_CHECKING:
    from tests.cli.conftest import Ended

Cli = Callable[..., "Ended"]
KEEP = "keep"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Return the folder of a run that ended, with three files in folders, and somebody else's folder beside it."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.save(local_run(execution=2))
    for name in ("results/a.bam", "steps/alignment/a/step.json", ".engine/lock"):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text("x" * 1000)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "victim").write_text(KEEP)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def is_refused(folder: RunFolder) -> bool:
    """Return whether the folder is locked for others."""
    return folder.holder() is not None


def test_what_the_run_holds_is_shown_and_then_nothing_is_left(folder: RunFolder, cli: Cli) -> None:
    ended = cli("delete", folder.path, "--yes")
    assert ended.code == 0, ended.err
    shown = ended.out.splitlines()
    assert shown[0].startswith(f"{folder.path}: SUCCEEDED, begun 2026-11-24 10:00:00, ")
    assert shown[1].startswith("holds 4 files, 3.5 KiB, of 2 executions")
    assert shown[2:] == ["deleted"]
    assert not folder.path.exists()
    assert names(folder.path.parent) == ["elsewhere/victim"]


def test_without_a_confirmation_nothing_is_deleted(folder: RunFolder, cli: Cli) -> None:
    before = names(folder.path)
    ended = cli("delete", folder.path)
    assert ended.code == 2
    assert ended.err == f"error: delete {folder.path}? expected a confirmation, found no terminal; use --yes\n"
    dry = cli("delete", folder.path, "--dry-run", "--json")
    assert dry.code == 0
    answer = json.loads(dry.out)
    assert (answer["files"], answer["executions"], answer["deleted"]) == (4, 2, False)
    assert names(folder.path) == before


def test_links_are_deleted_and_never_followed(folder: RunFolder, tmp_path: Path, cli: Cli) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("results/link", "steps/alignment/link"):
        (folder.path / name).symlink_to(elsewhere)
    (folder.path / "failures.tsv").symlink_to(elsewhere / "victim")
    os.link(elsewhere / "victim", folder.path / "results" / "hard")
    assert cli("delete", folder.path, "--yes").code == 0
    assert not folder.path.exists()
    assert (elsewhere / "victim").read_text() == KEEP


def test_a_link_planted_while_a_folder_is_deleted_is_not_followed(
    folder: RunFolder, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, rmtree = folder.path / "results", shutil.rmtree

    def plant_first(name: Any, **options: Any) -> None:
        if name == "results":
            results.rename(tmp_path / "moved")
            results.symlink_to(tmp_path / "elsewhere")
        rmtree(name, **options)

    monkeypatch.setattr(shutil, "rmtree", plant_first)
    ended = cli("delete", folder.path, "--yes")
    assert ended.code == 1
    assert ended.err.startswith(f"error: {results}: expected a folder, found a symbolic link to {tmp_path}/elsewhere")
    assert (tmp_path / "elsewhere" / "victim").read_text() == KEEP


def test_a_folder_of_the_run_that_is_a_link_is_refused(folder: RunFolder, tmp_path: Path, cli: Cli) -> None:
    (folder.path / "map-runs").symlink_to(tmp_path / "elsewhere")
    ended = cli("delete", folder.path, "--yes")
    assert (ended.code, "expected a folder inside" in ended.err) == (1, True)
    assert (folder.path / "results" / "a.bam").exists()


def test_a_running_run_is_refused(folder: RunFolder, cli: Cli) -> None:
    with folder.lock(print):
        ended = cli("delete", folder.path, "--yes")
    assert (ended.code, ended.out) == (1, "")
    advice = f"wait for it, or end it: genomics-pipeline cancel {folder.path}"
    assert ended.err.endswith(f" is running in this folder; {advice}\n")
    assert (folder.path / "results" / "a.bam").exists()
    write_holder(folder.store, folder.uri(run_layout.HOLDER), this_process())  # of a process that was killed
    (folder.path / run_layout.HOLDER).unlink()
    assert cli("delete", folder.path, "--yes").code == 0


@pytest.mark.parametrize(
    ("last", "left"), [(run_layout.RECORD, [".engine/lock", "run.json"]), (run_layout.ENGINE, [".engine/lock"])]
)
def test_an_interrupted_deletion_is_repeated(
    folder: RunFolder, cli: Cli, monkeypatch: pytest.MonkeyPatch, last: str, left: list[str]
) -> None:
    remove = removal.remove_entry

    def interrupt(path: Path, descriptor: int) -> None:
        assert is_refused(folder)  # another process cannot begin a run in the folder
        if path.name == last:
            raise KeyboardInterrupt
        remove(path, descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("genomics_pipeline.runs.local.deletion.remove_entry", interrupt)
        assert cli("delete", folder.path, "--yes").code == 130
    assert names(folder.path) == left
    ended = cli("delete", folder.path, "--yes")
    assert (ended.code, folder.path.exists()) == (0, False), ended.err


def test_files_that_no_run_wrote_are_kept(folder: RunFolder, cli: Cli) -> None:
    (folder.path / "notes.txt").write_text("mine")
    (folder.path / ".run.json.part").write_text("{")
    ended = cli("delete", folder.path, "--yes")
    assert "kept, because no run wrote it: 1 file or folder, such as notes.txt" in ended.out.splitlines()
    assert names(folder.path) == ["notes.txt"]
    assert cli("delete", folder.path, "--yes").err.startswith(
        f"error: {folder.path}: expected a run's folder, found another folder"
    )


def test_links_and_runs_beside_it_that_refer_to_it_are_named(folder: RunFolder, cli: Cli) -> None:
    (folder.path.parent / "latest").symlink_to("run")
    other, stranger = (RunFolder(folder.path.parent / name) for name in ("run2", "run3"))
    for each, path in ((other, folder.path), (stranger, other.path)):
        each.create()
        each.save(local_run(run=each.path.name))
        each.manifest.write_text(json.dumps({"sample": "a", "lanes": [{"fastq_1": f"{path}/results/a.fq"}]}))
    ended = cli("delete", folder.path, "--dry-run", "--json")
    expected = [f"the link {folder.path.parent / 'latest'}", str(other.manifest)]
    assert json.loads(ended.out)["referrers"] == expected
    assert f"refers to it: {other.manifest}" in cli("delete", folder.path, "--dry-run").out.splitlines()


def test_what_is_not_certainly_a_run_is_refused(folder: RunFolder, tmp_path: Path, cli: Cli) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "results").mkdir(parents=True)
    (theirs / "run.json").write_text('{"tool": "another"}')
    (tmp_path / "latest").symlink_to("run")
    for path, code, words in (
        (theirs, 1, "expected the folder of a run, found neither its record nor .engine/lock; nothing was deleted"),
        (tmp_path / "elsewhere", 1, "expected a run's folder, found another folder"),
        (tmp_path / "latest", 2, f"expected the folder of a run, found a link to {folder.path}; give that folder"),
    ):
        before = names(tmp_path)
        ended = cli("delete", path, "--yes")
        assert (ended.code, ended.err.startswith(f"error: {path}: {words}")) == (code, True), ended.err
        assert names(tmp_path) == before
    assert cli("delete", folder.path, "--versions", "--yes").code == 2


def test_a_run_without_its_record_is_deleted(folder: RunFolder, cli: Cli) -> None:
    (folder.path / "run.json").write_text("{torn")
    ended = cli("delete", folder.path, "--yes")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"{folder.path}: never run\n")
    assert not folder.path.exists()
