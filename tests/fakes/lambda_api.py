"""Lambda's Invoke over HTTP: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.loopback_server import LoopbackServer


@contextmanager
def serving(name: str, function: Callable[[Any], Any]) -> Iterator[str]:
    """Serve one function; a payload with the member ``throttle`` is throttled.

    Args:
        name: The name of the function.
        function: Its answer to an event; an exception is its failure.

    Yields:
        The endpoint.
    """

    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, answer = self._answer(event)
            body = json.dumps(answer).encode()
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def _answer(self, event: Any) -> tuple[int, dict[str, str], Any]:
            if self.path != f"/2015-03-31/functions/{name}/invocations":
                return 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, {"Message": "Function not found"}
            if event.get("throttle"):
                return 429, {"x-amzn-ErrorType": "TooManyRequestsException"}, {"Message": "Rate exceeded"}
            try:
                return 200, {}, function(event)
            except Exception as error:
                failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
                return 200, {"X-Amz-Function-Error": "Unhandled"}, failure

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with LoopbackServer(Requests) as server:
        yield server.url
