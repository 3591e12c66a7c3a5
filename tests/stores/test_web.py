"""Files behind web servers that are slow, endless, broken or hostile."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import chain, islice, repeat

import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.web import web_pieces
from tests.fakes.loopback_server import LoopbackServer

SHEET = b"sample,fastq_1\na,s3://b/a.fastq.gz\n"


class SheetServer(LoopbackServer):
    """A server whose answers depend on the path; `released` ends those that never end."""

    def __init__(self) -> None:
        super().__init__(SheetHandler)
        self.released = threading.Event()


class SheetHandler(BaseHTTPRequestHandler):
    """The answers of `SheetServer`."""

    server: SheetServer
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer by the first part of the path."""
        getattr(self, f"_{self.path.split('/')[1].partition('.')[0]}")()

    def _start(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _send_forever(self, piece: bytes, status: int = 200, **headers: str) -> None:
        self._start(status, **headers)
        while not self.server.released.is_set():
            self.wfile.write(piece)

    def _good(self) -> None:
        self._start(Content_Length=str(len(SHEET)))
        self.wfile.write(SHEET)

    def _compressed(self) -> None:
        self._start()
        self.wfile.write(gzip.compress(SHEET))

    def _line(self) -> None:
        self._send_forever(b"a" * 65536)

    def _lines(self) -> None:
        self._send_forever(b"a\n" * 32768)

    def _blank(self) -> None:
        self._send_forever(b"\n" * 65536)

    def _bomb(self) -> None:
        self._send_forever(gzip.compress(bytes(1 << 24)))

    def _drip(self) -> None:
        self._start()
        self.wfile.write(b"s")
        self.server.released.wait()

    def _silent(self) -> None:
        self.server.released.wait()

    def _short(self) -> None:
        self._start(Content_Length="1000")
        self.wfile.write(SHEET)

    def _loop(self) -> None:
        self._start(302, Location=f"/loop/{len(self.path)}{self.path.rpartition('/')[2]}")

    def _file(self) -> None:
        self._start(302, Location="file:///etc/passwd")

    def _ftp(self) -> None:
        self._start(302, Location="ftp://127.0.0.1/a.csv")

    def _moved(self) -> None:
        self._start(301, Location="/good.csv")

    def _endless(self) -> None:
        self._send_forever(b"a" * 65536, 302, Location="/good.csv")

    def _part(self) -> None:
        self._start(206, Content_Length=str(len(SHEET)), Content_Range="bytes 0-34/1000")
        self.wfile.write(SHEET)

    def _secret(self) -> None:
        self._start(302, Location="s3://ann:s3cret@b/a.csv")

    def _wordy(self) -> None:
        self.send_response(500, "x" * 60_000)
        self.end_headers()

    def _missing(self) -> None:
        self._start(404)

    def _broken(self) -> None:
        self._start(500)

    def _nonsense(self) -> None:
        self.wfile.write(b"\x00\xff\r\n\r\n")


@contextmanager
def serving() -> Iterator[SheetServer]:
    with SheetServer() as server:
        try:
            yield server
        finally:
            server.released.set()


@pytest.fixture(scope="module")
def server() -> Iterator[SheetServer]:
    with serving() as one:
        yield one


def late_clock() -> Callable[[], float]:
    """Return a clock on which all but the first reading are after every deadline."""
    readings = chain([0.0], repeat(1e6))
    return lambda: next(readings)


@pytest.mark.parametrize(("path", "content"), [("good.csv", SHEET), ("moved.csv", SHEET), ("endless.csv", SHEET)])
def test_a_file_is_read(server: SheetServer, path: str, content: bytes) -> None:
    assert b"".join(web_pieces(f"{server.url}/{path}")) == content


@pytest.mark.parametrize("path", ["drip.csv", "silent.csv", "lines.csv"])
def test_a_transfer_ends_at_its_deadline(server: SheetServer, path: str) -> None:
    with pytest.raises(DataError, match=r"expected a file that can be read, found no end within 40 s; download it"):
        list(islice(web_pieces(f"{server.url}/{path}", clock=late_clock()), 1000))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("short.csv", "an early end: 35 of 1000 bytes"),
        ("loop/1.csv", "the answer 302 too many redirects, or a loop: Found$"),
        ("file.csv", "the answer 302 .*file:///etc/passwd"),
        ("ftp.csv", "redirected to ftp://127.0.0.1/a.csv"),
        ("broken.csv", "the answer 500 "),
        ("nonsense.csv", r"an answer that is not HTTP: '\\x00ÿ'$"),
        ("part.csv", "the answer 206 Partial Content$"),
        ("secret.csv", r"the answer 302 .*s3://\*\*\*@b/a.csv"),
        ("wordy.csv", "the answer 500 x{185}…$"),
    ],
)
def test_a_broken_answer_is_an_error(server: SheetServer, path: str, found: str) -> None:
    with pytest.raises(DataError, match=rf"(?s)/{path}: expected a file that can be read, found {found}"):
        list(web_pieces(f"{server.url}/{path}"))


def test_a_missing_file(server: SheetServer) -> None:
    with pytest.raises(MissingObject, match=r"/missing\.csv: expected a file, found none"):
        list(web_pieces(f"{server.url}/missing.csv"))


def validate(capfd: pytest.CaptureFixture[str], uri: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end:
        main(["manifest", "validate", uri])
    out, err = capfd.readouterr()
    return end.value.code or 0, out + err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("line.csv", ":1: expected lines of at most 1 MiB, found a longer one"),
        ("bomb.csv.gz", ":1: expected lines of at most 1 MiB, found a longer one"),
        ("lines.csv", ": expected a sample sheet of at most 2,000,000 lines, found more"),
        ("blank.csv", ": expected a sample sheet of at most 2,000,000 lines, found more"),
        ("missing.csv", ": expected a sample sheet, found no such file"),
        ("short.csv", ": expected a file that can be read, found an early end: 35 of 1000 bytes"),
    ],
)
def test_a_sheet_that_never_ends_is_refused(
    server: SheetServer, capfd: pytest.CaptureFixture[str], path: str, message: str
) -> None:
    assert validate(capfd, f"{server.url}/{path}") == (1, f"error: {server.url}/{path}{message}\n")


@pytest.mark.parametrize("query", ["", "?X-Amz-Signature=s3cret", "?a=1&token=s3cret#s3cret"])
def test_a_presigned_url_is_read_and_never_shown(
    server: SheetServer, capfd: pytest.CaptureFixture[str], query: str
) -> None:
    for name in ("good.csv", "compressed.csv.gz"):
        uri = f"{server.url}/{name}"
        assert validate(capfd, uri + query) == (0, f"{uri}: valid, 1 sample, 1 lane\n")
    code, text = validate(capfd, f"{server.url}/missing.csv{query}")
    assert (code, text) == (1, f"error: {server.url}/missing.csv: expected a sample sheet, found no such file\n")


@pytest.mark.parametrize("user", ["ann:s3cret@", "s3cret@", "ann:s3/cret@"])
@pytest.mark.parametrize("scheme", ["http", "https", "s3", "gs", "ftp"])
def test_a_password_is_refused_and_never_shown(capfd: pytest.CaptureFixture[str], user: str, scheme: str) -> None:
    code, text = validate(capfd, f"{scheme}://{user}127.0.0.1/good.csv")
    assert code == 2
    assert text.startswith(f"error: SHEET {scheme}://***@127.0.0.1/good.csv: expected a URI without user and password")
    assert "cret" not in text
