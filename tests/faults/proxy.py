"""A failing S3: a proxy that refuses, interrupts, slows down or damages the transfers of another server.

Like S3, and unlike moto, it refuses a body that does not match its checksum.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import Any
from urllib.parse import urlsplit

from awscrt.checksums import crc64nvme

from tests.fakes.loopback_server import LoopbackServer

DENIED = "denied: "  # followed by the message
FAULTS = ("503", "500", "short", "drop", "trickle")
HOP = ("connection", "transfer-encoding", "content-length", "server", "date")
PIECE_BYTES = 8192
REFUSALS = {
    "503": ("SlowDown", "Please reduce your request rate."),
    "500": ("InternalError", "We encountered an error."),
}

Choice = Callable[[str, str], str | None]


def seeded(seed: int, rate: float) -> Choice:
    """Return a function that chooses a fault of any kind for a share of the requests."""
    random, lock = Random(seed), threading.Lock()

    def choose(method: str, path: str) -> str | None:
        with lock:
            return random.choice(FAULTS) if random.random() < rate else None

    return choose


class FaultyS3(LoopbackServer):
    """A server of S3 with faults.

    Args:
        target: URL of the server behind the proxy.
        choose: Returns the fault of a request, by method and path: one of `FAULTS`, ``flip`` (of a bit in the body of
            the request or response), `DENIED` with a message, or None.

    Attributes:
        counts: The number of requests by fault; those without a fault are under ``None``.
        sent_bytes: The bytes of the contents that were passed on, by path.
    """

    def __init__(self, target: str, choose: Choice) -> None:
        super().__init__(_Handler)
        self.target = urlsplit(target).netloc
        self.choose = choose
        self.counts: Counter[str | None] = Counter()
        self.sent_bytes: Counter[str] = Counter()
        self._counting = threading.Lock()  # a thread for each connection counts

    def count(self, fault: str | None) -> None:
        """Count a request."""
        with self._counting:
            self.counts[fault] += 1

    def count_sent(self, path: str, size: int) -> None:
        """Count the bytes of a content that is passed on."""
        with self._counting:
            self.sent_bytes[path] += size


class _Handler(BaseHTTPRequestHandler):
    server: FaultyS3
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.choose(self.command, self.path)
        self.server.count(fault)
        if fault and fault.startswith(DENIED):
            self._refuse(403, "AccessDenied", fault.removeprefix(DENIED))
        elif fault in REFUSALS:
            code, message = REFUSALS[fault]
            self._refuse(int(fault), code, message)
        elif fault == "drop":
            self.close_connection = True
        else:
            self._forward(_flip_bit(body) if fault == "flip" and body else body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815  # http.server's names

    def _forward(self, body: bytes, fault: str | None) -> None:
        claimed = self.headers.get("x-amz-checksum-crc64nvme")
        if self.command == "PUT" and claimed and claimed != _crc64nvme(body):
            self._refuse(400, "BadDigest", "The CRC64NVME you specified did not match the calculated checksum.")
            return
        connection = HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.server.count_sent(self.path.partition("?")[0], len(content))
        head = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self._send(answer.status, [*head, ("Content-Length", length)], content, fault)

    def _send(self, status: int, head: list[tuple[str, str]], content: bytes, fault: str | None) -> None:
        self.send_response(status)
        for name, value in head:
            self.send_header(name, value)
        self.end_headers()
        if fault == "short" and content:
            content = content[: len(content) // 2]
            self.close_connection = True
        if fault == "flip" and self.command == "GET" and content:
            content = _flip_bit(content)
        size = PIECE_BYTES if fault == "trickle" else len(content) or 1
        for start in range(0, len(content), size):
            self.wfile.write(content[start : start + size])

    def _refuse(self, status: int, code: str, message: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        content = b"" if self.command == "HEAD" else text
        self._send(status, [("Content-Length", str(len(content)))], content, None)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Print nothing."""


def _flip_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _crc64nvme(content: bytes) -> str:
    return b64encode(crc64nvme(content).to_bytes(8, "big")).decode()
