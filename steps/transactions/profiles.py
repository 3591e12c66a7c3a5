"""The profiles of accounts, read once for each version of their file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

_read: dict[tuple[str, int, int], dict[str, Any]] = {}  # one entry: warm environments call again


def read_profiles(path: str) -> dict[str, Any]:
    """Return the profiles of a file by account.

    Raises:
        ValueError: for a file that is not an object of JSON.
    """
    stat = Path(path).stat()
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in _read:
        profiles = orjson.loads(Path(path).read_bytes())
        if not isinstance(profiles, dict):
            raise ValueError("profiles: expected an object of JSON by account")
        _read.clear()
        _read[key] = profiles
    return _read[key]
