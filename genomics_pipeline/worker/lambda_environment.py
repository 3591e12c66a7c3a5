"""An execution environment of a step on Lambda, as a process of this machine that serves one call after another.

It is a fork of `environment_server`, and has a socket, whose other end the caller holds. A request is a length and a
payload in JSON; its answer begins with `ANSWER`: the kind, the greatest memory of the process so far in KiB (0 where
the system does not say), and the length of the body that follows: the function's answer, or an error in Lambda's shape.
The process ends when the caller is gone. What programs print goes to its standard output and error.
"""

from __future__ import annotations

import socket
import struct
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model.json_text import dumps, loads
from genomics_pipeline.worker.lambda_handler import function

REQUEST = struct.Struct("!36sI")  # the id of the request, and the length of its payload
ANSWER = struct.Struct("!cII")
RESULT, ERROR = b"R", b"E"
_PEAK = "VmHWM:"  # proc(5): the greatest resident size, in KiB


def peak_kib() -> int:
    """Return the greatest memory that this process had so far, in KiB; 0 where the system does not say."""
    with suppress(OSError), Path("/proc/self/status").open(encoding="ascii", errors="replace") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith(_PEAK)), 0)
    return 0


def error_response(error: BaseException, request_id: str) -> bytes:
    """Return an exception as the runtime interface client reports it: message, class, request and stack.

    Args:
        error: The exception.
        request_id: The id of the request.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    stack = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n' for frame in frames]
    members = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": stack,
    }
    return dumps(members)


def serve_calls(descriptor: int) -> None:
    """Answer the calls that come at a socket, until the caller is gone."""
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as stream:
        serve(stream, connection)


def serve(requests: BinaryIO, answers: socket.socket) -> None:
    """Answer requests until there are no more.

    Args:
        requests: The requests.
        answers: Takes the answers.
    """
    while len(header := requests.read(REQUEST.size)) == REQUEST.size:
        request_id, length = REQUEST.unpack(header)
        kind, body = _answer(requests.read(length), request_id.decode())
        sys.stdout.flush()
        answers.sendall(ANSWER.pack(kind, peak_kib(), len(body)) + body)


def _answer(payload: bytes, request_id: str) -> tuple[bytes, bytes]:
    try:
        return RESULT, function().answer(loads(payload))
    except Exception as error:
        return ERROR, error_response(error, request_id)
