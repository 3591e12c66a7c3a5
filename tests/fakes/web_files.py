"""A web server on loopback with files in memory, whose faults a test chooses for each path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.fakes.loopback_server import LoopbackServer

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class ServedFile:
    """A file, and how the server answers requests for it.

    Attributes:
        content: Its bytes.
        etag: Its ETag, with quotes; None for a server without ETags.
        headers: Further headers, or others in place of the usual ones; None leaves one out.
        statuses: The answers to the next requests of it, in place of the file.
        cuts: The number of bytes after which each of the next GET requests breaks off.
        etag_after_cut: Its ETag from the next answer that breaks off on; None if the file stays as it is.
        ranges: Whether the server sends parts.
        head: The status of an answer to HEAD.
    """

    content: bytes
    etag: str | None = '"1"'
    headers: dict[str, str | None] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    etag_after_cut: str | None = None
    ranges: bool = True
    head: int = 200


class Request(NamedTuple):
    """A request that the server got: its method, the path with its query, and the header ``Range``."""

    method: str
    path: str
    part: str | None


class WebFiles(LoopbackServer):
    """The server.

    Attributes:
        files: The files by their paths.
        moved: The new location of each path that has one.
        requests: All requests, in their order.
        reports: ENA's reports by accession, below ``/portal/``: empty for an answer without content (204).
        statuses: The answers to the next requests for reports, in place of these.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.files: dict[str, ServedFile] = {}
        self.moved: dict[str, str] = {}
        self.requests: list[Request] = []
        self.reports: dict[str, bytes] = {}
        self.statuses: list[int] = []

    def put(self, path: str, content: bytes) -> ServedFile:
        """Serve a file at a path, and return it."""
        self.files[path] = ServedFile(content)
        return self.files[path]


class _Handler(BaseHTTPRequestHandler):
    server: WebFiles

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:  # http.server's name
        self._answer(with_content=False)

    def do_GET(self) -> None:  # http.server's name
        self._answer(with_content=True)

    def _answer(self, *, with_content: bool) -> None:
        self.server.requests.append(Request(self.command, self.path, self.headers.get("Range")))
        path = self.path.partition("?")[0]
        if path == "/portal/filereport":
            self._report(parse_qs(urlsplit(self.path).query)["accession"][0])
            return
        if path in self.server.moved:
            self._start(302, {"Location": self.server.moved[path]})
            return
        file = self.server.files.get(path)
        if file is None:
            self._start(404, {})
        elif file.statuses:
            self._start(file.statuses.pop(0), {})
        elif not with_content and file.head != 200:
            self._start(file.head, {})
        else:
            self._send(file, with_content=with_content)

    def _report(self, accession: str) -> None:
        text = self.server.reports.get(accession, b"[]")
        status = self.server.statuses.pop(0) if self.server.statuses else 200 if text else 204
        self._start(status, {"Content-Length": str(len(text)) if text else None})
        self.wfile.write(text)

    def _send(self, file: ServedFile, *, with_content: bool) -> None:
        part = _RANGE.fullmatch(self.headers.get("Range", "")) if file.ranges else None
        size = len(file.content)
        first, last = (int(part[1]), int(part[2] or size - 1)) if part else (0, size - 1)
        content = file.content[first : last + 1]
        headers: dict[str, str | None] = {
            "Content-Length": str(len(content)),
            "Last-Modified": "Sat, 28 Nov 2026 12:00:00 GMT",
            "ETag": file.etag,
            "Content-Range": f"bytes {first}-{last}/{size}" if part else None,
        }
        self._start(206 if part else 200, {**headers, **file.headers})
        if with_content:
            if file.cuts:
                content = content[: file.cuts.pop(0)]
                file.etag = file.etag_after_cut or file.etag
            self.wfile.write(content)

    def _start(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
