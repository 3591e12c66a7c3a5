"""A file that exists only if what writes it succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, and remove it if the block fails, or its last bytes cannot be written.

    Raises:
        OSError: if it cannot be opened or written.
    """
    try:
        with path.open("wb") as out:
            yield out
    except BaseException:
        path.unlink()
        raise
