"""Programs in forks of running interpreters: nothing of the server or of other programs is left in them.

What holds for executed programs as well is in `test_process`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from genomics_pipeline.worker.fork_server import LOST, ForkedProgram, ForkServer
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.process import ProcessEnd, run_process
from genomics_pipeline.worker.running_program import ProgramEnd

Run = Callable[..., ProcessEnd]

VIEW = """
import json, os, resource, signal, sys
view = {
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "flags": list(sys.flags), "cwd": os.getcwd(),
    "main": [__name__, __file__, sys.modules["__main__"].__file__, type(__loader__).__name__, __spec__ is None],
    "handlers": {number: str(signal.getsignal(number)) for number in signal.valid_signals()},
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "limits": [resource.getrlimit(number) for number in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA)],
    "leads": os.getpgrp() == os.getpid(), "session": os.getsid(0), "nice": os.nice(0), "umask": os.umask(0o22),
    "environment": dict(os.environ), "stdin": sys.stdin.read(), "streams": [str(sys.stdout), str(sys.stderr)],
    "descriptors": sorted(os.listdir("/dev/fd"))[:-1], "unbuffered": sys.stdout.write_through,
}
json.dump(view, open("view.json", "w"))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs code as a program of a step's folder, with a log of its own."""
    interpreters = Interpreters()

    def call(
        code: str, name: str = "step", *arguments: str, prefix: tuple[str, ...] = (), **options: Any
    ) -> ProcessEnd:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "program.py").write_text(code)
        argv = [*prefix, sys.executable, str(folder / "program.py"), *arguments]
        options = {"interpreters": interpreters, **options}
        return run_process(argv, folder, folder / "log.txt", threading.Event(), **options)

    return call


def test_a_program_finds_what_it_would_find_if_it_were_executed(run: Run, tmp_path: Path) -> None:
    views = []
    for interpreters in ({}, {"interpreters": None}):
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        end = run(VIEW, "step", "an argument", "ü", prefix=("env", "A=b c"), environment=environment, **interpreters)
        assert (end.exit_code, (tmp_path / "step" / "log.txt").read_text()) == (0, "")
        views.append(json.loads((tmp_path / "step" / "view.json").read_text()))
    forked, executed = views
    assert executed["environment"]["A"] == "b c"
    assert forked == executed


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(3)",
        "raise SystemExit('a message')",
        "print('half a line', end='')\nraise ValueError('wrong')",
        "import atexit, threading\natexit.register(print, 'last')\nthreading.Timer(0.01, print, ['later']).start()",
        "import os\nos._exit(137)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)",
        "import os, resource, signal\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nos.kill(os.getpid(), 11)",
        "def f(a: 1 + 1): pass\nraise SystemExit(f.__annotations__['a'])",
        "this is no Python",
        "import no_such_module",
    ],
)
def test_ends_and_logs_are_those_of_an_executed_program(run: Run, tmp_path: Path, code: str) -> None:
    ends, logs = [], []
    for name, options in (("forked", {}), ("executed", {"interpreters": None})):
        ends.append(run(code, name, **options).exit_code)
        logs.append((tmp_path / name / "log.txt").read_text().replace(f"/{name}/", "/step/"))
    assert ends[0] == ends[1]
    assert logs[0] == logs[1]


def test_nothing_of_a_program_is_left_in_the_next(run: Run, tmp_path: Path) -> None:
    first = "import os, sys, own\nos.environ['LEFT'] = '1'\nsys.path.append('/left')\nos.chdir('/')\nown.x = 1"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text(f"name = {name!r}")
    assert run(first, "first").exit_code == 0
    second = (
        "import os, sys, own\nassert own.name == 'second' and not hasattr(own, 'x'), own\nprint(os.getppid(), end='')"
    )
    assert run(f"{second}\nassert 'LEFT' not in os.environ and '/left' not in sys.path", "second").exit_code == 0
    assert run("import os\nprint(os.getppid(), end='')", "third").exit_code == 0
    servers = [(tmp_path / name / "log.txt").read_text() for name in ("second", "third")]
    assert servers[0] == servers[1] != str(os.getpid())


