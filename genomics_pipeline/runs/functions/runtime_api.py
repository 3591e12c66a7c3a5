"""AWS Lambda's Runtime API, from which the runtime interface client of a container takes calls.

Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes", version 2018-06-01.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from secrets import token_hex
from typing import Any

from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.runs.functions.environment import (
    MOST_ANSWER,
    FunctionAnswer,
    FunctionCall,
    large_answer,
    refuse_silent,
)

_RUNTIME = "/2018-06-01/runtime"
_INVOCATION = re.compile(rf"{_RUNTIME}/invocation/(?P<id>[0-9a-f-]{{36}})/(?P<end>response|error)")
_CHECK_S = 0.1
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Posted:
    request_id: str | None
    answer: FunctionAnswer


class RuntimeApi:
    """The server of one execution environment.

    Args:
        arn: The ARN of its function.
    """

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._calls: Queue[FunctionCall] = Queue()
        self._posted: Queue[_Posted] = Queue()
        self._closed = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("_OfOneApi", (_RuntimeRequests,), {"api": self}))
        threading.Thread(target=self._server.serve_forever, args=(_CHECK_S,), name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """The value of ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_port}"

    def invoke(self, call: FunctionCall, refuse_dead: Callable[[], None]) -> FunctionAnswer:
        """Hand out a call, and return what the runtime posts as its end.

        Args:
            call: The call.
            refuse_dead: Raises an exception if the environment has ended.

        Raises:
            CallCancelled: if the call was cancelled.
            CallTimedOut: if it ran out of time.
            Exception: of `refuse_dead`.
        """
        self._calls.put(call)
        while True:
            try:
                posted = self._posted.get(timeout=_CHECK_S)
            except Empty:
                call.refuse_more_time()
                refuse_silent(refuse_dead, lambda: not self._posted.empty())
                continue
            if posted.request_id in (None, call.request_id):
                return posted.answer

    def next_call(self) -> FunctionCall | None:
        """Return the next call, which may take long; None if the environment was closed."""
        while not self._closed.is_set():
            try:
                return self._calls.get(timeout=_CHECK_S)
            except Empty:
                continue
        return None

    def post(self, request_id: str | None, answer: FunctionAnswer) -> None:
        """Take what the runtime posted: the end of a call, or for None the failure of its own start."""
        self._posted.put(_Posted(request_id, answer))

    def close(self) -> None:
        """End the server."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing of a runtime that ended while it was answered: its call says so."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _RuntimeRequests(BaseHTTPRequestHandler):
    api: RuntimeApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet: two would wait for each other
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path != f"{_RUNTIME}/invocation/next":
            self._refuse()
            return
        if (call := self.api.next_call()) is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": call.request_id,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + call.remaining_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.api.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{round(time.time()):08x}-{token_hex(12)}",
        }
        self._send(HTTPStatus.OK, call.payload, headers)

    def do_POST(self) -> None:
        length, invocation = int(self.headers.get("Content-Length", "0")), _INVOCATION.fullmatch(self.path)
        if length > MOST_ANSWER:
            for start in range(0, length, _PIECE):  # a client that is still sending would not read the answer
                self.rfile.read(min(_PIECE, length - start))
            if invocation:
                self.api.post(invocation["id"], FunctionAnswer(large_answer(), is_error=True, is_last=True))
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, large_answer(), {})
            return
        body = self.rfile.read(length)
        if self.path == f"{_RUNTIME}/init/error":
            self.api.post(None, FunctionAnswer(body, is_error=True, is_last=True))
        elif invocation:
            self.api.post(invocation["id"], FunctionAnswer(body, is_error=invocation["end"] == "error"))
        else:
            self._refuse()
            return
        self._send(HTTPStatus.ACCEPTED, b'{"status":"OK"}', {})

    def _refuse(self) -> None:
        message = f"there is no resource {self.command} {self.path}"
        self._send(HTTPStatus.NOT_FOUND, dumps({"errorMessage": message, "errorType": "NotFound"}), {})

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""
