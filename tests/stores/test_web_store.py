"""Files of web servers: their versions, and transfers that break off, change or are not what they should be."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores import web_file
from genomics_pipeline.stores.protocol import (
    ChangedObject,
    Expected,
    MissingObject,
    ObjectInfo,
    OtherContent,
    TransferFailed,
    TransferStopped,
)
from tests.fakes.web_files import Request, ServedFile, WebFiles

DATA = bytes(range(256)) * 4000
NOON = 1795867200  # the server's Last-Modified


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_file, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(web_file, "ASKING_PAUSES_S", (0.0, 0.0))


@pytest.fixture
def server() -> Iterator[WebFiles]:
    with WebFiles() as one:
        yield one


@pytest.fixture
def file(server: WebFiles) -> ServedFile:
    return server.put("/a.fastq.gz", DATA)


def downloaded(uri: str, expected: Expected | None = None) -> bytes:
    content = BytesIO()
    object_store().download(uri, content, expected or Expected())
    return content.getvalue()


def test_a_file_is_read_in_every_way(server: WebFiles, file: ServedFile, tmp_path: Path) -> None:
    store, uri = object_store(), f"{server.url}/a.fastq.gz?part=1"
    assert store.stat(uri) == ObjectInfo(uri, len(DATA), f"{len(DATA)}-1", NOON)
    assert store.local(uri) is None
    assert store.read(uri) == downloaded(uri) == DATA
    assert store.fetch(uri, tmp_path) == tmp_path / "a.fastq.gz"
    assert (tmp_path / "a.fastq.gz").read_bytes() == DATA
    with store.open(uri) as stream:
        assert (stream.read(5), stream.readline(), stream.read()) == (DATA[:5], DATA[5:11], DATA[11:])
    assert store.stat(f"{server.url}/b") is None
    with pytest.raises(MissingObject, match=r"/b: expected a file, found none"):
        store.open(f"{server.url}/b")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_breaks_off_is_continued(server: WebFiles, file: ServedFile, ranges: bool) -> None:
    file.ranges, file.cuts = ranges, [100_000, 300_000, 0, 500_000]
    assert downloaded(f"{server.url}/a.fastq.gz") == DATA
    parts = [one.part for one in server.requests if one.method == "GET"]
    if ranges:
        assert parts == [None, "bytes=100000-", "bytes=400000-", "bytes=400000-", "bytes=900000-"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_is_read_alone(server: WebFiles, file: ServedFile, ranges: bool) -> None:
    file.ranges, file.cuts = ranges, [9_000, 12_000]
    store, uri = object_store(), f"{server.url}/a.fastq.gz"
    part = store.read_part(uri, 5_000, 20_000, f"{len(DATA)}-1")
    assert (part.data, part.size_bytes) == (DATA[5_000:25_000], len(DATA))
    assert store.read_part(uri, len(DATA) - 9, 100).data == DATA[-9:]
    parts = [one.part for one in server.requests if one.method == "GET"]
    if ranges:
        assert parts == ["bytes=5000-24999", "bytes=14000-24999", f"bytes={len(DATA) - 9}-"]
    with pytest.raises(ChangedObject, match="expected the version 3-1, found"):
        store.read_part(uri, 0, 9, "3-1")


def test_a_transfer_that_gets_no_further_fails_and_may_be_repeated(server: WebFiles, file: ServedFile) -> None:
    file.cuts = [100_000, 0, 0, 0]
    with pytest.raises(TransferFailed, match=r"found an early end: 100000 of 1024000 bytes$"):
        downloaded(f"{server.url}/a.fastq.gz")


def test_a_file_of_another_version_is_reported(server: WebFiles, file: ServedFile) -> None:
    uri, version = f"{server.url}/a.fastq.gz", f"{len(DATA)}-1"
    file.etag = '"2"'
    with pytest.raises(ChangedObject, match=f"expected the version {version}, found {len(DATA)}-2: it was changed"):
        downloaded(uri, Expected(version=version))


def test_a_file_that_changes_between_two_parts_is_reported(server: WebFiles, file: ServedFile) -> None:
    file.cuts, file.etag_after_cut = [100_000], '"2"'
    with pytest.raises(ChangedObject, match=f"expected the version {len(DATA)}-1, found {len(DATA)}-2"):
        downloaded(f"{server.url}/a.fastq.gz")


def test_content_is_compared_with_the_checksum_of_its_url(server: WebFiles, file: ServedFile, tmp_path: Path) -> None:
    md5, uri = hashlib.md5(DATA, usedforsecurity=False).hexdigest(), f"{server.url}/a.fastq.gz"
    assert downloaded(f"{uri}#md5={md5.upper()}") == DATA
    assert downloaded(f"{uri}#sha256={hashlib.sha256(DATA).hexdigest()}") == DATA
    found = object_store().stat(f"{uri}#md5={md5}")
    file.etag = '"of another server"'
    assert found == object_store().stat(f"{uri}#md5={md5}")
    file.content = DATA[:-1] + b"x"
    with pytest.raises(OtherContent, match=rf"/a.fastq.gz: expected content with the md5 {md5}, found [0-9a-f]{{32}}$"):
        object_store().fetch(f"{uri}#md5={md5}", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Content-Type": "text/html; charset=utf-8"}, r"expected a file, found a web page \(text/html\)"),
        ({"Content-Length": None}, r"expected an answer with the size of the file \(Content-Length\), found none"),
        ({"Content-Length": "\u00b2"}, r"expected an answer with the size of the file"),
    ],
)
def test_an_answer_without_a_file(
    server: WebFiles, file: ServedFile, headers: dict[str, str | None], found: str
) -> None:
    file.headers = headers
    with pytest.raises(DataError, match=f"^{server.url}/a.fastq.gz: {found}"):
        object_store().stat(f"{server.url}/a.fastq.gz")


@pytest.mark.parametrize(("status", "found"), [(403, "Forbidden"), (401, "Unauthorized"), (503, "Service Unavailable")])
def test_a_status_that_stays_is_reported(server: WebFiles, file: ServedFile, status: int, found: str) -> None:
    file.statuses = [status] * 4
    with pytest.raises(DataError) as error:
        object_store().stat(f"{server.url}/a.fastq.gz")
    assert str(error.value) == (
        f"{server.url}/a.fastq.gz: expected a file that can be read, found the answer {status} {found}"
    )
    assert isinstance(error.value, TransferFailed) == (status == 503)


def test_a_status_that_passes_is_not_reported(server: WebFiles, file: ServedFile) -> None:
    file.statuses = [503, 429]
    assert downloaded(f"{server.url}/a.fastq.gz") == DATA


def test_no_server_is_reported() -> None:
    with socket.socket() as silent:  # which has the port, so that no server of another process can
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(TransferFailed, match=r"/a: expected a file that can be read, found .*Connection refused"):
            object_store().stat(f"http://127.0.0.1:{silent.getsockname()[1]}/a")


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_server_need_not_answer_head(server: WebFiles, file: ServedFile, status: int) -> None:
    file.head = status
    info = object_store().stat(f"{server.url}/a.fastq.gz")
    assert info is not None
    assert info.size_bytes == len(DATA)
    assert server.requests[-1] == Request("GET", "/a.fastq.gz", "bytes=0-0")


def test_a_redirect_is_followed_by_the_same_method(server: WebFiles, file: ServedFile) -> None:
    server.moved = {"/old": "/a.fastq.gz"}
    assert object_store().stat(f"{server.url}/old") is not None
    assert [one.method for one in server.requests] == ["HEAD", "HEAD"]


def test_a_cancelled_transfer_ends(server: WebFiles, file: ServedFile) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(TransferStopped):
        object_store().download(f"{server.url}/a.fastq.gz", BytesIO(), Expected(), cancelled)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://example.org/a.fq", "expected https://, found http://, whose content could be changed on its way"),
        ("https://h/a.fq?X-Amz-Signature=s3cret", "expected a URL without passwords and signatures"),
        (
            "https://h/a.fq#md5=12",
            "expected #md5= or #sha256= with a checksum in hexadecimal behind the URL, found #md5",
        ),
        ("https://h/a b.fq", "expected a URL of visible ASCII characters, others percent-encoded, found ' '"),
        ("https://h:x/a.fq", "expected a URL: Port could not be cast"),
        ("https:///a.fq", "expected a URL with a host"),
    ],
)
def test_urls_that_are_not_asked_for(uri: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        object_store().stat(uri)
    assert message in str(error.value)
    assert "s3cret" not in str(error.value)


def test_nothing_is_written_to_a_web_server(server: WebFiles, file: ServedFile, tmp_path: Path) -> None:
    store, uri = object_store(), f"{server.url}/a.fastq.gz"
    refusal = r"/a.fastq.gz: expected a path or an s3:// URI to write to, found a web server"
    writes: list[Callable[[], object]] = [
        lambda: store.write(uri, b""),
        lambda: store.delete(uri),
        lambda: store.publish(tmp_path, uri),
    ]
    for write in writes:
        with pytest.raises(DataError, match=refusal):
            write()
    store.copy(uri, str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == DATA