def test_each_environment_has_an_interpreter_that_was_executed_with_it(run: Run, tmp_path: Path) -> None:
    """The C library reads its variables when a process is executed; changes later have no effect on it."""
    code = "import os\nprint(os.getppid(), os.environ.get('A'), os.environ['TMPDIR'])"
    for name, prefix in (("a", ("env", "A=1")), ("b", ("env", "A=2")), ("c", ("env", "A=1"))):
        assert run(code, name, prefix=prefix, environment={"TMPDIR": f"/{name}"}).exit_code == 0
    a, b, c = ((tmp_path / name / "log.txt").read_text().split() for name in "abc")
    assert (a[1:], b[1:], c[1:]) == (["1", "/a"], ["2", "/b"], ["1", "/c"])
    assert a[0] == c[0] != b[0]


def test_an_interpreter_that_was_started_before_runs_the_programs_of_its_environment(run: Run, tmp_path: Path) -> None:
    interpreters, others = Interpreters(), set(psutil.Process().children())
    environment = {"TMPDIR": str(tmp_path)}
    for command in (["env", "A={vcpus}", "{python}", "x.py"], ["sh", "-c", "x"], ["env", "A=1", "{python}", "x.py"]):
        interpreters.prepare(command, {**environment, "TMPDIR": "/other"})
    (server,) = set(psutil.Process().children()) - others
    options = {"environment": environment, "interpreters": interpreters}
    assert run("import os\nprint(os.getppid(), os.environ['A'])", prefix=("env", "A=1"), **options).exit_code == 0
    assert (tmp_path / "step" / "log.txt").read_text() == f"{server.pid} 1\n"


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ((), "True None"),
        (("env", "OPENBLAS_NUM_THREADS=1"), "True 1"),
        (("env", "OPENBLAS_NUM_THREADS=2"), "False 2"),
    ],
)
def test_numpy_is_loaded_unless_it_is_to_have_threads(
    run: Run, tmp_path: Path, prefix: tuple[str, ...], expected: str
) -> None:
    code = "import os, sys\nprint('numpy' in sys.modules, os.environ.get('OPENBLAS_NUM_THREADS'))"
    assert run(code, prefix=prefix, environment={"TMPDIR": str(tmp_path)}).exit_code == 0
    assert (tmp_path / "step" / "log.txt").read_text() == f"{expected}\n"


def test_matrices_are_multiplied_in_the_thread_of_the_program(run: Run, tmp_path: Path) -> None:
    code = (
        "import numpy, psutil\nnumpy.ones((999, 999)) @ numpy.ones((999, 999))\nprint(psutil.Process().num_threads())"
    )
    assert run(code, environment={"TMPDIR": str(tmp_path)}).exit_code == 0
    assert (tmp_path / "step" / "log.txt").read_text() == "1\n"


