"""Files as objects: a bucket is a folder."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urlsplit

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.protocol import MissingObject, ObjectInfo


class LocalStore:
    """Plain paths, ``file://`` URIs, and the objects of buckets that are folders here.

    Args:
        buckets: Folder of each bucket.
    """

    def __init__(self, buckets: dict[str, Path] | None = None) -> None:
        self._buckets = buckets or {}

    def path(self, uri: str) -> Path:
        """The file of an object.

        Raises:
            DataError: for a bucket that is not here, or a key that leaves its bucket.
        """
        if "://" not in uri:
            return Path(uri)
        parts = urlsplit(uri)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        if parts.netloc not in self._buckets:
            raise DataError(f"{uri}: expected a bucket that is here")
        root = self._buckets[parts.netloc]
        key = uri.split("/", 3)[3] if uri.count("/") > 2 else ""
        if ".." in key.split("/") or key.startswith("/"):
            raise DataError(f"{uri}: expected a key inside its bucket")
        return root / key

    def stat(self, uri: str) -> ObjectInfo | None:
        """The object, None where there is none."""
        return _info(uri, self.path(uri))

    def open(self, uri: str) -> BinaryIO:
        """Its content as a stream."""
        try:
            return self.path(uri).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MissingObject(uri) from None

    def read(self, uri: str) -> bytes:
        """Its whole content."""
        with self.open(uri) as stream:
            return stream.read()

    def write(self, uri: str, data: bytes) -> None:
        """Put an object, in place of the one that was there."""
        part = _part(self.path(uri))
        part.write_bytes(data)
        part.replace(self.path(uri))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose URIs begin with the prefix, in the order of their names."""
        self.path(prefix)  # refuses what leaves its bucket
        whole_bucket = "://" in prefix and prefix.count("/") == 2
        head = f"{prefix}/" if whole_bucket else prefix[: prefix.rfind("/") + 1]
        quoted, plain = (quote, unquote) if prefix.startswith("file://") else (str, str)
        folder, tail = self.path(head), plain(prefix[len(head) :])
        tops = [path for path in folder.iterdir() if path.name.startswith(tail)] if folder.is_dir() else []
        files = (file for top in tops for file in ([top] if top.is_file() else top.rglob("*")))
        for uri, file in sorted((head + quoted(str(file.relative_to(folder))), file) for file in files):
            if not _is_part(file) and (info := _info(uri, file)):
                yield info

    def fetch(self, uri: str, folder: Path) -> Path:
        """The file itself."""
        path = self.path(uri).absolute()
        if not path.is_file():
            raise MissingObject(uri)
        return path

    def publish(self, path: Path, uri: str) -> None:
        """Move a local file to be the object."""
        target = self.path(uri)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # another file system: a copy is visible only when it is whole
                raise
            part = _part(target)
            shutil.copyfile(path, part)
            part.replace(target)
            path.unlink()


def _info(uri: str, path: Path) -> ObjectInfo | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not path.is_file():
        return None
    return ObjectInfo(uri, found.st_size, f"{found.st_size}-{found.st_mtime_ns}", int(found.st_mtime))


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".part")


def _part(path: Path) -> Path:
    """A file beside it to write to first; one that a killed process left is written over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.part")
