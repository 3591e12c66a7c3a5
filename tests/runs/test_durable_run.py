"""The order in which a run puts its files on disk: outputs, step.json, the journal's end of the step, run.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.journal import JournalFile
from genomics_pipeline.stores import publish, temporary_file
from genomics_pipeline.stores.open_folder import OpenFolders
from tests.fuzz.harness import run_command
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml
from tests.stores.disk_calls import DiskCalls, record_disk_calls

SECOND_OUTPUT = '[outputs.two]\npath = "{sample}.two"\n'
TEMPORARY = (".scratch", "verified")


@pytest.fixture
def project(project: SmallProject) -> SmallProject:
    project.step("copying", COPY, COPY_DECLARATIONS + SECOND_OUTPUT)
    project.pipeline(stage_toml("copying", "./copying", "out/{sample}", {"reads": "sample.reads"}))
    project.samples(dict.fromkeys("abc", "@r\nACGT\n+\nIIII\n"))
    return project


def record_run(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> DiskCalls:
    """Run the project, and return the calls about its folder and the lines of its journals, in their order."""
    calls = record_disk_calls(monkeypatch, project.folder, TEMPORARY)
    write = JournalFile._write

    def journal(self: JournalFile, data: bytes, attached: Any) -> None:
        for line in data.decode().splitlines():
            calls.add("journal", None, line)
        write(self, data, attached)

    monkeypatch.setattr(JournalFile, "_write", journal)
    ended = run_command(*project.arguments())
    assert ended.code == 0, ended
    return calls


def promises_too_early(calls: DiskCalls) -> list[str]:
    """Return the steps of which a journal said that they have ended before their step.json was on disk."""
    renamed: dict[object, int] = {}
    on_disk = ended = 0
    problems = []
    for call in calls.all:
        if call.kind == "rename" and call.name == "step.json":
            renamed[call.folder] = renamed.get(call.folder, 0) + 1
        elif call.kind == "sync":
            on_disk += renamed.pop(call.file, 0)
        elif call.kind == "journal" and '"end":' in call.name and '"SUCCEEDED"' in call.name:
            ended += 1
            if ended > on_disk:
                problems.append(call.name)
    assert ended == 3
    return problems


def test_everything_that_a_record_vouches_for_is_on_disk_before_it(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = record_run(project, monkeypatch)
    assert calls.unsafe() == []
    assert promises_too_early(calls) == []
    renamed = [call.name for call in calls.all if call.kind == "rename"]
    assert renamed[-2:] == ["run.json", "report.html"]  # which tells what the record says
    names = {*renamed, *(call.name for call in calls.all if call.kind == "make")}
    assert names >= {"a.txt", "a.txt.idx", "b.two", "log.txt", "step.json", "SUCCEEDED_0.jsonl", "manifest.json"}
    assert names >= {"manifest.jsonl", "definition.json", "input.json", "failures.tsv", "parameters.json"}


def test_outputs_are_published_together(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record_run(project, monkeypatch)
    folder = (project.run / "results" / "out" / "a").stat().st_ino
    kinds = [call.kind for call in calls.all if call.folder and call.folder[1] == folder]
    assert kinds == ["rename"] * 3
    assert sum(call.kind == "sync" and call.file is not None and call.file[1] == folder for call in calls.all) == 1


@pytest.mark.parametrize(
    ("owner", "function"),
    [
        (publish, "_sync_source"),  # of files that are moved
        (temporary_file, "sync"),  # of files that are written
        (OpenFolders, "sync"),  # of names that are changed
        (OpenFolders, "sync_new"),  # of new folders without a file
    ],
)
def test_a_sync_that_is_missing_is_noticed(
    owner: object, function: str, project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, function, lambda *_: None)
    assert record_run(project, monkeypatch).unsafe() != []


def test_a_journal_that_comes_before_the_record_is_noticed(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = record_run(project, monkeypatch)
    ends = [call for call in calls.all if call.kind == "journal" and '"end":' in call.name]
    calls.all = [*ends, *(call for call in calls.all if call not in ends)]
    assert promises_too_early(calls) != []


def test_a_download_is_on_disk(project: SmallProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run_command(*project.arguments())
    calls = record_disk_calls(monkeypatch, tmp_path)
    ended = run_command("results", project.run, "--download", tmp_path / "download")
    assert ended.code == 0, ended
    assert calls.unsafe() == []
    assert sum(call.kind == "rename" for call in calls.all) == 16
