"""A server of `genomics-pipeline` commands: each runs in a fork of a process that has imported the whole package.

Without it, imports would take most of the processor time of small runs.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, Any, cast

import genomics_pipeline
from tests.cached_files import leave_files_in_cache
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("jsonata", "jsonpath", "jsonschema", "psutil", "pysam", "rich.live", "rich.table")  # imported on first use


class CommandServer:
    """The process that forks a child for each command."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._requests, self._codes = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in the caller's environment and folder."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            request = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109
            self._requests.write(json.dumps({**request, "out": str(out), "err": str(err)}).encode() + b"\n")
            self._requests.flush()
            code = int(self._codes.readline())
            return subprocess.CompletedProcess(list(arguments), code, out.read_text(), err.read_text())


@contextmanager
def command_server() -> Iterator[CommandServer]:
    """Serve commands until the end of the context."""
    argv = [sys.executable, "-m", "tests.command_server"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        yield CommandServer(process)


def _serve() -> None:
    """Fork a child for each line of standard input; write its exit code, negative for a signal, to standard output."""
    for module in (*LIBRARIES, *_package_modules()):
        import_module(module)
    leave_files_in_cache()
    gc.collect()
    gc.freeze()  # so that collections in a child copy no memory of its parent's
    for line in iter(sys.stdin.buffer.readline, b""):
        child = os.fork()
        if not child:
            _become(json.loads(line))
            import_module("genomics_pipeline.cli.main").main()
        _, status = os.waitpid(child, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _package_modules() -> Iterator[str]:
    modules = walk_packages(genomics_pipeline.__path__, f"{genomics_pipeline.__name__}.")
    return (module.name for module in modules if not module.name.endswith(".__main__"))


def _become(request: dict[str, Any]) -> None:
    """Give this process the arguments, environment, folder and files of a request."""
    for descriptor, file in enumerate((os.devnull, request["out"], request["err"])):
        opened = os.open(file, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["genomics-pipeline", *request["arguments"]]
    signal.alarm(int(PATIENCE_S))


if __name__ == "__main__":
    _serve()
