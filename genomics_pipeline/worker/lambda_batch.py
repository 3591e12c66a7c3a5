"""The argument of ``handle`` in the program of a step on Lambda: a batch of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
        self, records: Any, count: int, parameters: Mapping[str, Any], upstream: Mapping[str, Any], digest: str
    ) -> None:
        self.records = records
        self.parameters = dict(parameters)
        self.upstream = dict(upstream)
        self.digest = digest
        self._count = count
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

    def failures(self) -> list[tuple[int, str]]:
        """Return the records that failed, in their order, each with the first message that was reported."""
        return sorted(self._failures.items())
