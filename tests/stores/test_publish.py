"""Files that are published: whole and on disk, nowhere else, and without litter."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.stores import durable
from genomics_pipeline.stores.open_folder import LeadsOutside
from genomics_pipeline.stores.publish import (
    make_folders,
    open_appending,
    publish_bytes,
    publish_file,
    publish_files,
    publish_new,
    publishing,
    publishing_folder,
    remove,
)
from tests.stores.disk_calls import record_disk_calls

Write = Callable[[Path, Path | None], None]


def move(path: Path, root: Path | None) -> None:
    """Publish a file that a program has written into a folder for temporary files."""
    source = (root or path.parent).parent / "made"
    source.write_bytes(b"new")
    publish_file(source, path, root)


def append(path: Path, root: Path | None) -> None:
    with open_appending(path, root) as file:
        file.write(b"new")
        file.flush()
        durable.sync_data(file.fileno())
    durable.sync_names(path.parent)


def open_and_write(path: Path, root: Path | None) -> None:
    with publishing(path, root) as file:
        file.write(b"new")


WRITES: dict[str, Write] = {
    "bytes": lambda path, root: publish_bytes(path, b"new", root),
    "open file": open_and_write,
    "moved file": move,
}
ALL = {**WRITES, "appended file": append}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "victim").write_bytes(b"old")
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class TestDurability:
    """The order of the calls that a power cut depends on."""

    @pytest.mark.parametrize("write", ALL.values(), ids=ALL)
    def test_a_file_and_its_new_folders_are_on_disk(
        self, write: Write, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = record_disk_calls(monkeypatch, run)
        write(run / "a" / "b" / "file", run)
        assert [call.name for call in calls.all if call.kind == "make"] == ["a", "b"]
        assert calls.unsafe() == []
        assert sum(call.kind == "sync" for call in calls.all) == 4, "a, b, the file, the folder of the file"

    def test_files_that_are_published_together_share_the_sync_of_their_folder(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in "abc":
            (run.parent / name).write_text(name)
        calls = record_disk_calls(monkeypatch, run)
        publish_files([(run.parent / name, run / "out" / name) for name in "abc"], run)
        kinds = [call.kind for call in calls.all]
        assert kinds == ["make", "sync", "sync", "sync", "rename", "rename", "rename", "sync", "sync"]
        assert calls.unsafe() == []
        assert tree(run) == {"out/a": b"a", "out/b": b"b", "out/c": b"c"}

    def test_a_new_folder_is_put_on_disk_by_each_thread_that_relies_on_it(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = record_disk_calls(monkeypatch, run)
        with publishing(run / "a" / "first", run):
            thread = threading.Thread(target=publish_bytes, args=[run / "a" / "second", b"new", run])
            thread.start()
            thread.join()
            synced = [call.file for call in calls.all if call.kind == "sync"][-2:]  # at once, so in any order
            assert set(synced) == {identity(run), identity(run / "a")}
        before = len(calls.all)
        publish_bytes(run / "a" / "third", b"new", run)
        assert [call.kind for call in calls.all[before:]] == ["sync", "rename", "sync"]

    def test_all_of_a_folder_is_on_disk_before_it_takes_its_place(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = record_disk_calls(monkeypatch, run)
        with publishing_folder(run / "cohort") as part:
            (part / "fastq").mkdir()
            (part / "fastq" / "reads").write_text("ACGT")
            files = {identity(part), identity(part / "fastq"), identity(part / "fastq" / "reads")}
        renamed = next(number for number, call in enumerate(calls.all) if call.kind == "rename")
        assert files <= {call.file for call in calls.all[:renamed] if call.kind == "sync"}
        assert calls.unsafe() == []

    def test_a_removed_file_stays_removed(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (run / "step.json").write_text("{}")
        calls = record_disk_calls(monkeypatch, run)
        remove(run / "step.json", run)
        remove(run / "step.json", run)
        assert [call.kind for call in calls.all] == ["remove", "sync"]

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    @pytest.mark.parametrize("missing", range(4))
    def test_the_recording_finds_each_sync_that_is_missing(
        self, write: Write, missing: int, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain, done = os.fsync, iter(range(9))
        calls = record_disk_calls(monkeypatch, run)
        recorded = os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: (plain if next(done) == missing else recorded)(file))
        write(run / "a" / "b" / "file", run)
        assert len(calls.unsafe()) == 1

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
    def test_a_file_system_without_fsync_of_folders_is_accepted(
        self, number: int, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fsync(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)
        publish_bytes(run / "a" / "file", b"new")
        assert tree(run) == {"a/file": b"new"}

    @pytest.mark.parametrize("folder", [False, True])
    def test_an_error_of_the_disk_is_reported_with_the_file(
        self, folder: bool, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fsync(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode) is folder:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        (run / "file").write_bytes(b"old")
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="Input/output error") as error:
            publish_bytes(run / "file", b"new")
        assert error.value.filename == str(run if folder else run / "file")
        assert tree(run) == {"file": b"new" if folder else b"old"}


def identity(path: Path) -> tuple[int, int]:
    return path.stat().st_dev, path.stat().st_ino


class TestWholeness:
    """Files are whole or not there, whatever happens to their writers."""

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    @pytest.mark.parametrize("name", ["file", "x" * 255, "ü" * 127, ".hidden", " -rf ", "a\nb"])
    def test_a_file_is_written_and_replaced(self, write: Write, name: str, run: Path) -> None:
        for _ in range(2):
            write(run / name, run)
            assert tree(run) == {name: b"new"}

    def test_a_file_has_the_mode_of_any_new_file(self, run: Path) -> None:
        before = os.umask(0o027)
        try:
            publish_bytes(run / "a" / "file", b"new", run)
        finally:
            os.umask(before)
        assert stat.filemode((run / "a" / "file").stat().st_mode) == "-rw-r-----"
        assert stat.filemode((run / "a").stat().st_mode) == "drwxr-x---"

    def test_a_block_that_fails_leaves_the_file_before(self, run: Path) -> None:
        (run / "file").write_bytes(b"old")

        def write_half_a_file() -> None:
            with publishing(run / "file", run) as file:
                file.write(b"half")
                assert (run / "file").read_bytes() == b"old"
                raise ZeroDivisionError

        def write_half_a_folder() -> None:
            with publishing_folder(run / "cohort") as part:
                (part / "reads").write_bytes(b"half")
                raise ZeroDivisionError

        for write in (write_half_a_file, write_half_a_folder):
            with pytest.raises(ZeroDivisionError):
                write()
        assert tree(run) == {"file": b"old"}
        assert [path.name for path in run.iterdir()] == ["file"]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_a_full_disk_leaves_the_file_before_and_is_reported_with_its_path(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (run / "file").write_bytes(b"old")
        plain = os.open

        def full(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            descriptor = plain(path, flags, mode, dir_fd=dir_fd)
            if path == ".file.part":
                os.dup2(plain("/dev/full", os.O_WRONLY), descriptor)
            return descriptor

        monkeypatch.setattr(os, "open", full)
        monkeypatch.setattr("genomics_pipeline.stores.temporary_file._is_at", lambda *_: True)
        with pytest.raises(OSError, match="No space left") as error:
            publish_bytes(run / "file", b"new", run)
        assert error.value.filename == str(run / "file")
        assert tree(run) == {"file": b"old"}

    def test_what_a_killed_writer_left_is_removed_by_the_next(self, run: Path) -> None:
        code = (
            "import os, pathlib, sys; from genomics_pipeline.stores.publish import publishing, publishing_folder\n"
            "run = pathlib.Path(sys.argv[1])\n"
            "with publishing(run / 'file') as file, publishing_folder(run / 'cohort') as part:\n"
            "    file.write(b'half'); file.flush(); (part / 'reads').write_bytes(b'half'); os._exit(9)\n"
        )
        assert subprocess.run([sys.executable, "-c", code, run], check=False).returncode == 9
        assert sorted(path.name for path in run.iterdir()) == [".cohort.part", ".file.part"]
        publish_bytes(run / "file", b"new")
        with publishing_folder(run / "cohort") as part:
            (part / "sheet").write_bytes(b"new")
        assert tree(run) == {"file": b"new", "cohort/sheet": b"new"}
        assert sorted(path.name for path in run.iterdir()) == ["cohort", "file"]

    def test_writers_of_the_same_file_do_not_disturb_each_other(self, run: Path) -> None:
        contents = [bytes([number]) * (50_000 + number) for number in range(8)]
        errors: list[BaseException] = []

        def write(content: bytes) -> None:
            try:
                for _ in range(5):
                    with publishing(run / "a" / "file", run) as file:
                        file.write(content[:100])
                        file.write(content[100:])
                    assert (run / "a" / "file").read_bytes() in contents
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=write, args=[content]) for content in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert [path.name for path in (run / "a").iterdir()] == ["file"]

    def test_a_second_writer_without_locks_is_noticed(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def flock(descriptor: int, operation: int) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr("fcntl.flock", flock)

        def write_twice() -> None:
            with publishing(run / "file") as file:
                publish_bytes(run / "file", b"second")
                file.write(b"first")

        with pytest.raises(OSError, match="another process is writing the same file"):
            write_twice()
        assert tree(run) == {"file": b"second"}

    @pytest.mark.parametrize("has_links", [True, False])
    def test_one_of_two_writers_of_a_new_file_succeeds_without_locks(
        self, run: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

        monkeypatch.setattr("fcntl.flock", refuse)
        if not has_links:
            monkeypatch.setattr(os, "link", refuse)
        plain, written = os.path.lexists, []

        def lexists(path: Path) -> bool:
            there = plain(path)
            monkeypatch.setattr(os.path, "lexists", plain)
            written.append(publish_new(run / "new", b"second"))
            return there

        monkeypatch.setattr(os.path, "lexists", lexists)
        assert not publish_new(run / "new", b"first")
        assert written == [True]
        assert tree(run)["new"] == b"second"

    def test_a_file_of_another_file_system_is_copied(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = os.rename

        def rename(source: object, target: str, **folders: int) -> None:
            if isinstance(source, Path):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            plain(str(source), target, **folders)

        monkeypatch.setattr(os, "rename", rename)
        calls = record_disk_calls(monkeypatch, run)
        move(run / "file", run)
        assert tree(run) == {"file": b"new"}
        assert calls.unsafe() == []
        assert not (run.parent / "made").exists()


class TestLinks:
    """Links that somebody planted in a shared folder."""

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    @pytest.mark.parametrize("kind", ["symbolic", "dangling", "hard"])
    @pytest.mark.parametrize("name", ["file", ".file.part"])
    def test_a_link_in_the_place_of_a_file_is_replaced(self, write: Write, kind: str, name: str, run: Path) -> None:
        victim = run.parent / "elsewhere" / "victim"
        if kind == "hard":
            (run / name).hardlink_to(victim)
        else:
            (run / name).symlink_to(victim if kind == "symbolic" else victim.with_name("new"))
        write(run / "file", run)
        assert (run / "file").read_bytes() == b"new"
        assert not (run / "file").is_symlink()
        assert tree(run.parent / "elsewhere") == {"victim": b"old"}

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_pipe_or_a_folder_in_the_place_of_the_temporary_file(self, write: Write, run: Path) -> None:
        os.mkfifo(run / ".file.part")
        write(run / "file", run)
        (run / ".other.part").mkdir()
        (run / ".other.part" / "x").write_text("x")
        write(run / "other", run)
        assert (run / "file").read_bytes() == (run / "other").read_bytes() == b"new"

    @pytest.mark.parametrize("write", ALL.values(), ids=ALL)
    @pytest.mark.parametrize("below", ["file", "deep/er/file"])
    @pytest.mark.parametrize("link", ["results", "results/sample1"])
    def test_a_folder_that_leads_out_is_refused(self, write: Write, below: str, link: str, run: Path) -> None:
        elsewhere = run.parent / "elsewhere"
        (run / link).parent.mkdir(exist_ok=True)
        (run / link).symlink_to(elsewhere)
        with pytest.raises(LeadsOutside) as error:
            write(run / link / below, run)
        assert str(error.value) == (
            f"{run / link}: expected a folder inside {run}, found a symbolic link to {elsewhere}; "
            "remove the link, then run again"
        )
        assert tree(elsewhere) == {"victim": b"old"}
        with pytest.raises(LeadsOutside):
            make_folders(run / link / "new", run)
        with pytest.raises(LeadsOutside):
            remove(run / link / "victim", run)
        assert tree(elsewhere) == {"victim": b"old"}
        assert [path.name for path in elsewhere.iterdir()] == ["victim"]

    @pytest.mark.parametrize("write", ALL.values(), ids=ALL)
    def test_a_folder_that_becomes_a_link_is_not_followed(
        self, write: Write, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (run / "results").mkdir()
        plain = os.open

        def race(path: str, *arguments: int, dir_fd: int | None = None) -> int:
            if path == "results":
                (run / "results").rmdir()
                (run / "results").symlink_to(run.parent / "elsewhere")
            return plain(path, *arguments, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", race)
        with pytest.raises(OSError, match=r"expected a folder|Too many levels"):
            write(run / "results" / "victim", run)
        assert tree(run.parent / "elsewhere") == {"victim": b"old"}

    @pytest.mark.parametrize("write", ALL.values(), ids=ALL)
    def test_links_inside_a_folder_and_to_it_are_followed(self, write: Write, run: Path) -> None:
        (run.parent / "link").symlink_to(run)
        (run / "results").mkdir()
        (run / "old-results").symlink_to("results")
        write(run.parent / "link" / "old-results" / "file", run.parent / "link")
        assert tree(run)["results/file"] == b"new"

    def test_a_file_is_not_appended_to_elsewhere(self, run: Path) -> None:
        victim = run.parent / "elsewhere" / "victim"
        (run / "journal").symlink_to(victim)
        with pytest.raises(LeadsOutside) as error:
            append(run / "journal", run)
        assert str(error.value) == (
            f"{run / 'journal'}: expected a file, found a symbolic link to {victim}; remove the link, then run again"
        )
        (run / "other").hardlink_to(victim)
        append(run / "other", run)
        assert (run / "other").read_bytes() == b"oldnew"
        assert victim.read_bytes() == b"old"

    def test_a_link_that_a_program_left_as_its_output_is_published_as_what_it_leads_to(self, run: Path) -> None:
        victim = run.parent / "elsewhere" / "victim"
        source = run.parent / "made"
        source.symlink_to(victim)
        publish_file(source, run / "file", run)
        assert not (run / "file").is_symlink()
        assert tree(run) == {"file": b"old"}
        assert victim.exists()
        assert not source.is_symlink()

    def test_a_removed_link_is_not_followed(self, run: Path) -> None:
        (run / "file").symlink_to(run.parent / "elsewhere" / "victim")
        remove(run / "file", run)
        assert tree(run.parent) == {"elsewhere/victim": b"old"}
        assert list(run.iterdir()) == []


def test_a_file_without_room_is_named(tmp_path: Path) -> None:
    target, other = tmp_path / "a.bam", tmp_path / "b.fq"
    with pytest.raises(OSError, match="No space left") as caught, publishing(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(target)
    for error in (OSError(errno.ENOSPC, "No space left on device", str(other)), OSError(errno.EIO, "of the source")):
        with pytest.raises(OSError) as caught, publishing(target):  # noqa: PT011
            raise error
        assert caught.value is error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_folder_in_the_place_of_a_file_is_replaced_only_if_it_is_empty(tmp_path: Path, write: Write) -> None:
    run = tmp_path / "run"
    path = run / "file"
    path.mkdir(parents=True)
    write(path, run)
    assert path.read_bytes() == b"new"
    path.unlink()
    path.mkdir()
    (path / "precious").touch()
    with pytest.raises(OSError, match=r"expected a file, found a folder that is not empty; move or remove it") as error:
        write(path, run)
    assert (error.value.filename, [file.name for file in path.iterdir()]) == (str(path), ["precious"])


def test_a_folder_in_the_place_of_a_file_is_removed_only_if_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (path / "precious").mkdir(parents=True)
    with pytest.raises(OSError, match="expected a file, found a folder that is not empty"):
        remove(path)
    (path / "precious").rmdir()
    remove(path)
    assert not path.exists()
