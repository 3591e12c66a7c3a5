"""A server of one large object, faster than its clients, with the part of S3's API that transfers need.

``python benchmarks/s3_stub.py FILE`` prints its URL, then serves the file under every key, by ranges, and accepts
uploads, which it discards.
"""

from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PIECE_BYTES = 1 << 20
ETAG = '"0123456789abcdef0123456789abcdef-2"'


class Server(ThreadingHTTPServer):
    """A server of one file."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.file = path.open("rb")
        self.size = path.stat().st_size
        self.crc64nvme = _crc64nvme(path)


class Handler(BaseHTTPRequestHandler):
    """HeadObject, GetObject, PutObject and multipart uploads."""

    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def do_HEAD(self) -> None:
        """Answer HeadObject."""
        checksum = {"x-amz-checksum-crc64nvme": self.server.crc64nvme, "x-amz-checksum-type": "FULL_OBJECT"}
        self._answer(200, self.server.size, checksum)

    def do_GET(self) -> None:
        """Answer GetObject."""
        size = self.server.size
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(requested[1]), int(requested[2] or size - 1)) if requested else (0, size - 1)
        last = min(last, size - 1)
        self._answer(206 if requested else 200, last - first + 1, {"Content-Range": f"bytes {first}-{last}/{size}"})
        while first <= last:
            first += os.sendfile(self.connection.fileno(), self.server.file.fileno(), first, last - first + 1)

    def do_PUT(self) -> None:
        """Answer UploadPart and PutObject."""
        left, buffer = int(self.headers["Content-Length"]), memoryview(bytearray(PIECE_BYTES))
        while left:
            left -= self.rfile.readinto(buffer[: min(left, PIECE_BYTES)])
        sums = {name: value for name, value in self.headers.items() if re.fullmatch("x-amz-checksum-crc.*", name)}
        self._answer(200, 0, sums)

    def do_POST(self) -> None:
        """Answer CreateMultipartUpload and CompleteMultipartUpload."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = "Complete" if "uploadId=" in self.path else "Initiate"
        text = f"<{name}MultipartUploadResult><UploadId>1</UploadId><ETag>{ETAG}</ETag></{name}MultipartUploadResult>"
        self._answer(200, len(text), {})
        self.wfile.write(text.encode())
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Answer ``Expect: 100-continue`` at once: the client waits for it before it sends a body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _answer(self, status: int, length: int, more: dict[str, str]) -> None:
        self.send_response(status)
        head = {"Content-Length": str(length), "ETag": ETAG, "Last-Modified": "Tue, 24 Nov 2026 00:00:00 GMT", **more}
        for name, value in head.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Print nothing."""


def _crc64nvme(path: Path) -> str:
    from awscrt.checksums import crc64nvme

    value = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            value = crc64nvme(piece, value)
    return b64encode(value.to_bytes(8, "big")).decode()


if __name__ == "__main__":
    server = Server(Path(sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
