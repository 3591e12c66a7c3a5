"""The size of values that a field refers to many times: shared in memory, but not in the JSON text of its value."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import DATA_LIMIT_EXCEEDED, StatesError
from genomics_pipeline.model.json_text import dumps

_FREE_REFERENCES = 64  # of values that are within AWS's limit of payloads, so that a few cannot be too much
_MOST_BYTES = 16 << 20


class SizeBudget:
    """The references of one field so far."""

    __slots__ = ("_bytes", "_references")

    def __init__(self) -> None:
        self._references = self._bytes = 0

    def add(self, value: Any, field: str) -> None:
        """Count a value that is put into the value of the field.

        Raises:
            StatesError: ``States.DataLimitExceeded`` if the field's value is many times larger than a payload.
        """
        self._references += 1
        if isinstance(value, str):
            self._bytes += len(value)
        elif self._references > _FREE_REFERENCES:
            self._bytes += len(dumps(value))
        if self._bytes > _MOST_BYTES:
            limit = "a size exceeding the maximum number of bytes service limit"
            raise StatesError(DATA_LIMIT_EXCEEDED, f"The value of the field '{field}' has {limit}.")
