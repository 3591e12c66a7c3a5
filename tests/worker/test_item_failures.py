"""Whatever happens to one item is the failure of that item: others of its batch are done."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import Publication, Store, TransferFailed
from genomics_pipeline.worker.failure import TOO_MANY_PROCESSES, StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import read_step
from genomics_pipeline.worker.task_resources import TaskResources
from tests.fakes.memory_store import MemoryStore
from tests.small_project import write_step

DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.copy]
path = "{sample}.txt"
[outputs.metrics]
path = "{sample}.json"
"""
# The first line of the reads is run, so that each sample says how its program ends.
PROGRAM = """
import json, os, signal, sys
task = json.load(open(sys.argv[1]))
metrics = '{"reads": 1}'
exec(open(task["inputs"]["reads"][0]["fastq_1"]).readline()[1:])
open(task["outputs"]["copy"], "w").write("copy")
open(task["outputs"]["metrics"], "w").write(metrics)
"""
BAD = "bad"


class Bench:
    """A step, a good sample and a bad one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_step(folder, "copy", PROGRAM, DECLARATIONS)
        for name in ("good", BAD):
            (folder / f"{name}.fq").write_text("@pass\n")
        self.reads = {name: str(folder / f"{name}.fq") for name in (BAD, "good")}
        self.store: Store = LocalStore({"RUN": folder / "bucket"})
        self.records: Store = self.store

    def fail(self) -> StepFailed:
        """Run both samples and return the failure of the bad one, whose record is written; the good one is done."""
        payload = TaskPayload(
            stage="copying",
            step="copy",
            scope="sample",
            run=RunPlace("r", "RUN", ""),
            reference="",
            parameters={},
            inputs={"reads": "sample.reads"},
            publish={"copy": "", "metrics": ""},
            items=tuple(
                {"sample": name, "lanes": [{"lane": "L1", "fastq_1": uri, "fastq_2": None}]}
                for name, uri in self.reads.items()
            ),
            upstream={},
        )
        resources = TaskResources(
            vcpus=1,
            memory_mib=100,
            scratch=self.folder / "scratch",
            cache=self.folder / "cache",
            cancelled=threading.Event(),
            environment=os.environ,
        )
        with pytest.raises(StepFailed) as caught:
            run_task(payload, read_step(self.folder / "copy"), self.store, resources)
        assert self.records.stat(payload.run.uri("steps/copying/good/step.json")) is not None
        assert self.records.stat(payload.run.uri("steps/copying/bad/step.json")) is None
        assert caught.value.item == BAD
        assert not list((self.folder / "scratch").iterdir())
        return caught.value

    def log(self) -> str:
        return (self.folder / "bucket/steps/copying/bad/log.txt").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere.fq")


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("a file")


PATHS: list[tuple[str, Callable[[Path], None], str]] = [
    ("none.fq", lambda _: None, "expected a file, found none"),
    ("folder.fq", folder, "expected a file, found a folder"),
    ("pipe.fq", os.mkfifo, "expected a file, found a named pipe"),
    ("loop.fq", loop, "expected a file that can be read, found: Too many levels of symbolic links"),
    ("dangling.fq", dangling, "expected a file, found none"),
    ("sub/a.fq", below_a_file, "expected a file, found none"),
    (f"{'a' * 300}.fq", lambda _: None, "expected a file that can be read, found: File name too long"),
]


@pytest.mark.parametrize(("name", "make", "message"), PATHS, ids=[name[:12] for name, _, _ in PATHS])
def test_a_path_that_is_no_file(bench: Bench, name: str, make: Callable[[Path], None], message: str) -> None:
    path = bench.folder / "given" / name
    path.parent.mkdir(parents=True)
    make(path)
    bench.reads[BAD] = str(path)
    failure = bench.fail()
    assert (failure.failure_class, str(failure)) == (FailureClass.BAD_INPUT, f"{path}: {message}")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:///a%00.fq", "file:///a%00.fq: expected a path without null characters, found %00"),
        ("/a\0.fq", "'/a\\x00.fq': expected a path without null characters"),
        (
            "file://[x/a.fq",
            "file://[x/a.fq: expected a path or a URI such as file:///folder/file: Invalid IPv6 URL",
        ),
        ("/dev/null", "/dev/null: expected a file, found a device"),
        ("/dev/full", "/dev/full: expected a file, found a device"),
        ("s3://no-such-bucket/a.fq", "s3://no-such-bucket/a.fq: expected a bucket, found none"),
        ("s3://RUN/../a.fq", "s3://RUN/../a.fq: expected a key inside its bucket"),
    ],
)
def test_a_uri_that_is_no_file(bench: Bench, uri: str, message: str) -> None:
    bench.reads[BAD] = uri
    failure = bench.fail()
    assert (failure.failure_class, str(failure)) == (FailureClass.BAD_INPUT, message)


def test_a_path_that_is_not_utf8_is_read(bench: Bench) -> None:
    path = os.fsencode(bench.folder) + b"/\xff.fq"
    Path(os.fsdecode(path)).write_text("@sys.exit(9)\n")
    bench.reads[BAD] = f"file://{bench.folder}/%FF.fq"
    assert bench.fail().task_exit_code == 9


@pytest.mark.parametrize(
    "act",
    [
        "os.unlink('../log.txt')",
        "os.unlink('../log.txt'), os.mkdir('../log.txt')",
        "os.unlink('../log.txt'), os.mkfifo('../log.txt')",
        "os.unlink('../log.txt'), os.symlink('/dev/zero', '../log.txt')",
        "__import__('shutil').rmtree(os.path.dirname(os.getcwd()))",
    ],
)
def test_a_program_that_loses_its_log(bench: Bench, act: str) -> None:
    Path(bench.reads[BAD]).write_text(f"@{act}; sys.exit(9)\n")
    failure = bench.fail()
    assert (failure.task_exit_code, str(failure)) == (9, "ended with exit code 9 without a message")


def test_a_file_without_permission(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: BAD not in str(path))
    message = f"{bench.reads[BAD]}: expected a file that can be read, found: Permission denied"
    failure = bench.fail()
    assert (failure.failure_class, str(failure)) == (FailureClass.BAD_INPUT, message)


class BrokenStore(LocalStore):
    """A store that raises an error for every call of one method about the bad sample."""

    def __init__(self, buckets: dict[str, Path], method: str, error: BaseException) -> None:
        super().__init__(buckets)
        self._method, self._error = method, error

    def _break(self, method: str, uri: str) -> None:
        if method == self._method and BAD in uri and "failure.json" not in uri and "log.txt" not in uri:
            raise self._error

    def stat(self, uri: str) -> Any:
        self._break("stat", uri)
        return super().stat(uri)

    def local(self, uri: str) -> Any:
        self._break("local", uri)
        return super().local(uri)

    def fetch(self, uri: str, *rest: Any) -> Any:
        self._break("fetch", uri)
        return super().fetch(uri, *rest)

    def write(self, uri: str, data: bytes) -> None:
        self._break("write", uri)
        super().write(uri, data)

    def publish_all(self, files: Sequence[Publication]) -> None:
        for file in files:
            self._break("publish", file.uri)
        super().publish_all(files)


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "bad.fq")


ERRORS: list[tuple[BaseException, FailureClass, int, str]] = [
    (os_error(errno.EMFILE), FailureClass.TOOL_ERROR, 1, "bad.fq: Too many open files"),
    (os_error(errno.ENFILE), FailureClass.TOOL_ERROR, 1, "bad.fq: Too many open files in system"),
    (os_error(errno.EIO), FailureClass.TOOL_ERROR, 1, "bad.fq: Input/output error"),
    (os_error(errno.ESTALE), FailureClass.TOOL_ERROR, 1, "bad.fq: Stale file handle"),
    (os_error(errno.EAGAIN), FailureClass.TOOL_ERROR, 1, TOO_MANY_PROCESSES),
    (RuntimeError("can't start new thread"), FailureClass.TOOL_ERROR, 1, TOO_MANY_PROCESSES),
    (os_error(errno.EROFS), FailureClass.ACCESS_DENIED, 77, "bad.fq: Read-only file system"),
    (os_error(errno.ENOSPC), FailureClass.OUT_OF_DISK, 73, "no space left on the disk of bad.fq: free some space"),
    (os_error(errno.EDQUOT), FailureClass.OUT_OF_DISK, 73, "no space left on the disk of bad.fq: free some space"),
    (TimeoutError("timed out"), FailureClass.TOOL_ERROR, 1, "timed out"),
    (ConnectionResetError(), FailureClass.TOOL_ERROR, 1, "ConnectionResetError"),
    (MemoryError(), FailureClass.OUT_OF_MEMORY, 137, "out of memory while the files of the task were"),
    (TransferFailed("s3://b/bad", "AccessDenied"), FailureClass.TOOL_ERROR, 1, "s3://b/bad: AccessDenied"),
    (ValueError("embedded null byte"), FailureClass.TOOL_ERROR, 1, "ValueError: embedded null byte (unexpected"),
    (UnicodeError("\udcff"), FailureClass.TOOL_ERROR, 1, "UnicodeError: \udcff (unexpected; the log has the"),
    (RecursionError("too deep"), FailureClass.TOOL_ERROR, 1, "RecursionError: too deep (unexpected; the log has"),
    (KeyError("version"), FailureClass.TOOL_ERROR, 1, "KeyError: 'version' (unexpected; the log has the traceback)"),
]


@pytest.mark.parametrize("method", ["stat", "local", "fetch", "write", "publish"])
@pytest.mark.parametrize(("error", "failure_class", "code", "message"), ERRORS, ids=[repr(e[0])[:30] for e in ERRORS])
def test_an_error_of_the_machine(
    bench: Bench, method: str, error: BaseException, failure_class: FailureClass, code: int, message: str
) -> None:
    bench.store = BrokenStore({"RUN": bench.folder / "bucket"}, method, error)
    failure = bench.fail()
    assert (failure.failure_class, failure.task_exit_code) == (failure_class, code)
    assert str(failure).startswith(message)
    if "unexpected" in message:
        assert failure.log == "s3://RUN/steps/copying/bad/log.txt"
        assert bench.log().startswith("Traceback (most recent call last):\n")


# All signals that end a program, but those of a terminal's job control.
SIGNALS = [
    number
    for number in signal.valid_signals()
    if number < signal.SIGRTMIN
    and number not in (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP)
    and number not in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
]


@pytest.mark.parametrize("number", SIGNALS, ids=[signal.Signals(number).name for number in SIGNALS])
def test_a_program_that_a_signal_ends(bench: Bench, number: int) -> None:
    action = f"signal.pthread_sigmask(signal.SIG_UNBLOCK, [{number}]); "
    if number not in (signal.SIGKILL,):
        action += f"signal.signal({number}, signal.SIG_DFL); "
    (bench.folder / "bad.fq").write_text(f"@{action}os.kill(os.getpid(), {number})\n")
    failure = bench.fail()
    name = signal.Signals(number).name
    expected = f"ended by the signal {name} (exit code {128 + number}) without a message"
    if number == signal.SIGKILL:
        expected = "killed as out of memory (exit code 137; it had 100 MiB)"
    assert (failure.task_exit_code, str(failure)) == (128 + number, expected)


@pytest.mark.parametrize("code", [1, 2, 64, 66, 72, 74, 100, 126, 127, 128, 200, 254, 255])
def test_a_program_that_ends_with_any_code(bench: Bench, code: int) -> None:
    (bench.folder / "bad.fq").write_text(f"@sys.exit({code})\n")
    failure = bench.fail()
    assert failure.failure_class is FailureClass.TOOL_ERROR
    assert (failure.task_exit_code, str(failure)) == (code, f"ended with exit code {code} without a message")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("os.write(2, bytes(range(128, 256)) * 9); sys.exit(3)", "\ufffd" * 9),
        ("os.write(2, b'error: \\xff\\xfe\\n'); sys.exit(3)", "\ufffd\ufffd"),
        ("os.write(1, b'x' * 3_000_000); sys.exit(3)", "x" * 4000 + " …"),
        ("print(*['line'] * 99999, sep=chr(10)); sys.exit(3)", "line\nline\nline\nline\nline"),
        ("raise KeyError('sample')", "KeyError: 'sample'"),
        ("exec('try: 1 / 0' + chr(10) + 'except Exception: raise OSError(5, chr(65))')", "OSError: [Errno 5] A"),
        ("raise ValueError('two' + chr(10) + 'lines')", "ValueError: two\nlines"),
    ],
)
def test_a_program_that_prints_anything(bench: Bench, action: str, message: str) -> None:
    (bench.folder / "bad.fq").write_text(f"@{action}\n")
    found = str(bench.fail())
    assert found.startswith(message)
    assert "Traceback" not in found
    assert len(found) < 5000


@pytest.mark.parametrize("error", ["OSError(11, os.strerror(11))", 'RuntimeError("can\'t start new thread")'])
def test_a_program_that_may_start_no_more_processes(bench: Bench, error: str) -> None:
    (bench.folder / "bad.fq").write_text(f"@raise {error}\n")
    assert str(bench.fail()).splitlines()[-1] == TOO_MANY_PROCESSES


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        ("''", "found none"),
        ("'{\"reads\": '", "found none"),
        ("'[1, 2]'", "found list"),
        ("'null'", "found NoneType"),
        ("'[' * 100_000", "found none"),
        ("chr(123) + '\"a\": ' + '9' * 5000 + chr(125)", "found none"),
    ],
)
def test_metrics_that_are_no_json_object(bench: Bench, metrics: str, found: str) -> None:
    (bench.folder / "bad.fq").write_text(f"@metrics = {metrics}\n")
    failure = bench.fail()
    assert failure.failure_class is FailureClass.TOOL_ERROR
    assert str(failure).startswith(f"output metrics, bad.json: expected a JSON object of metrics, {found}")


def test_the_record_of_a_failure_names_it(bench: Bench) -> None:
    bench.reads[BAD] = "file:///a%00.fq"
    bench.fail()
    record = json.loads((bench.folder / "bucket/steps/copying/bad/failure.json").read_bytes())
    assert record.pop("seconds") >= 0
    assert record.pop("vcpus") >= 1
    assert record.pop("memory_mib") >= 1
    assert datetime.fromisoformat(record.pop("started")).utcoffset() == timedelta(0)
    assert record == {
        "class": "bad_input",
        "message": "file:///a%00.fq: expected a path without null characters, found %00",
        "exit_code": 65,
        "host": {},
        "step": "copy",
        "version": "1",
        "submitted": "",
        "peak_memory_mib": 0,
        "processor_seconds": 0,
        "number": 1,
        "program": read_step(bench.folder / "copy").digest,
        "because": [],
    }
    bench.fail()
    assert json.loads((bench.folder / "bucket/steps/copying/bad/failure.json").read_bytes())["number"] == 2


def test_a_program_that_cannot_be_started_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.folder / "bad.fq").write_text("@sys.exit(1)\n")
    bench.fail()  # the good one is done
    monkeypatch.setattr(sys, "executable", "/no/python")
    assert str(bench.fail()) == "/no/python: cannot be started: No such file or directory"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            "__import__('atexit').register(os.truncate, task['outputs']['metrics'], 1 << 27)",
            "output metrics, bad.json: expected metrics of at most 64 MiB, found 134,217,728 bytes; "
            "write fewer values, or another output",
        ),
        (
            "os.truncate(os.open(task['versions'], os.O_CREAT | os.O_RDWR), 1 << 27)",
            "versions.json: expected at most 1 MiB of names and versions, found 134,217,728 bytes",
        ),
    ],
)
def test_a_program_that_writes_too_much_for_a_record(bench: Bench, action: str, message: str) -> None:
    (bench.folder / "bad.fq").write_text(f"@{action}\n")
    failure = bench.fail()
    assert (failure.failure_class, str(failure)) == (FailureClass.TOOL_ERROR, message)


def test_a_program_whose_progress_is_no_file_is_not_waited_for(bench: Bench) -> None:
    (bench.folder / "bad.fq").write_text("@os.mkfifo(task['progress']); sys.exit(9)\n")
    assert bench.fail().task_exit_code == 9


def test_the_message_names_the_file_of_the_sheet_and_not_its_copy(tmp_path: Path) -> None:
    bench, store = Bench(tmp_path), MemoryStore()
    says = "sys.exit('error: ' + task['inputs']['reads'][0]['fastq_1'] + ': record 1: expected @')"
    store.write("https://host/bad.fq?token=abc", f"@{says}\n".encode())
    store.write("s3://reads/good.fq", b"@pass\n")
    bench.store = bench.records = store
    bench.reads = {BAD: "https://host/bad.fq?token=abc", "good": "s3://reads/good.fq"}
    assert str(bench.fail()) == "https://host/bad.fq: record 1: expected @"
