"""Changes of files while a step reads them in place: its outputs would be of neither content, so they are refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genomics_pipeline.stores.protocol import ChangedObject, ObjectInfo, Store


@dataclass(frozen=True, slots=True)
class WatchedFiles:
    """The local files that a step reads, as they were before it began.

    Copies of objects in S3 are not among them: a transfer is bound to one version of its object.

    Attributes:
        store: The store of the files.
        before: The files; None for one that did not exist.
    """

    store: Store
    before: dict[str, ObjectInfo | None]

    @classmethod
    def of(cls, store: Store, uris: Iterable[str]) -> WatchedFiles:
        """Return the files as they are now."""
        return cls(store, {uri: store.stat(uri) for uri in uris if store.local(uri) is not None})

    def refuse_changed(self, reader: str) -> None:
        """Refuse files whose size, time or inode has changed.

        Args:
            reader: The step and its item, for the message.

        Raises:
            ChangedObject: for the first of them.
        """
        for uri, before in self.before.items():
            after = self.store.stat(uri)
            if _identity(before) != _identity(after):
                message = (
                    f"was changed while {reader} read it: expected {_words(before)}, found {_words(after)}; "
                    "nothing was published; run it again when the file no longer changes"
                )
                raise ChangedObject(uri, message)


def _identity(info: ObjectInfo | None) -> tuple[str, int] | None:
    return (info.version, info.inode) if info else None


def _words(info: ObjectInfo | None) -> str:
    """Return size, time and inode of a file for a message."""
    if info is None:
        return "no file"
    return f"{info.size_bytes} bytes written at {info.version.rpartition('-')[2]} ns (inode {info.inode})"
