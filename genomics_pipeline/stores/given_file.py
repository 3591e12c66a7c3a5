"""Files that a user named: whether they exist and can be read, and what is there otherwise."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.protocol import MissingObject, ObjectInfo, Store

# Errors of a path by itself; others, such as too many open files, are the machine's.
_OF_THE_PATH = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def stat_given(uri: str, store: Store) -> ObjectInfo:
    """Return a file that a user named, without its content.

    Raises:
        MissingObject: if there is nothing.
        DataError: if it is no regular file, or the path or the permissions do not allow to read it.
        OSError: if the machine cannot tell, as with too many open files.
    """
    try:
        info, path = store.stat(uri), store.local(uri)
        if info is None:
            if path is not None and (kind := _kind(path)):
                raise DataError(f"{uri}: expected a file, found {kind}")
            raise MissingObject(uri)
        if path is not None and not os.access(path, os.R_OK):
            raise DataError(f"{uri}: expected a file that can be read, found: {os.strerror(errno.EACCES)}")
    except OSError as error:
        if error.errno not in _OF_THE_PATH:
            raise
        raise DataError(f"{uri}: expected a file that can be read, found: {error.strerror}") from None
    return info


def find_index(uri: str, suffixes: Iterable[str], store: Store) -> str | None:
    """Return the index beside a file; None if there is none.

    Args:
        uri: The file.
        suffixes: The suffixes that indexes may have.
        store: The store of the files.
    """
    return next((index for index in (f"{uri}.{suffix}" for suffix in suffixes) if store.stat(index)), None)


def _kind(path: Path) -> str | None:
    """Return what a path that is no regular file leads to; None where there is nothing."""
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "something else")
    except (FileNotFoundError, NotADirectoryError):
        return None
