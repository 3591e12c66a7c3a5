"""A program that runs Python programs in forks of itself, without the start of an interpreter and its first imports.

It serves one client, at the socket whose descriptor is its argument, until the client is gone. Each request is a line
of JSON with two descriptors: the program's output, and a socket that gets the process id, or 0 where the program cannot
run in a fork, and later the line of its end (see `fork_server`). The fork leads a process group, begins when a byte
comes from that socket, and finds everything as if it had been executed: arguments, folder, path of modules, `__main__`,
standard streams, signals. Other servers share the loop; a request to them may have further descriptors.

This program imports nothing of the package, and only modules that start no threads.
"""

from __future__ import annotations

import builtins
import gc
import io
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType
from typing import Any

# What most programs of steps import: most of the time of their start.
PRELOADED = (
    *("dataclasses", "datetime", "gzip", "hashlib", "heapq", "importlib.util", "pathlib", "pickle", "pysam.bcftools"),
    *("pysam.samtools", "queue", "shlex", "shutil", "statistics", "subprocess", "tempfile", "traceback", "typing"),
    "numpy",
)
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_CHUNK = 1 << 16
_MOST_DESCRIPTORS = 4  # of a request
_OUTPUT = (1, 2)  # standard output and standard error


class ForkLoop:
    """The loop that forks programs and reports their ends.

    Args:
        client: The socket of the client.
        streams: The descriptors that become the output of a request.
        accepts: Returns whether the program of a request can run in a fork.
        before_fork: Called before each fork.
        reports: Leaves a fork the socket of its end, as the member ``end`` of its request, to report the end itself, so
            that it is known also if this process was killed.
    """

    def __init__(
        self,
        client: socket.socket,
        streams: Sequence[int] = _OUTPUT,
        accepts: Callable[[dict[str, Any]], bool] = lambda _: True,
        before_fork: Callable[[], object] = lambda: None,
        reports: bool = False,
    ) -> None:
        self._client = client
        self._streams = streams
        self._accepts = accepts
        self._before_fork = before_fork
        self._reports = reports
        self._running: dict[int, socket.socket] = {}
        self._wake, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(wakes)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._descriptors = [self._wake, wakes]

    def serve(self) -> dict[str, Any]:
        """Serve requests until the client is gone; return only in a fork, the request that it is for.

        Its member ``descriptors`` has those that came with it, beside the output and the socket of the end.
        """
        poll = select.poll()
        for source in (self._client.fileno(), self._wake):
            poll.register(source, select.POLLIN)
        while True:
            ready = {source for source, _ in poll.poll()}
            if self._wake in ready:
                os.read(self._wake, _CHUNK)
                self._report_ends()
            if self._client.fileno() in ready:
                request, descriptors = self._receive()
                if request is None:
                    os._exit(0)  # no handler of a preloaded module is for this process
                output, end, *request["descriptors"] = descriptors
                if self._fork(request, output, socket.socket(fileno=end)):
                    return request

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self._client, _CHUNK, _MOST_DESCRIPTORS)
        for descriptor in descriptors:  # a command that a fork executes would keep them open beyond its end
            os.set_inheritable(descriptor, False)
        while data and not data.endswith(b"\n"):
            data += (more := self._client.recv(_CHUNK))
            if not more:
                return None, descriptors
        return (json.loads(data) if data else None), descriptors

    def _fork(self, request: dict[str, Any], output: int, end: socket.socket) -> bool:
        """Fork the program of a request; return True in the fork."""
        pid = 0
        if self._accepts(request):
            self._before_fork()
            pid = os.fork()
            if pid == 0:
                self._become(request, output, end)
                return True
            with suppress(OSError):  # the fork does the same, whichever is first
                os.setpgid(pid, pid)
            self._running[pid] = end
        for descriptor in (output, *request["descriptors"]):
            os.close(descriptor)
        with suppress(OSError):  # the client is gone
            end.sendall(b"%d\n" % pid)
        if pid == 0:
            end.close()
        return False

    def _become(self, request: dict[str, Any], output: int, end: socket.socket) -> None:
        """Leave nothing of the server in a fork."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._client, *self._running.values()):
            each.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        for stream in self._streams:
            os.dup2(output, stream)
        os.close(output)
        os.chdir(request["cwd"])
        os.environ.update(request["environment"])
        if not end.recv(1):  # the client is gone, and may not have told its guardian of this group
            os._exit(1)
        if self._reports:
            request["end"] = end
        else:
            end.close()

    def _report_ends(self) -> None:
        while self._running:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self._running:  # or it is a server of this process, which somebody has killed
                with self._running.pop(pid) as end, suppress(OSError):
                    end.sendall(b"%d %d %f\n" % (status, usage.ru_maxrss, usage.ru_utime + usage.ru_stime))


def preload() -> None:
    """Import the modules; numpy without threads for matrices, or not at all where the environment asks for threads."""
    threads = os.environ.get(_BLAS_THREADS)
    os.environ.setdefault(_BLAS_THREADS, "1")
    for module in PRELOADED if threads in (None, "1") else set(PRELOADED) - {"numpy"}:
        with suppress(ImportError):
            import_module(module)
    if threads is None:
        del os.environ[_BLAS_THREADS]


def _hides_no_module(request: dict[str, Any]) -> bool:
    """Return whether no module beside the program has the name of one that is loaded, and would be hidden by it."""
    names = {name.partition(".")[0] for name in os.listdir(os.path.dirname(request["argv"][1]))}  # noqa: PTH208, PTH120
    return names.isdisjoint(sys.modules)


def _show_exception(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Print an exception that ends a program, as `sys.excepthook` does, without the frames of this file."""
    while at is not None and at.tb_frame.f_code.co_filename == __file__:
        at = at.tb_next
    sys.__excepthook__(kind, error.with_traceback(at), at)


def run(argv: list[str]) -> None:
    """Run a program as `__main__`.

    Args:
        argv: The interpreter, the path of the program, and its arguments.
    """
    path = argv[1]
    sys.argv, sys.orig_argv = argv[1:], argv
    sys.excepthook = _show_exception
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(path)))  # noqa: PTH120
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __loader__=SourceFileLoader("__main__", path))
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    sys.modules["__main__"] = main
    exec(code, main.__dict__)  # noqa: S102


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of the worker
    preload()
    gc.freeze()
    run(ForkLoop(socket.socket(fileno=int(sys.argv[1])), accepts=_hides_no_module).serve()["argv"])
