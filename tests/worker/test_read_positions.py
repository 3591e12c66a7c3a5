"""The share of its inputs that a program has read: the positions of its open files, and what says nothing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from genomics_pipeline.worker import read_positions
from genomics_pipeline.worker.process import run_process
from genomics_pipeline.worker.read_positions import LEAST_BYTES, FileKey, ReadPositions, input_paths, open_positions

MIB = 1 << 20


def files_of(folder: Path, *mib: int) -> list[str]:
    """Write files of these sizes and return their paths."""
    paths = [folder / f"{number}.gz" for number in range(len(mib))]
    for path, size in zip(paths, mib, strict=True):
        with path.open("wb") as file:
            file.truncate(size * MIB)
    return [str(path) for path in paths]


def key(path: str) -> FileKey:
    stat = Path(path).stat()
    return stat.st_dev, stat.st_ino


def reported(files: list[str], *looks: Iterable[tuple[str, float]]) -> list[float | None]:
    """Return what is reported after looks, at each of which files are open at these positions, in MiB."""
    seen, now = list[float | None](), [0.0]
    found = [[(key(path), int(position * MIB)) for path, position in one] for one in looks]

    def find(group: int, sizes: Mapping[FileKey, int]) -> Iterable[tuple[FileKey, int]]:
        assert group == 7
        return found.pop(0)

    positions = ReadPositions(files, seen.append, lambda: now[0], find)
    positions.look(7)  # not due yet
    for _ in looks:
        now[0] += 10
        positions.look(7)
    return seen


def test_files_are_read_one_after_the_other_or_beside_each_other(tmp_path: Path) -> None:
    first, second = files = files_of(tmp_path, 4, 4)
    assert reported(files, [(first, 1)], [(first, 4), (second, 2)], [(second, 2)], [(second, 9)]) == [0.125, 0.75, 1.0]


def test_a_fork_has_the_files_of_its_parent(tmp_path: Path) -> None:
    (path,) = files = files_of(tmp_path, 4)
    assert reported(files, [(path, 1), (path, 1)], [(path, 2), (path, 2)]) == [0.25, 0.5]


def test_a_header_that_is_looked_at_first_is_no_second_pass(tmp_path: Path) -> None:
    (path,) = files = files_of(tmp_path, 4)
    assert reported(files, [(path, 0.05)], [(path, 0)], [(path, 2)])[-1] == 0.5


@pytest.mark.parametrize("place", [1.0, 3.0])
def test_what_is_not_read_once_from_its_beginning_tells_nothing(tmp_path: Path, place: float) -> None:
    (path,) = files = files_of(tmp_path, 4)
    again = [(path, 2.0), (path, place)] if place > 2 else [(path, place)]
    assert reported(files, [(path, 2)], again) == [0.5, None]


def test_small_files_and_what_is_no_file_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "small.gz").write_bytes(b"1")
    os.mkfifo(tmp_path / "pipe.gz")
    inputs = {"reads": [{"lane": "L1", "fastq_1": str(tmp_path / "small.gz"), "fastq_2": None}], "more": ["pipe\0.gz"]}
    paths = list(input_paths(inputs))
    assert paths == ["L1", str(tmp_path / "small.gz"), "pipe\0.gz"]
    assert reported([*paths, str(tmp_path / "pipe.gz")]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: only Linux tells the positions of open files")
def test_a_running_program_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_positions, "PERIOD_S", 0.0)
    (path,) = files = files_of(tmp_path, 4)
    go, seen = tmp_path / "go", list[float | None]()

    def see(share: float | None) -> None:
        seen.append(share)
        go.touch()

    program = f"import os, signal\nsignal.alarm(30)\nfile = open({path!r}, 'rb', buffering=0)\nfile.read({3 * MIB})\n"
    program += f"while not os.path.exists({str(go)!r}): pass"
    argv, log, cancelled = [sys.executable, "-c", program], tmp_path / "log.txt", threading.Event()
    assert run_process(argv, tmp_path, log, cancelled, look=ReadPositions(files, see).look).exit_code == 0
    assert seen == [0.75]


def test_where_the_system_tells_nothing_there_are_no_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_positions, "processes", list)
    assert list(open_positions(os.getpgid(0), {(1, 1): LEAST_BYTES})) == []
