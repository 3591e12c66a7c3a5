"""Emulators of Step Functions, as child processes on free loopback ports.

Each is installed in its own virtual environment by the Makefile: ``.venv/bench-moto``, ``.venv/bench-ministack``, or
below the folder in ``EMULATORS_FOLDER``. LocalStack is missing: its newest release needs Python 3.13, and an older one
that was measured (4.9.2) refuses the same documents as moto, and is slower.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

READY_S = 60
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator.

    Attributes:
        name: Its name on PyPI.
        command: Its program and arguments; ``{port}`` stands for the port.
        environment: Its environment variables.
        first_request: A request that must be sent before any other, as path and JSON body; None if there is none.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    first_request: tuple[str, bytes] | None = None

    @property
    def folder(self) -> Path:
        """The folder of its virtual environment."""
        below = Path(os.environ.get("EMULATORS_FOLDER", Path(__file__).resolve().parents[1] / ".venv"))
        return below / f"bench-{self.name}"

    @property
    def program(self) -> Path:
        """The path of its program."""
        return self.folder / "bin" / self.command[0]

    @property
    def release(self) -> str:
        """The name and installed version."""
        (packages,) = self.folder.glob("lib/python*/site-packages")
        (distribution,) = distributions(name=self.name, path=[str(packages)])
        return f"{self.name} {distribution.version}"


MOTO = Emulator(
    "moto",
    ("moto_server", "-H", "127.0.0.1", "-p", "{port}"),
    {},
    ("/moto-api/config", b'{"stepfunctions": {"execute_state_machine": true}}'),
)
# SFN_WAIT_SCALE: Wait states take no time.
MINISTACK = Emulator(
    "ministack",
    ("ministack",),
    {"GATEWAY_PORT": "{port}", "BIND_HOST": "127.0.0.1", "SFN_WAIT_SCALE": "0"},
)
EMULATORS = (MOTO, MINISTACK)


@dataclass(frozen=True, slots=True)
class Server:
    """A running emulator."""

    emulator: Emulator
    process: subprocess.Popen[bytes]
    endpoint: str

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                inject_host_prefix=False,  # there is no host sync-…
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                read_timeout=300,
            ),
        )

    def wait_for_end(self, execution: str, limit_s: float, poll_s: float = POLL_S) -> Any:
        """Wait for the end of an execution and return the answer of DescribeExecution.

        Raises:
            RuntimeError: if it does not end in time, or the server ends.
        """
        functions = self.client("stepfunctions")
        started = time.perf_counter()
        while time.perf_counter() - started < limit_s:
            description = functions.describe_execution(executionArn=execution)
            if description["status"] != "RUNNING" and ("output" in description or description["status"] != "SUCCEEDED"):
                return description
            try:
                self.process.wait(timeout=poll_s)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"the server ended by itself: {self.process.returncode}")
        raise RuntimeError(f"did not end within {limit_s:g} s")


@contextmanager
def serve(emulator: Emulator) -> Iterator[Server]:
    """Run a server of the emulator while the block runs.

    Raises:
        RuntimeError: if it does not answer.
    """
    port = str(_free_port())
    argv = [str(emulator.program), *(part.format(port=port) for part in emulator.command[1:])]
    variables = {name: value.format(port=port) for name, value in emulator.environment.items()}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=os.environ | variables, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            server = Server(emulator, process, f"http://127.0.0.1:{port}")
            if not _answers(server, *(emulator.first_request or ("/", None))):
                last_words = (Path(folder) / "log").read_text(errors="replace")[-500:]
                raise RuntimeError(f"{emulator.name} does not answer: {last_words}")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(server: Server, path: str, body: bytes | None) -> bool:
    headers = {"Content-Type": "application/json"}
    for _ in range(int(READY_S / POLL_S)):
        try:
            with urllib.request.urlopen(urllib.request.Request(server.endpoint + path, body, headers), timeout=5):
                return True
        except urllib.error.HTTPError:
            return body is None
        except OSError:
            pass
        try:
            server.process.wait(timeout=POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return False
    return False
