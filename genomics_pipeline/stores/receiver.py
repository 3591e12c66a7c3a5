"""Pieces that a thread of their own receives, since no call that waits for a server can be interrupted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

HELD_PIECES = 16  # between the thread that receives and the caller

_Received = bytes | Exception | None


class Receiver:
    """The pieces of one transfer; `close` ends it.

    Args:
        produce: Yields the pieces; it ends soon after the event that it is given is set.
    """

    def __init__(self, produce: Callable[[threading.Event], Iterator[bytes]]) -> None:
        self._pieces: queue.Queue[_Received] = queue.Queue(HELD_PIECES)
        self._ended = threading.Event()
        threading.Thread(target=self._receive, args=(produce,), daemon=True).start()

    def next(self, seconds: float) -> bytes | None:
        """Return the next piece, or None after the last.

        Args:
            seconds: The time to wait for it.

        Raises:
            queue.Empty: if there is none within that time.
            Exception: the error of the transfer.
        """
        piece = self._pieces.get(timeout=seconds)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        """End the transfer; its thread may wait for the server a little longer."""
        self._ended.set()

    def _receive(self, produce: Callable[[threading.Event], Iterator[bytes]]) -> None:
        try:
            for piece in produce(self._ended):
                self._put(piece)
                if self._ended.is_set():
                    return
            self._put(None)
        except Exception as error:  # the caller raises it
            self._put(error)

    def _put(self, piece: _Received) -> None:
        while not self._ended.is_set():
            try:
                self._pieces.put(piece, timeout=1)
            except queue.Full:
                continue
            return
