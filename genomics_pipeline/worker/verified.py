"""Outputs of a run on this machine whose content was compared with their records since the run began.

A file that later steps read in place is read once for its digest, however many tasks need it: intervals of a cohort
all read the same files. What was verified is an empty file, named after the identity and the digest of the output, so
that tasks in containers know it, too. The folder is emptied when a run begins.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.stores.protocol import MissingObject, OtherContent, Store, TransferStopped

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class VerifiedFiles:
    """The verified files of a run.

    Attributes:
        store: The store of the run.
        folder: The folder that names them; None for a run in S3, whose files are verified when they are transferred.
    """

    store: Store
    folder: Path | None

    @classmethod
    def of(cls, store: Store, run: RunPlace) -> VerifiedFiles:
        """Return the verified files of a run."""
        return cls(store, store.local(run.uri(run_layout.VERIFIED)))

    def check(self, uri: str, sha256: str, cancelled: threading.Event) -> None:
        """Compare the content of a local output with its digest, unless that was done before.

        Args:
            uri: The output.
            sha256: The digest in its record.
            cancelled: Ends the comparison when it is set.

        Raises:
            OtherContent: if they differ.
            MissingObject: if there is no such file.
            TransferStopped: if it was cancelled.
        """
        path = self.store.local(uri)
        if path is None or self._is_known(uri, sha256):
            return
        digest = hashlib.sha256()
        with self.store.open(uri) as file:
            while piece := file.read(PIECE_BYTES):
                if cancelled.is_set():
                    raise TransferStopped(uri)
                digest.update(piece)
        if digest.hexdigest() != sha256:
            raise OtherContent(uri, f"expected content with the sha256 {sha256}, found {digest.hexdigest()}")
        self.add(uri, sha256)

    def add(self, uri: str, sha256: str) -> None:
        """Record that a file has a digest."""
        if (name := self._name(uri, sha256)) is not None:
            with suppress(OSError):  # a full disk: the file is read again next time
                name.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))

    def _is_known(self, uri: str, sha256: str) -> bool:
        name = self._name(uri, sha256)
        if name is None:
            raise MissingObject(uri)
        return name.exists()

    def _name(self, uri: str, sha256: str) -> Path | None:
        """Return the name of a verified file; None if there is no such file."""
        if self.folder is None or (info := self.store.stat(uri)) is None:
            return None
        return self.folder / f"{info.inode}-{info.version}-{sha256}"
