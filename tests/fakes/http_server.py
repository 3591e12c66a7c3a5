"""An HTTP server on loopback that speaks the protocols of AWS's services."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from uuid import uuid4

from tests.fakes.faults import ApiError, Calls, Gate
from tests.fakes.loopback_server import LoopbackServer
from tests.fakes.shapes import error_problems, input_problems, output_problems


class Service(Protocol):
    """One AWS service.

    Attributes:
        name: The name of the service in botocore.
        gate: The refusals that do not depend on the request.
        calls: The requests that the gate admitted.
    """

    name: str
    gate: Gate
    calls: Calls

    def operation(self, path: str, target: str | None) -> str | None:
        """Return the operation of a request; None if it is for another service."""

    def handler(self, operation: str) -> Callable[..., dict[str, Any]] | None:
        """Return the method that answers an operation; None if there is none."""


def answer(service: Service, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the service's response; check request and response against AWS's model.

    Raises:
        ApiError: if the service refuses the request.
    """
    if problems := input_problems(service.name, operation, params):
        raise ApiError("ValidationException" if service.name == "stepfunctions" else "ClientException", problems[0])
    service.gate.check(operation)
    service.calls.add(operation, params)
    handler = service.handler(operation)
    if handler is None:
        raise ApiError("InternalFailure", f"the fake of {service.name} has no {operation}", 501)
    try:
        response = handler(**params)
    except ApiError as error:
        if problems := error_problems(service.name, operation, error.code):
            raise AssertionError(problems[0]) from error
        raise
    problems = output_problems(service.name, operation, response)
    assert not problems, problems[0]
    return response


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # http.server's name
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target")
        try:
            service, operation = self.server.find(self.path, target)
            response, status = answer(service, operation, json.loads(body or b"{}")), 200
        except ApiError as error:
            response, status = {"__type": error.code, "message": error.message}, error.status
        except Exception as error:  # a bug in the fake or in a test's function: the client gets a 500
            self.server.failures.append(error)
            response, status = {"__type": "InternalFailure", "message": repr(error)}, 500
        text = json.dumps(response).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("x-amzn-RequestId", str(uuid4()))
        if "__type" in response:
            self.send_header("x-amzn-ErrorType", response["__type"])
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Print nothing."""


class Server(LoopbackServer):
    """A server of AWS services.

    Attributes:
        failures: The errors of the fakes themselves; the end of the context raises the first.
    """

    def __init__(self, *services: Service) -> None:
        super().__init__(_Handler)
        self.failures: list[Exception] = []
        self._services = services

    def find(self, path: str, target: str | None) -> tuple[Service, str]:
        """Return the service and the operation of a request."""
        for service in self._services:
            if name := service.operation(path, target):
                return service, name
        raise ApiError("UnknownOperationException", f"no fake answers {path} {target}", 404)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.failures and error[0] is None:
            raise self.failures[0]
