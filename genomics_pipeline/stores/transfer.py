"""Large objects to and from S3 by boto3's transfer manager: parallel, of one version, verified, and to be stopped.

`preferred_transfer_client` is boto3's default, ``auto``: its CRT-backed manager on machines that AWS made it for, else
the one of threads. Both write what they download in order, hold no more than a window of parts, try again what fails,
and abort a multipart upload that does not come to its end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genomics_pipeline.stores.checksum import Checksum
from genomics_pipeline.stores.protocol import Sink, TransferFailed, TransferStopped

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHECKSUM: Final = "CRC64NVME"  # of whole objects whatever their parts; S3 refuses what does not have it
POLL_S = 0.05
MIB = 1 << 20
PIECE_BYTES = 512 << 10  # half or twice as much took a fifth longer: fewer overlap, or more wait for each other


@dataclass(frozen=True, slots=True)
class Window:
    """How much of an object is on its way at the same time.

    Attributes:
        parts: Requests, and parts in memory at most.
        part_bytes: Size of one.
        queued: Pieces of parts that wait to be written, at most.
    """

    parts: int
    part_bytes: int
    queued: int


WHOLE = Window(parts=10, part_bytes=8 * MIB, queued=50)
STREAM = Window(parts=4, part_bytes=4 * MIB, queued=8)  # a task may have dozens, most of which wait to be read
ATTEMPTS = 10  # of one part


@dataclass(frozen=True, slots=True)
class Source:
    """One version of an object.

    Attributes:
        uri: Its URI.
        bucket: Of it.
        key: Of it.
        size_bytes: Its size.
        etag: Its ETag, in quotes as S3 gives it.
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
    """An object's content, in order; what it returns from was verified.

    Raises:
        TransferFailed: if it could not be read, is another version meanwhile, or is not what it should be.
        TransferStopped: if it was cancelled.
    """
    taker = _Taker(sink, checksum)
    with _failing(source.uri, "read"):
        subscriber = _subscriber(source)
        # Every request is for a range, however small: only those ask S3 for the very version.
        with _manager(client, window, from_bytes=1) as manager:
            future = manager.download(source.bucket, source.key, taker, subscribers=[subscriber])
            if not _wait(future, subscriber.done, cancelled) and taker.taken < source.size_bytes:
                raise TransferStopped(source.uri)
    if taker.taken != source.size_bytes:
        raise TransferFailed(source.uri, f"expected {source.size_bytes} bytes, found {taker.taken}")
    if problem := checksum.problem():
        raise TransferFailed(source.uri, problem)


def upload(
    client: S3Client,
    path: Path,
    uri: str,
    place: tuple[str, str],
    tags: Mapping[str, str],
    cancelled: threading.Event | None,
) -> None:
    """A file as an object, visible when it is complete; S3 verifies each part.

    Args:
        client: boto3's.
        path: The file.
        uri: The object.
        place: Its bucket and key.
        tags: ``Tagging``, if it has tags.
        cancelled: Set when it must end before its time.

    Raises:
        TransferStopped: if it was cancelled.
    """
    subscriber = _subscriber(None)
    with _manager(client, WHOLE, from_bytes=WHOLE.part_bytes) as manager:
        extra = {"ChecksumAlgorithm": CHECKSUM, **tags}
        future = manager.upload(str(path), *place, extra_args=extra, subscribers=[subscriber])
        if not _wait(future, subscriber.done, cancelled):
            raise TransferStopped(uri)


class _Taker:
    """A sink that counts and verifies what passes; no more than `write`, so that it is written in order."""

    def __init__(self, sink: Sink, checksum: Checksum) -> None:
        self._sink, self._checksum = sink, checksum
        self.taken = 0

    def write(self, data: bytes) -> int:
        self._checksum.update(data)
        self.taken += len(data)  # before: whoever reads a pipe may end as soon as it has the last of it
        self._sink.write(data)
        return len(data)


def _manager(client: S3Client, window: Window, from_bytes: int) -> Any:
    """A manager of its own for each transfer: one that waits to be read must not hold up another.

    Args:
        client: boto3's.
        window: How much at the same time.
        from_bytes: Size from which an object goes by parts.
    """
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    encrypted = client.meta.endpoint_url.startswith("https://")  # the CRT-backed one speaks TLS, asked or not
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
    """Tells the manager which version is wanted, and us when it has ended."""
    from s3transfer.subscribers import BaseSubscriber

    class Subscriber(BaseSubscriber):
        def __init__(self) -> None:
            self.done = threading.Event()

        def on_queued(self, future: Any, **_: Any) -> None:
            if source and hasattr(future.meta, "provide_object_etag"):  # CRT asks S3 itself
                future.meta.provide_transfer_size(source.size_bytes)
                future.meta.provide_object_etag(source.etag)

        def on_done(self, future: Any, **_: Any) -> None:
            self.done.set()

    return Subscriber()


def _wait(future: Any, done: threading.Event, cancelled: threading.Event | None) -> bool:
    """Wait for a transfer's end; whether it came to it, rather than being cancelled."""
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
def _failing(uri: str, what: str) -> Iterator[None]:
    """Say in our words why an object cannot be read."""
    from awscrt.exceptions import AwsCrtError
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError

    try:
        yield
    except S3DownloadFailedError as error:
        raise TransferFailed(uri, f"expected one content, found another one while it was read: {error}") from error
    except RetriesExceededError as error:
        raise TransferFailed(uri, f"expected an object that can be {what}: {error.last_exception}") from error
    except (AwsCrtError, BotoCoreError, ClientError, Boto3Error) as error:
        raise TransferFailed(uri, f"expected an object that can be {what}: {error}") from error
