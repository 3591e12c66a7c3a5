"""Transfers to and from S3: they are complete, of one version and undamaged, or an error names the object."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.stores import transfer
from genomics_pipeline.stores.protocol import Expected, MissingObject, TransferFailed, TransferStopped
from genomics_pipeline.stores.s3 import S3Store
from genomics_pipeline.stores.transfer import MIB
from tests.faults.proxy import FaultyS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATA = Random(4).randbytes(20 * MIB + 1)  # three parts of a fetch, six of a stream
URI = "s3://reads/deep/a.bam"


class CollectingSink:
    """A sink that collects the content, and calls a function once, before the second piece."""

    def __init__(self, callback: Callable[[], object] | None = None) -> None:
        self.content = b""
        self._callback = callback

    def write(self, data: bytes, /) -> int:
        if self.content and self._callback:
            callback, self._callback = self._callback, None
            callback()
        self.content += data
        return len(data)


@pytest.fixture
def store(s3: S3Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """Return a store that holds the object, and uploads in parts of 8 MiB."""
    monkeypatch.setattr(transfer, "UPLOAD", transfer.WHOLE)
    path = tmp_path / "first"
    path.write_bytes(DATA)
    store = S3Store(s3)
    store.publish(path, URI)
    return store


def test_a_large_object_is_transferred_completely(store: S3Store, s3: S3Client, tmp_path: Path) -> None:
    assert s3.head_object(Bucket="reads", Key="deep/a.bam")["ETag"].endswith('-3"'), "it was uploaded in parts"
    assert store.fetch(URI, tmp_path).read_bytes() == DATA
    sink = CollectingSink()
    store.download(URI, sink)
    assert sink.content == DATA


def test_an_upload_has_parts_of_64_mib(s3: S3Client, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(65 * MIB)
    S3Store(s3).publish(path, URI)
    assert s3.head_object(Bucket="reads", Key="deep/a.bam")["ETag"].endswith('-2"')
    assert s3.head_object(Bucket="reads", Key="deep/a.bam", PartNumber=1)["ContentLength"] == 64 * MIB


def test_uploads_carry_checksums_of_whole_objects(store: S3Store, s3: S3Client) -> None:
    store.write("s3://reads/small", b"content")
    for key in ("deep/a.bam", "small"):
        assert "-" not in s3.head_object(Bucket="reads", Key=key, ChecksumMode="ENABLED")["ChecksumCRC64NVME"]


def test_a_recorded_sha256_is_verified(store: S3Store, tmp_path: Path) -> None:
    right, wrong = sha256(DATA).hexdigest(), sha256(b"").hexdigest()
    assert store.fetch(URI, tmp_path, Expected(sha256=right)).read_bytes() == DATA
    with pytest.raises(TransferFailed) as error:
        store.fetch(URI, tmp_path, Expected(sha256=wrong))
    assert str(error.value) == f"{URI}: expected content with the sha256 {wrong}, found {right}"
    assert not (tmp_path / "a.bam").exists()


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "CRC64NVME", "SHA256"])
def test_the_checksum_in_s3_is_verified(s3: S3Client, aws: str, name: Any, tmp_path: Path) -> None:
    import boto3

    content = DATA[: 9 * MIB]  # in two parts, of which S3 returns no checksum
    s3.put_object(Bucket="reads", Key="a", Body=content, ChecksumAlgorithm=name)
    assert S3Store(s3).fetch("s3://reads/a", tmp_path).read_bytes() == content
    member = f"Checksum{name}"
    head: Any = s3.head_object(Bucket="reads", Key="a", ChecksumMode="ENABLED")
    right = head[member]
    with FaultyS3(aws, lambda method, path: "flip" if method == "GET" else None) as proxy:
        store = S3Store(boto3.client("s3", endpoint_url=proxy.url))
        with pytest.raises(TransferFailed) as error:
            store.fetch("s3://reads/a", tmp_path)
    assert str(error.value).startswith(f"s3://reads/a: expected content with the {name} {right}, found ")


def test_another_version_than_expected(store: S3Store, tmp_path: Path) -> None:
    before = store.stat(URI)
    assert before
    assert store.fetch(URI, tmp_path, Expected(version=before.version)).read_bytes() == DATA
    store.write(URI, b"other")
    after = store.stat(URI)
    assert after
    with pytest.raises(TransferFailed) as error:
        store.fetch(URI, tmp_path, Expected(version=before.version))
    message = f"expected the version {before.version}, found {after.version}: it was changed in the meantime"
    assert str(error.value) == f"{URI}: {message}"


@pytest.mark.parametrize("size", [len(DATA), 100])
def test_a_change_during_a_download_is_an_error(store: S3Store, size: int) -> None:
    sink = CollectingSink(lambda: store.write(URI, bytes(size)))
    with pytest.raises(TransferFailed) as error:
        store.download(URI, sink)
    assert str(error.value).startswith(f"{URI}: expected the same content until its end, found another version: ")
    assert DATA.startswith(sink.content)


def test_a_cancelled_download(store: S3Store) -> None:
    cancelled = threading.Event()
    sink = CollectingSink()
    write = sink.write

    def cancel_and_write(data: bytes, /) -> int:
        """Cancel the transfer, which then discards the remaining parts."""
        cancelled.set()
        return write(data)

    sink.write = cancel_and_write  # type: ignore[method-assign]
    with pytest.raises(TransferStopped) as error:
        store.download(URI, sink, cancelled=cancelled)
    assert str(error.value) == f"{URI}: cancelled before it was transferred"
    assert len(sink.content) < len(DATA)


def test_a_cancelled_upload_leaves_nothing(store: S3Store, s3: S3Client, tmp_path: Path) -> None:
    path, cancelled = tmp_path / "b.bam", threading.Event()
    path.write_bytes(DATA)
    cancelled.set()
    with pytest.raises(TransferStopped):
        store.publish(path, "s3://reads/b.bam", cancelled)
    assert path.exists()
    assert store.stat("s3://reads/b.bam") is None
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reads")


def test_a_missing_object_leaves_no_file(s3: S3Client, tmp_path: Path) -> None:
    with pytest.raises(MissingObject):
        S3Store(s3).fetch("s3://reads/none", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_sink_is_raised_as_it_is(store: S3Store) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store.download(URI, CollectingSink(full))


def test_a_small_object_is_read_by_one_request(store: S3Store, s3: S3Client, aws: str) -> None:
    import boto3

    store.write("s3://reads/small.json", b'{"status": "SUCCEEDED"}')
    faults: list[str | None] = []
    with FaultyS3(aws, lambda method, path: faults.pop() if faults else None) as proxy:
        remote = S3Store(boto3.client("s3", endpoint_url=proxy.url))
        assert remote.read("s3://reads/small.json") == b'{"status": "SUCCEEDED"}'
        assert proxy.counts == {None: 1}
        faults += ["short", "drop", "short"]
        assert remote.read("s3://reads/small.json") == b'{"status": "SUCCEEDED"}'
        faults += ["short"] * 100
        with pytest.raises(TransferFailed, match=r"^s3://reads/small.json: .* can be read, found it interrupted: "):
            remote.read("s3://reads/small.json")
        faults[:] = ["flip"]
        with pytest.raises(TransferFailed, match=r"^s3://reads/small.json: .* did not match calculated checksum: "):
            remote.read("s3://reads/small.json")


def test_a_part_is_read_by_one_request_and_again_where_it_is_interrupted(store: S3Store, aws: str) -> None:
    import boto3

    faults: list[str | None] = []
    with FaultyS3(aws, lambda method, path: faults.pop() if faults else None) as proxy:
        remote = S3Store(boto3.client("s3", endpoint_url=proxy.url))
        assert remote.read_part(URI, 5, 9 * MIB).data == DATA[5 : 9 * MIB + 5]
        assert proxy.counts == {None: 1}
        faults += ["short", "drop", "503", "short"]
        part = remote.read_part(URI, 19 * MIB, 9 * MIB)
        assert (part.data, part.size_bytes) == (DATA[19 * MIB :], len(DATA))
        faults += ["short"] * 100
        with pytest.raises(TransferFailed, match=r"^s3://reads/deep/a.bam: .* can be read, found it interrupted: "):
            remote.read_part(URI, 0, 100)
        faults.clear()
        with pytest.raises(TransferFailed, match=r": expected an object of more than 99999999 bytes, found fewer"):
            remote.read_part(URI, 99_999_999, 1)
