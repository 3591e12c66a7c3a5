"""A stand-in for AWS's Lambda runtime interface emulator: its command line, its HTTP interface, its log.

It runs in the images of steps, and so imports the standard library only. Source: the emulator's repository,
aws/aws-lambda-runtime-interface-emulator on GitHub: README.md, cmd/aws-lambda-rie/{main,http,handlers}.go,
internal/lambda/{rapidcore,rapi}, and the issues 20 (no header for errors of a function), 21 (the status of a call that
timed out) and 86 (no body for the end of a runtime, in older versions: `WITHOUT_REASON` in the environment).

`TIME_IS_OVER` in the environment names a file with which the time of a call is over, whatever the clock says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

OPTIONS = ("log-level", "runtime-api-address", "runtime-interface-emulator-address")
MOST_BYTES = 6 * (1 << 20) + 100
INVOCATIONS = re.compile("/2015-03-31/functions/([^/]+)/invocations")
RUNTIME = "/2018-06-01/runtime/"


def install(folder: Path, python: str = sys.executable) -> Path:
    """Write the program into a folder, for a machine whose interpreter is at the path `python`."""
    file = folder / "aws-lambda-rie"
    file.write_text(f"#!{python}\n{Path(__file__).read_text()}")
    file.chmod(0o755)
    return file


def parsed(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options, and the command: unknown options belong to it."""
    options, command, words = {}, list[str](), iter(argv)
    for word in words:
        name, is_given, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in OPTIONS:
            options[name] = value if is_given else next(words)
        else:
            command.append(word)
    return options, command


class Runtime:
    """The process of the runtime, with the calls that it takes and the ends that it posts."""

    def __init__(self, command: list[str], address: str) -> None:
        self.calls: Queue[tuple[str, bytes]] = Queue()
        self.ends: Queue[tuple[int, bytes]] = Queue()
        self.failed_start: bytes | None = None
        environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": address, "_HANDLER": command[-1]}
        self.process = subprocess.Popen(command, env=environment)

    def answer(self, request_id: str, payload: bytes, timeout_s: int) -> tuple[int, bytes]:
        """Return the status and the body of a call's end."""
        self.calls.put((request_id, payload))
        end = float("inf")  # AWS's counts the start of the runtime, which takes any time on a busy machine
        while time.monotonic() < end and not os.path.exists(os.environ.get("TIME_IS_OVER", "")):  # noqa: PTH110
            if self.calls.empty():
                end = min(end, time.monotonic() + timeout_s)
            try:
                return self.ends.get(timeout=0.02)
            except Empty:
                code = self.process.poll()  # before what it posted is looked at, which it did before it ended
                if self.failed_start is not None:
                    return 502, self.failed_start
                if code is not None and self.ends.empty():
                    return 502, exit_error(request_id, code)
        return 200, f"Task timed out after {timeout_s}.00 seconds".encode()

    def kill(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def exit_error(request_id: str, code: int) -> bytes:
    """Return the body for the end of a runtime."""
    if os.environ.get("WITHOUT_REASON"):
        return b""
    words = f"exit status {code}" if code >= 0 else {-9: "signal: killed"}.get(code, f"signal: {-code}")
    message = f"RequestId: {request_id} Error: Runtime exited with error: {words}"
    return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()


class Emulator:
    """The emulator, with both of its servers."""

    def __init__(self, argv: list[str]) -> None:
        options, self.command = parsed(argv)
        self.api = options.get("runtime-api-address", "127.0.0.1:9001")
        self.own = options.get("runtime-interface-emulator-address", "0.0.0.0:8080")
        self.timeout_s = int(os.environ.get("AWS_LAMBDA_FUNCTION_TIMEOUT", "300"))
        self.runtime: Runtime | None = None
        self.reserved = threading.Lock()

    def serve(self) -> None:
        """Serve until the process ends."""
        print(f"exec {self.command[0]!r} (cwd={Path.cwd()}, handler={self.command[-1]})", flush=True)
        threading.Thread(target=self._server(self.api, RuntimeRequests).serve_forever, daemon=True).start()
        self._server(self.own, Invocations).serve_forever()

    def _server(self, address: str, kind: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
        host, _, port = address.rpartition(":")
        server = ThreadingHTTPServer((host, int(port)), type("Requests", (kind,), {"emulator": self}))
        server.daemon_threads = True
        return server

    def invoke(self, payload: bytes) -> tuple[int, bytes]:
        """Make a call; only one at a time is possible."""
        if not self.reserved.acquire(blocking=False):
            return 400, b""
        try:
            request_id = str(uuid.uuid4())
            self.runtime = runtime = self.runtime or Runtime(self.command, self.api)
            print(f"START RequestId: {request_id} Version: $LATEST", flush=True)
            status, body = runtime.answer(request_id, payload, self.timeout_s)
            memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008")
            print(f"END RequestId: {request_id}", flush=True)
            print(f"REPORT RequestId: {request_id}\tMemory Size: {memory} MB\t", flush=True)
            if status != 200 or body.startswith(b"Task timed out after "):
                runtime.kill()
                self.runtime = None
            return status, body
        finally:
            self.reserved.release()


class Requests(BaseHTTPRequestHandler):
    """The requests of both servers."""

    emulator: Emulator
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def body(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a response."""
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Invocations(Requests):
    """The requests of those who call the function."""

    def do_POST(self) -> None:
        match, payload = INVOCATIONS.fullmatch(self.path), self.body()
        if match is None or match[1] not in ("function", os.environ.get("AWS_LAMBDA_FUNCTION_NAME")):
            self.send(404, b"404 page not found\n")
        else:
            self.send(*self.emulator.invoke(payload))


class RuntimeRequests(Requests):
    """The requests of the runtime interface client."""

    def do_GET(self) -> None:
        runtime = self.emulator.runtime
        assert runtime is not None
        request_id, payload = runtime.calls.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + self.emulator.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:012345678912:function:test_function",
            "Content-Type": "application/json",
        }
        self.send(200, payload, headers)

    def do_POST(self) -> None:
        runtime, body = self.emulator.runtime, self.body()
        assert runtime is not None
        if self.path == f"{RUNTIME}init/error":
            runtime.failed_start = body
        elif len(body) > MOST_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MOST_BYTES} bytes)."
            error = {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
            runtime.ends.put((200, json.dumps(error).encode()))
            self.send(413, json.dumps({"errorType": "RequestEntityTooLarge"}).encode())
            return
        else:
            runtime.ends.put((200, body))
        self.send(202, b'{"status":"OK"}', {"Content-Type": "application/json"})


if __name__ == "__main__":
    Emulator(sys.argv[1:]).serve()
