"""A store on a full disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from genomics_pipeline.stores.protocol import Publication
from genomics_pipeline.stores.routed import RoutedStore


class FullDisk(RoutedStore):
    """A store to which nothing can be published."""

    @classmethod
    def over(cls, store: RoutedStore) -> FullDisk:
        """Return a store that can read the files of another store."""
        return cls(store._client, store._buckets)

    def publish(
        self, path: Path, uri: str, cancelled: threading.Event | None = None, intermediate: bool = False
    ) -> None:
        """Refuse a file.

        Raises:
            OSError: ``ENOSPC``, always.
        """
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def publish_all(self, files: Sequence[Publication]) -> None:
        """Refuse files.

        Raises:
            OSError: ``ENOSPC``, always.
        """
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
