"""The argument of ``handle`` in the program of a step on Lambda: a batch of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.protocol import DeniedAccess, MissingObject, Store


class RecordFile:
    """A file that a record names, read in parts of one version.

    Attributes:
        size_bytes: Its size.
        version: A text that changes when its content does.
    """

    def __init__(self, store: Store, uri: str) -> None:
        try:
            found = store.stat(uri)
        except DataError as error:
            raise _as_os_error(error) from None
        if found is None:
            raise FileNotFoundError("expected a file, found no such file")
        self.size_bytes = found.size_bytes
        self.version = found.version
        self._store = store
        self._uri = uri

    def read(self, start: int, size_bytes: int) -> bytes:
        """Return a part of the content, by one request where its storage sends parts.

        Args:
            start: The place of the part's first byte, from 0.
            size_bytes: The size of the part, which ends where the file does.

        Raises:
            OSError: for a file that cannot be read, or that was changed in the meantime.
        """
        if start >= self.size_bytes:
            return b""
        try:
            return self._store.read_part(self._uri, start, size_bytes, self.version).data
        except DataError as error:
            raise _as_os_error(error) from None


def _as_os_error(error: DataError) -> OSError:
    """Return an error of a store as Python's own, which programs of steps know."""
    kinds = {DeniedAccess: PermissionError, MissingObject: FileNotFoundError}
    kind = next((kind for cause, kind in kinds.items() if isinstance(error, cause)), OSError)
    return kind("; ".join(one.message for one in error.problems))


class Batch:
    """A batch of records, with what a step's program may know of its task.

    Attributes:
        records: The records: a list of JSON values, or a ``pyarrow.Table`` where the step's input says ``as =
            "arrow"``.
        parameters: The values of the step's parameters by name; a file is a path on this machine.
        upstream: By input, the results of earlier stages over the same batch.
        digest: The digest of the records, by which writes to other services can be made once.
    """

    def __init__(
        self,
        records: Any,
        count: int,
        parameters: Mapping[str, Any],
        upstream: Mapping[str, Any],
        digest: str,
        store: Store | None = None,
    ) -> None:
        self.records = records
        self.parameters = dict(parameters)
        self.upstream = dict(upstream)
        self.digest = digest
        self._count = count
        self._store = store
        self._failures: dict[int, str] = {}

    def fail(self, index: int, message: str) -> None:
        """Report that one record failed; the others of the batch are kept.

        Args:
            index: Its position among the records, from 0.
            message: The reason, for the user.

        Raises:
            ValueError: for an index without a record, which is a fault of the program.
            TypeError: for an index that is not an integer, or a message that is not text.
        """
        if isinstance(index, bool) or not isinstance(index, int) or not isinstance(message, str):
            raise TypeError(f"batch.fail: expected an integer and a text, found {index!r} and {message!r}")
        if not 0 <= index < self._count:
            raise ValueError(f"batch.fail: expected the index of one of {self._count} records, found {index}")
        self._failures.setdefault(index, message)

    def file(self, uri: str) -> RecordFile:
        """Return a file that a record names; several threads may read files.

        Args:
            uri: Its path or URI.

        Raises:
            FileNotFoundError: if there is none.
            OSError: for a file that cannot be read.
            TypeError: in a step whose input of records does not say ``files = true``.
        """
        if self._store is None:
            raise TypeError("batch.file: expected files = true in step.toml, of the input with the records; found none")
        return RecordFile(self._store, uri)

    def failures(self) -> list[tuple[int, str]]:
        """Return the records that failed, in their order, each with the first message that was reported."""
        return sorted(self._failures.items())