def test_two_programs_run_at_once(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    codes = [f"import sys\nopen('{tmp_path}/fifo', '{mode}')\nsys.exit({code})" for mode, code in (("r", 4), ("w", 5))]
    with ThreadPoolExecutor(2) as threads:  # either opens the FIFO only once the other does
        ends = list(threads.map(run, codes, ("reader", "writer")))
    assert [end.exit_code for end in ends] == [4, 5]


def test_a_program_has_no_descriptor_of_another_that_runs(run: Run, tmp_path: Path) -> None:
    for name in ("begun", "end"):
        os.mkfifo(tmp_path / name)
    waits = f"open('{tmp_path}/begun', 'w')\nopen('{tmp_path}/end')"  # each opens once the other side does
    lists = "import os\nprint(sorted(os.listdir('/dev/fd'))[:-1])"
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(run, waits, "waiting")
        with (tmp_path / "begun").open():
            run(lists, "beside")
        with (tmp_path / "end").open("w"):
            assert other.result().exit_code == 0
    run(lists, "alone")
    assert (tmp_path / "beside/log.txt").read_text() == (tmp_path / "alone/log.txt").read_text()


def test_a_program_is_killed_with_its_server_and_the_next_has_another(run: Run, tmp_path: Path) -> None:
    code = "import os, time\nprint(os.getppid(), flush=True)\nif KILLS: os.kill(os.getppid(), 9); time.sleep(60)"
    ends = [run(code.replace("KILLS", kills), f"step{kills}").exit_code for kills in ("True", "False")]
    assert ends == [128 + signal.SIGKILL, 0]
    servers = {(tmp_path / f"step{kills}" / "log.txt").read_text() for kills in ("True", "False")}
    assert len(servers) == 2


@pytest.mark.parametrize(
    ("reports", "end"),
    [(b"", LOST), (b"9 8 0.5\n", ProgramEnd(9, 8, 0.5)), (b"256 0 0\n256 8 0.5\n", ProgramEnd(256, 8, 0.5))],
)
def test_the_last_report_of_a_program_is_its_end(reports: bytes, end: ProgramEnd) -> None:
    """Check programs that were killed before they began, whose sockets are reset, as what was sent is not read."""
    ours, theirs = socket.socketpair()
    program = ForkedProgram(1, ours)
    program.begin()
    theirs.sendall(reports)
    theirs.close()
    assert program.wait(None) == end


def test_a_server_that_is_killed_before_it_answers_is_gone() -> None:
    """Check one whose fork has the socket of the answer, and waits there until it may begin."""
    code = """
import os, signal, socket, sys
client = socket.socket(fileno=int(sys.argv[1]))
_, (_, end), _, _ = socket.recv_fds(client, 1 << 16, 2)
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
client.close()
socket.socket(fileno=end).recv(1)
"""
    with Path(os.devnull).open("wb") as output, pytest.raises(BrokenPipeError):
        ForkServer([sys.executable, "-c", code], os.environ).request({}, [output.fileno()])


def test_a_server_that_was_killed_between_programs_is_replaced(run: Run, tmp_path: Path) -> None:
    assert run("import os\nprint(os.getppid())", "first").exit_code == 0
    os.kill(int((tmp_path / "first" / "log.txt").read_text()), signal.SIGKILL)
    assert run("import os\nprint(os.getppid())", "second").exit_code == 0
    parents = {(tmp_path / name / "log.txt").read_text().strip() for name in ("first", "second")}
    assert len(parents) == 2, "expected forks of two servers"
    assert str(os.getpid()) not in parents


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux")  # noqa: PTH112
def test_a_stopped_program_has_not_ended(run: Run) -> None:
    code = """
import os, signal
main = os.getpid()
if os.fork() == 0:
    while open(f"/proc/{main}/stat").read().rsplit(")")[1].split()[0] != "T":
        pass
    os.kill(main, signal.SIGCONT)
    os._exit(0)
os.kill(main, signal.SIGSTOP)
os.wait()
raise SystemExit(7)
"""
    assert run(code).exit_code == 7


def test_a_module_beside_a_program_is_not_hidden_by_one_that_is_loaded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "step").mkdir()
    (tmp_path / "step" / "pickle.py").write_text("own = 9")
    assert run("import pickle\nraise SystemExit(pickle.own)").exit_code == 9


@pytest.mark.parametrize(
    "argv",
    [
        ["sh", "-c", "echo x"],
        ["env", "A=b"],
        [sys.executable, "-c", "print('x')"],
        [sys.executable, "-u", "/step/program.py"],
        ["/other/python", "/step/program.py"],
        [sys.executable, "program.py"],
        [sys.executable, "/step/program"],
    ],
)
def test_other_commands_are_executed(argv: list[str], tmp_path: Path) -> None:
    assert Interpreters().start(argv, tmp_path, 1, {}) is None


def test_a_program_that_does_not_exist_is_executed_and_fails(tmp_path: Path) -> None:
    argv = [sys.executable, str(tmp_path / "missing" / "program.py")]
    log = tmp_path / "log.txt"
    assert run_process(argv, tmp_path, log, threading.Event(), interpreters=Interpreters()).exit_code == 2
    assert "No such file" in log.read_text()


def test_servers_end_with_their_client(tmp_path: Path) -> None:
    """A killed client cannot end them: their sockets are closed."""
    program = tmp_path / "program.py"
    os.mkfifo(tmp_path / "fifo")
    program.write_text(f"import os\nopen('{tmp_path}/server', 'w').write(str(os.getppid()))")
    code = f"""
import os, signal, sys, threading
from pathlib import Path
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.process import run_process
folder, interpreters = Path({str(tmp_path)!r}), Interpreters()
run_process([sys.executable, {str(program)!r}], folder, folder / "log", threading.Event(), interpreters=interpreters)
if sys.argv[1:]: os.kill(os.getpid(), signal.SIGKILL)
"""
    for arguments, ended in (([], 0), (["killed"], -signal.SIGKILL)):
        client = subprocess.run(
            [sys.executable, "-X", "dev", "-c", code, *arguments], stderr=subprocess.PIPE, check=False
        )
        assert (client.returncode, client.stderr) == (ended, b"")
        while is_running(int((tmp_path / "server").read_text())):
            pass


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie of a container without an init process does not."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
