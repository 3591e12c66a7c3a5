"""Checksums of objects, computed while the content is transferred, to verify it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Digest = tuple[Callable[[bytes], None], Callable[[], str]]

# S3's names of checksums of a whole object, the fastest first, with the bytes of each CRC; SHA-1 and MD5 are left out.
_S3 = {"ChecksumCRC64NVME": 8, "ChecksumCRC32C": 4, "ChecksumCRC32": 4, "ChecksumSHA256": 0}


class Checksum:
    """The check of a content against a digest, or of nothing if there is no digest.

    Args:
        name: The algorithm's name, for messages.
        expected: The digest.
        digest: Two functions: the first takes more of the content, the second returns its digest.
    """

    def __init__(self, name: str = "", expected: str = "", digest: Digest | None = None) -> None:
        self._name, self._expected, self._digest = name, expected, digest

    def update(self, data: bytes) -> None:
        """Take more of the content, in order."""
        if self._digest:
            self._digest[0](data)

    def problem(self) -> str | None:
        """Return the problem of a complete content; None if it is right."""
        if self._digest is None or (actual := self._digest[1]()) == self._expected:
            return None
        return f"expected content with the {self._name} {self._expected}, found {actual}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_checksum(expected: str) -> Checksum:
    """Return the check against a sha256 in hexadecimal."""
    digest = hashlib.sha256()
    return Checksum("sha256", expected, (digest.update, digest.hexdigest))


def object_checksum(head: Mapping[str, Any]) -> Checksum:
    """Return the check against the checksum that S3 stores for a whole object, if it stores one.

    Args:
        head: HeadObject's answer to ``ChecksumMode=ENABLED``. A composite checksum, of an upload's parts, ends in ``-``
            and their number; it is of no use where an object is read in other parts (S3 user guide, "Checking object
            integrity").
    """
    name = next((name for name in _S3 if name in head and "-" not in head[name]), None)
    if name is None:
        return Checksum()
    digest = _sha256() if name == "ChecksumSHA256" else _crc(name.removeprefix("Checksum").lower(), _S3[name])
    return Checksum(name.removeprefix("Checksum"), head[name], digest)


def _sha256() -> Digest:
    digest = hashlib.sha256()
    return digest.update, lambda: b64encode(digest.digest()).decode()


def _crc(name: str, size: int) -> Digest:
    from awscrt import checksums

    compute, value = getattr(checksums, name), 0

    def update(data: bytes) -> None:
        nonlocal value
        value = compute(data, value)

    return update, lambda: b64encode(value.to_bytes(size, "big")).decode()
