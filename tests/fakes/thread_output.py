"""The output of one thread, apart from that of the others, which print at the same time."""

from __future__ import annotations

import threading
from typing import Any, TextIO


class ThreadOutput:
    """A stream that hands what the thread that made it writes to one stream, and what others write to another.

    Args:
        own: The stream of this thread.
        others: The stream of all others.
    """

    def __init__(self, own: TextIO, others: TextIO) -> None:
        self._own, self._others, self._thread = own, others, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own if threading.get_ident() == self._thread else self._others, name)
