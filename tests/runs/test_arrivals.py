"""Arrivals in a folder: a look costs what is new, and misses nothing for longer than a full look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genomics_pipeline.runs.arrivals import FULL_S, STARTED, Arrival, WatchedFolder
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ObjectInfo

OLD = 1_000_000_000  # seconds since the epoch, long before the times of a test's own files


class Folder:
    """A watched folder with the clock of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / STARTED).mkdir(parents=True, exist_ok=True)
        self.now = float(OLD)
        self.watched = WatchedFolder(LocalStore(), f"{path}/", lambda: self.now)

    def settle(self, age_s: float = 1) -> None:
        """Give the folder an old time, so that it counts as unchanged since."""
        os.utime(self.path, (self.now - age_s, self.now - age_s))

    def look(self) -> list[str]:
        return [Path(info.uri).name for info in self.watched.look()]

    def start(self, name: str) -> None:
        """Record that a manifest was started."""
        info = LocalStore().stat(str(self.path / name))
        assert isinstance(info, ObjectInfo)
        (self.path / STARTED / f"{name}-run.json").touch()
        self.watched.remember(Arrival(info, f"{name}-run", ""))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "in")


def test_a_folder_that_has_not_changed_is_not_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.path / "a.csv").touch()
    assert folder.look() == ["a.csv"]
    folder.start("a.csv")
    folder.settle()
    assert folder.look() == []

    def read(*_: object) -> None:
        raise AssertionError("expected no look at the names")

    monkeypatch.setattr(os, "listdir", read)
    monkeypatch.setattr(os, "scandir", read)
    assert folder.look() == []
    folder.now += FULL_S
    with pytest.raises(AssertionError):
        folder.look()


def test_of_known_names_only_new_ones_are_looked_at(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (folder.path / f"{number:02}.csv").touch()
    for name in folder.look():
        folder.start(name)
    looked: list[str] = []
    stat = LocalStore.stat

    def noted(store: LocalStore, uri: str) -> ObjectInfo | None:
        looked.append(uri)
        return stat(store, uri)

    monkeypatch.setattr(LocalStore, "stat", noted)
    (folder.path / "new.csv").touch()
    assert folder.look() == ["new.csv"]
    assert looked == [str(folder.path / "new.csv")]


def test_a_file_that_arrives_within_the_tick_of_a_look_is_seen_by_the_next(folder: Folder) -> None:
    (folder.path / "a.csv").touch()
    folder.settle(0)  # as if the folder had changed at the time of the look
    assert folder.look() == ["a.csv"]
    (folder.path / "b.csv").touch()
    folder.settle(0)
    assert folder.look() == ["a.csv", "b.csv"]


def test_a_manifest_that_is_not_complete_is_yielded_again(folder: Folder) -> None:
    (folder.path / "a.csv").touch()
    assert folder.look() == ["a.csv"]
    folder.settle()
    assert folder.look() == ["a.csv"]
    folder.settle()
    assert folder.look() == ["a.csv"]


def test_a_folder_that_is_gone_may_come_back(folder: Folder) -> None:
    other = folder.path.rename(folder.path.with_name("other"))
    assert folder.look() == []
    (other / "a.csv").touch()
    other.rename(folder.path)
    assert folder.look() == ["a.csv"]


_NAMES = st.sampled_from(["a.csv", "b.jsonl", "c.tsv.gz"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "start", "remove", "release"]), _NAMES),
        st.tuples(st.sampled_from(["look", "settle"]), st.just("")),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(steps=_STEPS)
@example([("write", "a.csv"), ("start", "a.csv"), ("release", "a.csv")])
@example([("write", "a.csv"), ("start", "a.csv"), ("look", ""), ("write", "a.csv")])
def test_a_full_look_finds_exactly_what_is_not_started(steps: list[tuple[str, str]]) -> None:
    """Compare with a model, whatever was written, started, removed and released in between."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        folder, contents = Folder(Path(name, "in")), 0
        started: dict[str, str] = {}
        for do, file in steps:
            path = folder.path / file if file else folder.path
            match do:
                case "write":
                    contents += 1
                    path.write_text("x" * contents)  # another size is another version
                case "start" if path.exists():
                    folder.start(file)
                    started[file] = path.read_text()
                case "remove":
                    path.unlink(missing_ok=True)
                case "release":
                    (folder.path / STARTED / f"{file}-run.json").unlink(missing_ok=True)
                    started.pop(file, None)
                case "look":
                    folder.look()
                case "settle":
                    folder.settle()
        folder.now += FULL_S
        present = {path.name: path.read_text() for path in folder.path.iterdir() if path.is_file()}
        assert folder.look() == sorted(file for file, text in present.items() if started.get(file) != text)
