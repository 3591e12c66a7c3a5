"""What tells whether a content arrived as it was sent, computed while it passes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

Running = tuple[Callable[[bytes], None], Callable[[], str]]

# S3's names of what it may know of a whole object, the fastest first, and bytes of it; SHA-1 and MD5 are left out.
_S3 = {"ChecksumCRC64NVME": 8, "ChecksumCRC32C": 4, "ChecksumCRC32": 4, "ChecksumSHA256": 0}


class Checksum:
    """A digest that a content is to have; without one all content is right.

    Args:
        name: What it is called in messages.
        expected: The digest.
        running: How it is computed: takes more content, and gives the digest.
    """

    def __init__(self, name: str = "", expected: str = "", running: Running | None = None) -> None:
        self._name, self._expected, self._running = name, expected, running

    def update(self, data: bytes) -> None:
        """More of the content, in order."""
        if self._running:
            self._running[0](data)

    def problem(self) -> str | None:
        """What is wrong with the content, now that it is complete."""
        if self._running is None or (found := self._running[1]()) == self._expected:
            return None
        return f"expected content with the {self._name} {self._expected}, found {found}"


def of_sha256(expected: str) -> Checksum:
    """A sha256 in hexadecimal."""
    digest = hashlib.sha256()
    return Checksum("sha256", expected, (digest.update, digest.hexdigest))


def of_object(head: Mapping[str, Any]) -> Checksum:
    """The checksum of the whole object that S3 has, if it has one.

    Args:
        head: HeadObject's answer to ``ChecksumMode=ENABLED``. Checksums of an upload's parts together end in ``-`` and
            their number, and say nothing of other parts (S3 user guide, "Checking object integrity").
    """
    name = next((name for name in _S3 if name in head and "-" not in head[name]), None)
    if name is None:
        return Checksum()
    running = _sha256() if name == "ChecksumSHA256" else _crc(name.removeprefix("Checksum").lower(), _S3[name])
    return Checksum(name.removeprefix("Checksum"), head[name], running)


def _sha256() -> Running:
    digest = hashlib.sha256()
    return digest.update, lambda: b64encode(digest.digest()).decode()


def _crc(name: str, size: int) -> Running:
    from awscrt import checksums

    compute, value = getattr(checksums, name), 0

    def update(data: bytes) -> None:
        nonlocal value
        value = compute(data, value)

    return update, lambda: b64encode(value.to_bytes(size, "big")).decode()
