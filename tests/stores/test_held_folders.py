"""Many looks at the files of a folder: the same answers and errors as from the store, with fewer system calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from genomics_pipeline.stores import held_folders
from genomics_pipeline.stores.held_folders import HeldFolders
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import ObjectReader

PREFIX = "s3://RUN/"
LINKS = {"inner": "folder", "outer": "..", "outside": "../secret", "loop": "loop", "broken": "missing", "same": "file"}
NAMES = ["folder", "file", "missing", "pipe", "secret", "", ".", "..", *LINKS]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with files, folders, pipes and links of every kind."""
    parent = tmp_path_factory.mktemp("held")
    (parent / "secret").write_text("secret")
    run = parent / "run"
    for folder in (run, run / "folder"):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
        os.mkfifo(folder / "pipe")
        for name, target in LINKS.items():
            (folder / name).symlink_to(target)
    return run


def answer(call: Callable[[str], object], uri: str) -> object:
    """Return the answer of a store, or its error."""
    try:
        return call(uri)
    except Exception as error:  # of every kind
        return type(error), str(error)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_answers_are_those_of_the_store(root: Path, parts: int) -> None:
    store = LocalStore({"RUN": root})
    held = HeldFolders(store, PREFIX, root)
    for names in product(NAMES, repeat=parts):
        uri = PREFIX + "/".join(names)
        for asked in ("stat", "read", "local"):
            assert answer(getattr(held, asked), uri) == answer(getattr(store, asked), uri), (asked, uri)


class NoStore:
    """A store that is not to be asked."""

    def stat(self, uri: str) -> None:
        raise AssertionError(uri)

    read = local = stat


def open_within(folder: Path) -> int:
    """Return the number of descriptors of a folder and of what is in it; earlier tests may have left others."""
    places, found = {(file.stat().st_dev, file.stat().st_ino) for file in [folder, *folder.rglob("*")]}, 0
    for name in os.listdir("/dev/fd"):  # noqa: PTH208
        with suppress(OSError):  # that of the list itself
            status = os.fstat(int(name))
            found += (status.st_dev, status.st_ino) in places
    return found


def test_plain_files_are_looked_at_without_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_folders, "OPEN_FOLDERS", 3)
    (tmp_path / "link").symlink_to(tmp_path)
    held = HeldFolders(NoStore(), PREFIX, tmp_path / "link")  # type: ignore[arg-type]
    for number in range(9):
        file = tmp_path / f"steps/{number}/step.json"
        file.parent.mkdir(parents=True)
        file.write_text(str(number))
    for number in (*range(9), *range(9)):
        uri = f"{PREFIX}steps/{number}/step.json"
        info = held.stat(uri)
        assert held.read(uri) == str(number).encode()
        assert info == LocalStore({"RUN": tmp_path}).stat(uri)
    assert 0 < open_within(tmp_path) <= 3
    del held
    assert open_within(tmp_path) == 0


def test_a_folder_that_is_replaced_by_another(tmp_path: Path) -> None:
    folder, uri = tmp_path / "folder", f"{PREFIX}folder/file"
    held: ObjectReader = HeldFolders(LocalStore({"RUN": tmp_path}), PREFIX, tmp_path)
    for content in (b"old", b"newer"):
        folder.mkdir()
        (folder / "file").write_bytes(content)
        assert held.read(uri) == content
        (folder / "file").unlink()
        assert held.stat(uri) is None
        folder.rmdir()
