"""Many looks at the objects below one prefix, for the price of listing it: S3 lists a thousand by one request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock

from genomics_pipeline.stores.protocol import ObjectInfo, ObjectReader, Store


class ListedObjects(ObjectReader):
    """A store's objects; those below a prefix are listed once, at the first look at one of them.

    Args:
        store: The store.
        prefix: The URI of the prefix, which ends in a slash.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._lock = Lock()

    @cached_property
    def _listed(self) -> Mapping[str, ObjectInfo]:
        return {info.uri: info for info in self._store.list(self._prefix)}

    def stat(self, uri: str) -> ObjectInfo | None:
        """Return the object without its content; None if there is none."""
        if not uri.startswith(self._prefix):
            return self._store.stat(uri)
        with self._lock:  # threads look, and one of them lists
            return self._listed.get(uri)

    def read(self, uri: str) -> bytes:
        """Return an object's whole content."""
        return self._store.read(uri)

    def local(self, uri: str) -> Path | None:
        """Return an object's path on this machine; None if it is stored elsewhere."""
        return self._store.local(uri)
