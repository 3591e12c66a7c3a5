"""Checksums of objects, computed while their content passes, which show whether it arrived as it was sent."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

Running = tuple[Callable[[bytes], None], Callable[[], str]]

# S3's names of the checksums of a whole object, the fastest first, with their bytes; SHA-1 and MD5 are left out.
_S3 = {"ChecksumCRC64NVME": 8, "ChecksumCRC32C": 4, "ChecksumCRC32": 4, "ChecksumSHA256": 0}


class Checksum:
    """A digest that a content must have; without one, any content is right.

    Args:
        name: The algorithm's name, for messages.
        expected: The digest.
        running: Two functions: one takes more of the content, one returns the digest.
    """

    def __init__(self, name: str = "", expected: str = "", running: Running | None = None) -> None:
        self._name, self._expected, self._running = name, expected, running

    def update(self, data: bytes) -> None:
        """Take more of the content, in order."""
        if self._running:
            self._running[0](data)

    def problem(self) -> str | None:
        """Return what is wrong with the content once it is complete; None if nothing is."""
        if self._running is None or (found := self._running[1]()) == self._expected:
            return None
        return f"expected content with the {self._name} {self._expected}, found {found}"


def of_sha256(expected: str) -> Checksum:
    """Return the check against a sha256 in hexadecimal."""
    digest = hashlib.sha256()
    return Checksum("sha256", expected, (digest.update, digest.hexdigest))


def of_object(head: Mapping[str, Any]) -> Checksum:
    """Return the check against the checksum that S3 has of a whole object, if it has one.

    Args:
        head: HeadObject's answer to ``ChecksumMode=ENABLED``. A composite checksum of an upload's parts ends in ``-``
            and their number, and does not help where an object is read in other parts (S3 user guide, "Checking object
            integrity").
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
