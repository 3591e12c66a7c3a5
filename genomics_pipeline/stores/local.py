"""The store of local files, in which a bucket is a folder."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.bounded_file import read_bounded
from genomics_pipeline.stores.open_folder import open_inner_file, refuse_leading_out
from genomics_pipeline.stores.protocol import (
    ANY,
    ChangedObject,
    Expected,
    MissingBucket,
    MissingObject,
    ObjectInfo,
    ObjectPart,
    Publication,
    Sink,
    TransferStopped,
    file_info,
)
from genomics_pipeline.stores.publish import publish_bytes, publish_files, publish_new, publishing, remove
from genomics_pipeline.stores.temporary_file import is_temporary

PIECE_BYTES = 1 << 20


class Folders(Mapping[str, Path]):
    """The folders within a folder, each as a bucket of its name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __getitem__(self, name: str) -> Path:
        """Return a bucket's folder."""
        folder = self._root / name
        if name in ("", ".", "..") or not folder.is_dir():
            raise KeyError(name)
        return folder

    def __iter__(self) -> Iterator[str]:
        """Return the buckets' names, sorted."""
        return iter(sorted(folder.name for folder in self._root.iterdir() if folder.is_dir()))

    def __len__(self) -> int:
        """Return the number of buckets."""
        return sum(1 for _ in self)


class LocalStore:
    """The store of plain paths, ``file://`` URIs, and objects of buckets that are local folders.

    Args:
        buckets: The folder of each bucket.
    """

    def __init__(self, buckets: Mapping[str, Path] | None = None) -> None:
        self._buckets: Mapping[str, Path] = {} if buckets is None else buckets

    def path(self, uri: str) -> Path:
        """Return the file of an object.

        Raises:
            MissingBucket: if there is no such bucket.
            DataError: for a key that leaves its bucket, and a URI that stands for no path.
        """
        if "\0" in uri:
            raise DataError(f"{uri!r}: expected a path without null characters")
        if "://" not in uri:
            return Path(uri)
        try:
            parts = urlsplit(uri)
        except ValueError as error:  # a host in brackets that is no address
            raise DataError(f"{uri}: expected a path or a URI such as file:///folder/file: {error}") from None
        if parts.scheme == "file":
            return Path(_decode(uri, parts.path))
        root = self._buckets.get(parts.netloc)
        if root is None:
            raise MissingBucket(uri)
        key = uri.split("/", 3)[3] if uri.count("/") > 2 else ""
        if ".." in key.split("/") or key.startswith("/"):
            raise DataError(f"{uri}: expected a key inside its bucket")
        return root / key

    def _root(self, uri: str) -> Path | None:
        """Return the folder of an object's bucket, which writes must not leave; None for a path."""
        return None if "://" not in uri else self._buckets.get(urlsplit(uri).netloc)

    def _inner_path(self, uri: str) -> Path:
        """Return the file of an object that is about to be read.

        Raises:
            LeadsOutside: if links lead out of the folder of its bucket, which somebody else may have planted.
        """
        path = self.path(uri)
        if root := self._root(uri):
            refuse_leading_out(path, root)
        return path

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        try:
            return _info(uri, self._inner_path(uri))
        except MissingBucket:
            return None

    def open(self, uri: str) -> BinaryIO:
        """Open an object's content as a stream."""
        path, root = self.path(uri), self._root(uri)
        try:
            return path.open("rb") if root is None else open_inner_file(path, root)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MissingObject(uri) from None

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        with self.open(uri) as stream:
            return read_bounded(stream, budgets.RECORD_SIZE, uri)

    def read_part(self, uri: str, start: int, size_bytes: int, version: str | None = None) -> ObjectPart:
        """Return a part of an object's content."""
        info = self.stat(uri)
        with self.open(uri) as stream:
            stream.seek(start)
            data = stream.read(size_bytes)
        if info is None:
            raise MissingObject(uri)
        _refuse_other_version(info, Expected(version=version))
        return ObjectPart(data, info.size_bytes)

    def create(self, uri: str, data: bytes) -> bool:
        """Write an object unless there is one, and return whether it was written."""
        return publish_new(self.path(uri), data, self._root(uri))

    def write(self, uri: str, data: bytes) -> None:
        """Write an object, in place of the one that was there."""
        publish_bytes(self.path(uri), data, self._root(uri))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose URIs begin with the prefix, in the order of their names."""
        self.path(prefix)  # refuses a prefix that leaves its bucket
        whole_bucket = "://" in prefix and prefix.count("/") == 2
        head = f"{prefix}/" if whole_bucket else prefix[: prefix.rfind("/") + 1]
        quoted, plain = (quote, unquote) if prefix.startswith("file://") else (str, str)
        folder, tail = self._inner_path(head), plain(prefix[len(head) :])
        entries = [path for path in folder.iterdir() if path.name.startswith(tail)] if folder.is_dir() else []
        files = (file for entry in entries for file in ([entry] if entry.is_file() else entry.rglob("*")))
        root = self._root(prefix)
        for uri, file in sorted((head + quoted(str(file.relative_to(folder))), file) for file in files):
            if root and file.is_symlink():
                refuse_leading_out(file, root)
            if not is_temporary(file) and (info := _info(uri, file)):
                yield info

    def local(self, uri: str) -> Path | None:
        """Return an object's file."""
        return self.path(uri).absolute()

    def fetch(self, uri: str, folder: Path, expected: Expected = ANY, cancelled: threading.Event | None = None) -> Path:
        """Return an object's own file, without a copy."""
        info, path = self.stat(uri), self.path(uri).absolute()
        if info is None:
            raise MissingObject(uri)
        _refuse_other_version(info, expected)
        return path

    def download(
        self, uri: str, sink: Sink, expected: Expected = ANY, cancelled: threading.Event | None = None
    ) -> None:
        """Transfer an object's content into a sink."""
        info = self.stat(uri)
        with self.open(uri) as stream:
            while piece := stream.read(PIECE_BYTES):
                if cancelled is not None and cancelled.is_set():
                    raise TransferStopped(uri)
                sink.write(piece)
        if info is not None:
            _refuse_other_version(info, expected)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Move a local file to an object."""
        self.publish_all([Publication(path, uri, cancelled, intermediate)])

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Move local files to objects, in this order."""
        for root, group in groupby(files, lambda file: self._root(file.uri)):
            publish_files([(file.path, self.path(file.uri)) for file in group], root)

    def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        path = self._inner_path(source)
        if not path.is_file():
            raise MissingObject(source)
        with publishing(self.path(target), self._root(target)) as out, path.open("rb") as content:
            shutil.copyfileobj(content, out, PIECE_BYTES)

    def delete(self, uri: str) -> None:
        """Delete an object, if there is one."""
        path = self.path(uri)
        if path.is_file() or path.is_symlink():
            remove(path, self._root(uri))


def _refuse_other_version(info: ObjectInfo, expected: Expected) -> None:
    if expected.version not in (None, info.version):
        message = f"expected the version {expected.version}, found {info.version}: it was changed in the meantime"
        raise ChangedObject(info.uri, message)


def _info(uri: str, path: Path) -> ObjectInfo | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not S_ISREG(status.st_mode):
        return None
    return file_info(uri, status)


def _decode(uri: str, quoted: str) -> str:
    """Return the path in a ``file://`` URI.

    Raises:
        DataError: for a path with a null character, which no file has.
    """
    path = os.fsdecode(unquote_to_bytes(quoted))
    if "\0" in path:
        raise DataError(f"{uri}: expected a path without null characters, found %00")
    return path
