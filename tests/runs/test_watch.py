"""Continuous intake: each complete manifest is started once, whatever happens to the watchers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.runs.arrivals import FULL_S
from genomics_pipeline.runs.watch import (
    EndedCommand,
    Surroundings,
    Watch,
    WatchRequest,
    watch_request,
)
from genomics_pipeline.stores.local import LocalStore

NOW = 1_000_000.0
RUN = ("run", "--reference", "r.fa", "--out", "runs/{name}")
# The beginning of the sha256 of "a".
DIGEST = "ca978112ca1b"


class Watcher:
    """A watcher whose commands are recorded.

    Args:
        request: What it watches.
        store: The store of the manifests.
        code: The exit code of its commands.
        meanwhile: Is called while a command runs.
    """

    def __init__(
        self, request: WatchRequest, store: LocalStore, code: int = 0, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        self.request, self.code, self.meanwhile = request, code, meanwhile
        self.started: list[list[str]] = []
        self.notes: list[str] = []
        self.now = NOW
        self.watch = Watch(request, Surroundings(store, self._start, lambda: self.now, self.notes.append))

    def _start(self, arguments: Sequence[str], descriptors: Sequence[int]) -> EndedCommand:
        self.started.append(list(arguments))
        self.meanwhile()
        return EndedCommand(self.code, ["cohort.csv:2: a problem"] if self.code else [])

    def look(self) -> int:
        """Look, and return how many commands failed."""
        return sum(code != 0 for code in self.watch.start_arrivals())

    def later(self) -> int:
        """Look when all files are looked at again."""
        self.now += FULL_S
        return self.look()


@pytest.fixture
def intake(tmp_path: Path) -> Path:
    folder = tmp_path / "intake"
    folder.mkdir()
    return folder


def arrive(path: Path, text: str = "a", age_s: float = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def watcher(folder: Path, code: int = 0, meanwhile: Callable[[], object] = lambda: None) -> Watcher:
    return Watcher(watch_request(str(folder), RUN, 10), LocalStore(), code, meanwhile)


def test_a_manifest_is_started_once_with_its_name(intake: Path) -> None:
    sheet = arrive(intake / "cohort 1.csv.gz")
    first = watcher(intake)
    assert (first.look(), first.look(), watcher(intake).look()) == (0, 0, 0)
    name = f"cohort-1-{DIGEST}"
    assert first.started == [["run", str(sheet), "--reference", "r.fa", "--out", f"runs/{name}"]]
    begun, ended = (json.loads((intake / ".started" / f"{name}{end}").read_text()) for end in (".json", ".ended.json"))
    assert begun.pop("by")["pid"] == os.getpid()
    assert begun == {"manifest": str(sheet), "sha256": begun["sha256"], "begun": "1970-01-12T13:46:40+00:00"}
    assert (ended["ended"], ended["exit_code"]) == ("1970-01-12T13:46:40+00:00", 0)


def test_of_two_watchers_one_starts_a_manifest(intake: Path) -> None:
    for name in ("a.csv", "b.csv"):
        arrive(intake / name)
    second = watcher(intake)
    first = watcher(intake, meanwhile=second.look)
    first.look()
    assert [command[1] for command in first.started] == [str(intake / "a.csv")]
    assert [command[1] for command in second.started] == [str(intake / "b.csv")]


def test_only_complete_files_are_started(intake: Path) -> None:
    sheet = arrive(intake / "a.csv", age_s=9)
    one = watcher(intake)
    one.look()
    assert one.started == []
    arrive(sheet)
    one.look()
    assert len(one.started) == 1


def test_a_changed_manifest_is_a_new_one_and_a_touched_one_is_not(intake: Path) -> None:
    sheet = arrive(intake / "a.csv")
    one = watcher(intake)
    one.look()
    arrive(sheet, age_s=20)
    one.later()
    assert len(one.started) == 1
    arrive(sheet, "b", age_s=15)
    one.later()
    assert len(one.started) == 2


@pytest.mark.parametrize("name", [".a.csv", "a.txt", "a.csv.part", "sub/a.csv", ".started/a.csv"])
def test_other_files_are_not_started(intake: Path, name: str) -> None:
    arrive(intake / name)
    one = watcher(intake)
    one.look()
    assert one.started == []


def test_a_failure_is_not_repeated_until_its_record_is_removed(intake: Path) -> None:
    arrive(intake / "a.csv")
    one = watcher(intake, code=1)
    assert (one.look(), one.look()) == (1, 0)
    claim = intake / ".started" / f"a-{DIGEST}.json"
    assert one.notes[-1].endswith(f"failed with exit code 1; to start it again, remove {claim}")
    claim.unlink()
    assert one.later() == 1
    assert len(one.started) == 2


def test_wrong_usage_ends_the_watch_and_leaves_the_manifest(intake: Path) -> None:
    arrive(intake / "a.csv")
    with pytest.raises(UsageError, match="`run` does not accept its options"):
        watcher(intake, code=2).look()
    one = watcher(intake)
    one.look()
    assert len(one.started) == 1


def test_what_was_interrupted_is_named_and_not_started_again(intake: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    arrive(intake / "a.csv")
    one = watcher(intake, meanwhile=interrupt)
    with pytest.raises(KeyboardInterrupt):
        one.look()
    claim = str(intake / ".started" / f"a-{DIGEST}.json")
    other = watcher(intake)
    other.watch.release_abandoned()
    begun = "begun and not ended: another watcher runs it, or was killed; remove it to start it again"
    assert other.notes == [f"{claim}: {begun}"]
    other.look()
    assert other.started == []


def test_what_has_ended_is_not_unfinished(intake: Path) -> None:
    arrive(intake / "a.csv")
    one = watcher(intake, code=1)
    one.look()
    one.watch.release_abandoned()
    assert not any("begun and not ended" in note for note in one.notes)


def test_objects_in_s3_are_complete_at_once(tmp_path: Path) -> None:
    arrive(tmp_path / "bucket/in/a.csv", age_s=0)
    store = LocalStore({"bucket": tmp_path / "bucket"})
    one = Watcher(watch_request("s3://bucket/in", ("submit", "--reference", "s3://b/r.fa"), 10), store)
    one.look()
    one.look()
    assert one.started == [["submit", "s3://bucket/in/a.csv", "--reference", "s3://b/r.fa"]]


@pytest.mark.parametrize(
    ("prefix", "command", "message"),
    [
        ("nothing", RUN, "nothing: expected a folder or an S3 prefix, found none"),
        ("https://host/in", RUN, "https://host/in: expected a folder or an S3 prefix, s3://bucket/prefix/"),
        ("s3://b/in", (), "expected `run` or `submit` and its options after --, found nothing"),
        ("s3://b/in", ("delete", "x"), "expected `run` or `submit` and its options after --, found delete"),
        ("s3://b/in", ("run", "--out", "x"), "expected --out with {name}, so that each run has a folder of its own"),
    ],
)
def test_what_cannot_be_watched_is_refused(prefix: str, command: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as error:
        watch_request(prefix, command, 10)
    assert str(error.value).startswith(message)
