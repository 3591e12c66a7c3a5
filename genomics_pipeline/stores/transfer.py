"""Transfers of large objects to and from S3: parallel, of one version, verified, and cancellable.

boto3's transfer managers do the work. `preferred_transfer_client` is boto3's default, ``auto``: the CRT-backed manager
on machines that AWS made it for, else the one with threads. Both write downloads in order, keep at most a window of
parts in memory, retry failed requests, and abort a multipart upload that does not complete.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genomics_pipeline.stores.access import transfer_error
from genomics_pipeline.stores.checksum import Checksum
from genomics_pipeline.stores.protocol import ChangedObject, OtherContent, Sink, TransferFailed, TransferStopped

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHECKSUM: Final = "CRC64NVME"  # of the whole object, not of its parts; S3 refuses content that does not match
POLL_S = 0.05
MIB = 1 << 20
PIECE_BYTES = 512 << 10  # half or twice as much took a fifth longer


@dataclass(frozen=True, slots=True)
class Window:
    """The amount of an object that is transferred at once.

    Attributes:
        parts: The maximum of parallel requests, and of parts in memory.
        part_bytes: The size of a part.
        queued: The maximum of pieces that wait to be written.
    """

    parts: int
    part_bytes: int
    queued: int


WHOLE = Window(parts=10, part_bytes=8 * MIB, queued=50)
# Each part is a PUT, for which S3 charges twelve times as much as for a GET; a part is read from its file, not held.
UPLOAD = Window(parts=10, part_bytes=64 * MIB, queued=50)
STREAM = Window(parts=4, part_bytes=4 * MIB, queued=8)  # a task may have dozens of streams, most of them idle
ATTEMPTS = 10  # of one part


@dataclass(frozen=True, slots=True)
class Source:
    """One version of an object.

    Attributes:
        uri: Its URI.
        bucket: Its bucket.
        key: Its key.
        size_bytes: Its size.
        etag: Its ETag, in quotes, as S3 returns it.
    """

    uri: str
    bucket: str
    key: str
    size_bytes: int
    etag: str


def download(
    client: S3Client,
    source: Source,
    sink: Sink,
    checksum: Checksum,
    cancelled: threading.Event | None,
    window: Window,
) -> None:
    """Transfer an object's content into a sink, in order, and verify it.

    Args:
        client: A boto3 client.
        source: The object's version.
        sink: The receiver of the content.
        checksum: The check of the content.
        cancelled: Ends the transfer when it is set.
        window: The amount that is transferred at once.

    Raises:
        TransferFailed: if it cannot be read, has another version by now, or is not as expected.
        TransferStopped: if it was cancelled.
    """
    _refuse_cancelled(source.uri, cancelled)
    sink_in_order = _VerifiedSink(sink, checksum)
    with _translate_errors(source.uri, "read"):
        subscriber = _subscriber(source)
        # Every object is read in ranges, even a small one: only such requests name the version.
        with _manager(client, window, from_bytes=1) as manager:
            future = manager.download(source.bucket, source.key, sink_in_order, subscribers=[subscriber])
            if not _wait(future, subscriber.done, cancelled) and sink_in_order.bytes < source.size_bytes:
                raise TransferStopped(source.uri)
    if sink_in_order.bytes != source.size_bytes:
        raise TransferFailed(source.uri, f"expected {source.size_bytes} bytes, found {sink_in_order.bytes}")
    if problem := checksum.problem():
        raise OtherContent(source.uri, problem)


def upload(
    client: S3Client,
    path: Path,
    uri: str,
    bucket_and_key: tuple[str, str],
    tags: Mapping[str, str],
    cancelled: threading.Event | None,
) -> None:
    """Upload a file to an object, which is visible when it is complete; S3 verifies each part.

    Args:
        client: A boto3 client.
        path: The file.
        uri: The URI of the object.
        bucket_and_key: The bucket and key of the object.
        tags: ``Tagging``, if the object has tags.
        cancelled: Ends the transfer when it is set.

    Raises:
        TransferStopped: if it was cancelled.
    """
    _refuse_cancelled(uri, cancelled)
    subscriber = _subscriber(None)
    with _manager(client, UPLOAD, from_bytes=UPLOAD.part_bytes) as manager:
        extra = {"ChecksumAlgorithm": CHECKSUM, **tags}
        future = manager.upload(str(path), *bucket_and_key, extra_args=extra, subscribers=[subscriber])
        if not _wait(future, subscriber.done, cancelled):
            raise TransferStopped(uri)


class _VerifiedSink:
    """A sink that counts and verifies content. It has no method but `write`, so that boto3 writes to it in order."""

    def __init__(self, sink: Sink, checksum: Checksum) -> None:
        self._sink, self._checksum = sink, checksum
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self._checksum.update(data)
        self.bytes += len(data)  # first, since the reader of a pipe may end as soon as it has the last piece
        self._sink.write(data)
        return len(data)


def _manager(client: S3Client, window: Window, from_bytes: int) -> Any:
    """Return a manager for a single transfer, so that a transfer with a slow reader does not delay others.

    Args:
        client: A boto3 client.
        window: The amount that is transferred at once.
        from_bytes: The size from which an object is transferred in parts.
    """
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    encrypted = client.meta.endpoint_url.startswith("https://")  # the CRT-backed manager always speaks TLS
    config = TransferConfig(
        multipart_threshold=from_bytes,
        multipart_chunksize=window.part_bytes,
        max_concurrency=window.parts,
        max_io_queue=window.queued,
        io_chunksize=PIECE_BYTES,
        num_download_attempts=ATTEMPTS,
        preferred_transfer_client="auto" if encrypted else "classic",
    )
    config.max_in_memory_download_chunks = window.parts
    return create_transfer_manager(client, config)


def _subscriber(source: Source | None) -> Any:
    """Return a subscriber that gives the manager the expected version, and sets `done` at the end of the transfer."""
    from s3transfer.subscribers import BaseSubscriber

    class Subscriber(BaseSubscriber):
        def __init__(self) -> None:
            self.done = threading.Event()

        def on_queued(self, future: Any, **_: Any) -> None:
            if source and hasattr(future.meta, "provide_object_etag"):  # the CRT-backed manager asks S3 itself
                future.meta.provide_transfer_size(source.size_bytes)
                future.meta.provide_object_etag(source.etag)

        def on_done(self, future: Any, **_: Any) -> None:
            self.done.set()

    return Subscriber()


def _refuse_cancelled(uri: str, cancelled: threading.Event | None) -> None:
    """Refuse a transfer that was cancelled before it began, since a short one ends before its first look.

    Raises:
        TransferStopped: if it was cancelled.
    """
    if cancelled is not None and cancelled.is_set():
        raise TransferStopped(uri)


def _wait(future: Any, done: threading.Event, cancelled: threading.Event | None) -> bool:
    """Wait for the end of a transfer and return whether it was completed, not cancelled."""
    from s3transfer.exceptions import CancelledError

    while not done.wait(POLL_S):
        if cancelled is not None and cancelled.is_set():
            future.cancel()
    try:
        future.result()
    except CancelledError:
        return False
    return True


@contextmanager
def _translate_errors(uri: str, action: str) -> Iterator[None]:
    """Turn the errors of boto3 into those of this package, for a transfer that fails."""
    from awscrt.exceptions import AwsCrtError
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError

    try:
        yield
    except S3DownloadFailedError as error:
        raise ChangedObject(uri, f"expected the same content until its end, found another version: {error}") from error
    except RetriesExceededError as error:
        raise transfer_error(uri, f"an object that can be {action}", error.last_exception) from error
    except (AwsCrtError, BotoCoreError, ClientError, Boto3Error) as error:
        raise transfer_error(uri, f"an object that can be {action}", error) from error
