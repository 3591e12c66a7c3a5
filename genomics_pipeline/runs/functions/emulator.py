"""AWS's runtime interface emulator, which a container has as its entry point and which calls the image's function.

Source: github.com/aws/aws-lambda-runtime-interface-emulator, cmd/aws-lambda-rie (handlers.go, http.go, main.go) and
internal/lambda/rapidcore/server.go; its issues 20, 21 and 86. It answers errors of the function with the status 200 and
no header, a time that is over with a line of text, and the end of the runtime with the status 502, in older versions
without a body. It takes one call at a time.
"""

from __future__ import annotations

import re
import select
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from secrets import randbelow

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.runs.functions.environment import (
    MOST_ANSWER,
    CallTimedOut,
    EnvironmentEnded,
    EnvironmentLost,
    FunctionAnswer,
    FunctionCall,
    refuse_silent,
)

PROGRAM = "aws-lambda-rie"
VARIABLE = "GENOMICS_PIPELINE_LAMBDA_RIE"
_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_CHECK_S = 0.1
_TIMED_OUT = re.compile(rb"Task timed out after [0-9]+\.00 seconds")
_UNKNOWN_END = "exit status unknown (the emulator does not report it)"
_TOO_LARGE = "Function.ResponseSizeTooLarge"  # after which the runtime interface client ends


def find_emulator(environment: Mapping[str, str]) -> Path | None:
    """Return the emulator that a variable names, or that is on the PATH; None without one.

    Args:
        environment: The environment variables.

    Raises:
        RunError: if the variable names no program.
    """
    if named := environment.get(VARIABLE):
        if (found := shutil.which(named, path=environment.get("PATH"))) is None:
            raise RunError(f"{VARIABLE}: expected the path of {PROGRAM}, a program, found {named!r}")
    else:
        found = shutil.which(PROGRAM, path=environment.get("PATH"))
    return Path(found).resolve() if found else None


class Emulator:
    """The emulator of one execution environment, at an address of the loopback interface that no other has."""

    def __init__(self) -> None:
        self._host = f"127.{1 + randbelow(254)}.{randbelow(256)}.{1 + randbelow(254)}"
        self._port, self._runtime_port = _free_ports(self._host)
        self._has_answered = False

    @property
    def options(self) -> list[str]:
        """The options of the emulator, which the command of the runtime follows."""
        return [
            f"--runtime-interface-emulator-address={self._host}:{self._port}",
            f"--runtime-api-address={self._host}:{self._runtime_port}",
        ]

    def invoke(self, call: FunctionCall, refuse_dead: Callable[[], None]) -> FunctionAnswer:
        """Send a call to the emulator, and return its answer.

        Args:
            call: The call.
            refuse_dead: Raises an exception if the environment has ended.

        Raises:
            CallCancelled: if the call was cancelled.
            CallTimedOut: if it ran out of time.
            EnvironmentEnded: if the runtime ended.
            EnvironmentLost: if the emulator did not start, or refused the call.
            Exception: of `refuse_dead`.
        """
        try:
            with self._posted(call, refuse_dead) as connection:
                _await_answer(connection.sock, call, refuse_dead)
                response = connection.getresponse()
                answer = _answer(response, response.read(MOST_ANSWER + 1))
        except (HTTPException, OSError) as error:
            refuse_dead()
            raise EnvironmentLost(f"{PROGRAM} ended the connection: {error or type(error).__name__}") from None
        self._has_answered = True
        return answer

    @contextmanager
    def _posted(self, call: FunctionCall, refuse_dead: Callable[[], None]) -> Iterator[HTTPConnection]:
        """Provide the connection over which a call was posted, as soon as the emulator accepts one."""
        connection = HTTPConnection(self._host, self._port)
        try:
            while True:
                with suppress(ConnectionRefusedError):
                    connection.connect()
                    break
                call.refuse_more_time()
                self._refuse_unstarted(refuse_dead)
                call.cancelled.wait(_CHECK_S / 2)
            connection.request("POST", _INVOCATIONS, call.payload)
            yield connection
        finally:
            connection.close()

    def _refuse_unstarted(self, refuse_dead: Callable[[], None]) -> None:
        """Refuse an environment that ended; before its first answer, that is no fault of the function."""
        try:
            refuse_dead()
        except EnvironmentEnded as error:
            if self._has_answered:
                raise
            raise EnvironmentLost(f"{PROGRAM} could not be started ({error.words})") from None


def _free_ports(host: str) -> Sequence[int]:
    with socket.create_server((host, 0)) as one, socket.create_server((host, 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _await_answer(waiting: socket.socket, call: FunctionCall, refuse_dead: Callable[[], None]) -> None:
    """Wait until the emulator answers, which it does at once and as a whole."""
    poll = select.poll()
    poll.register(waiting, select.POLLIN)
    while not poll.poll(_CHECK_S * 1000):
        call.refuse_more_time()
        refuse_silent(refuse_dead, lambda: bool(poll.poll(0)))


def _answer(response: HTTPResponse, body: bytes) -> FunctionAnswer:
    """Return the answer to a call as Lambda gives it.

    Args:
        response: The response.
        body: Its body.

    Raises:
        CallTimedOut: if the emulator ended the call.
        EnvironmentEnded: if the runtime ended, of an older emulator.
        EnvironmentLost: if the call was refused.
    """
    if _TIMED_OUT.fullmatch(body):
        raise CallTimedOut
    error = _error(body)
    if response.status == HTTPStatus.BAD_GATEWAY and error is None:
        raise EnvironmentEnded(_UNKNOWN_END)
    if error is not None:
        is_last = response.status != HTTPStatus.OK or error == _TOO_LARGE
        return FunctionAnswer(body, is_error=True, is_last=is_last)
    if response.status != HTTPStatus.OK:
        raise EnvironmentLost(f"{PROGRAM} refused a call with the status {response.status}")
    return FunctionAnswer(body, is_error=False)


def _error(body: bytes) -> str | None:
    """Return the name of the error that a body describes; None for an answer, of which no step's has this member."""
    if b'"errorType"' in body:
        with suppress(ValueError):
            members = loads_lenient(body)
            if isinstance(members, dict) and "errorType" in members:
                return str(members["errorType"])
    return None
