"""Work divided among forks of this process, with results in the order of the work."""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Queue
from threading import Thread
from typing import Any, BinaryIO

from common.forks import ForkFailed, fork, wait_for

AHEAD = 8  # pieces that are read ahead for each worker


class Crew:
    """Forked workers and the fork that feeds them, which begins before the workers are there.

    Results are the same, and in the same order, however many workers there are.

    Args:
        pieces: The work. An exception of the iterable is raised again where the next result would have come.
        size: How many workers.
    """

    def __init__(self, pieces: Iterable[Any], size: int) -> None:
        pipes = [os.pipe() for _ in range(size)]
        self._inlets = [begin for begin, _ in pipes]
        self._feeder = _Fork(lambda: _feed(pieces, [end for _, end in pipes]), closing=self._inlets)
        for _, end in pipes:
            os.close(end)
        self._workers: list[_Worker] = []

    def results(self, work: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield what workers make of the pieces, in order; to be called once.

        Args:
            work: Makes a result of a piece. Its exception is raised again where the result would have come.

        Raises:
            ForkFailed: if a fork was killed.
        """
        self._workers.extend(_Worker(work, inlet) for inlet in self._inlets)
        for worker in self._workers:  # all are forked before any thread is
            worker.start()
        number = 0
        while (result := self._workers[number % len(self._workers)].take()) is not _END:
            if result is _LOST:
                raise self._failure(self._workers[number % len(self._workers)])
            if isinstance(result, BaseException):
                raise result
            yield result
            number += 1

    def end(self) -> None:
        """End every fork, whatever it is doing."""
        for each in (self._feeder, *self._workers):
            each.kill()

    def _failure(self, worker: _Worker) -> ForkFailed:
        if (code := worker.wait()) < 0:
            return ForkFailed("a worker", code)
        return ForkFailed("the reader of the work", self._feeder.wait())  # the worker ended as nothing fed it


class _Mark:
    """A value that keeps its identity when it is pickled."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> str:
        return self._name


_END, _LOST = _Mark("_END"), _Mark("_LOST")


class _Fork:
    """A fork that does one thing and ends.

    Args:
        work: What it does.
        closing: Descriptors that belong to its parent.
    """

    def __init__(self, work: Callable[[], None], closing: Sequence[int]) -> None:
        def close_and_work() -> None:
            for descriptor in closing:
                os.close(descriptor)
            work()

        self._code: int | None = None
        self._process = fork(close_and_work)

    def wait(self) -> int:
        """Wait for its end and return its exit code, negative for the signal that ended it."""
        if self._code is None:
            self._code = wait_for(self._process)
        return self._code

    def kill(self) -> None:
        """End it."""
        if self._code is None:
            os.kill(self._process, signal.SIGKILL)
            self.wait()


class _Worker(_Fork):
    """A fork with a pipe from the feeder and one to this process.

    A thread empties the latter, so that the fork waits for no other worker.
    """

    def __init__(self, work: Callable[[Any], Any], inlet: int) -> None:
        self._outlet, end = os.pipe()
        self._results: Queue[Any] = Queue(1)
        super().__init__(lambda: _serve(work, inlet, end), closing=[self._outlet])
        os.close(inlet)
        os.close(end)

    def start(self) -> None:
        """Start the thread."""
        Thread(target=self._receive, daemon=True).start()

    def take(self) -> Any:
        """Return its next result."""
        return self._results.get()

    def _receive(self) -> None:
        result = None
        with os.fdopen(self._outlet, "rb") as pipe:
            while result not in (_END, _LOST):
                try:
                    result = load_value(pipe)
                except EOFError:
                    result = _LOST
                self._results.put(result)


def _feed(pieces: Iterable[Any], pipes: Sequence[int]) -> None:
    """Send the pieces to the workers in turn, by a thread for each, so that none waits for another."""
    queues: list[Queue[Any]] = [Queue(AHEAD) for _ in pipes]
    threads = [Thread(target=_send, args=pair) for pair in zip(queues, pipes, strict=True)]
    for thread in threads:
        thread.start()
    number = 0
    try:
        for piece in pieces:
            queues[number % len(queues)].put(piece)
            number += 1
    except Exception as error:
        queues[number % len(queues)].put(error)
    for queue in queues:
        queue.put(_END)
    for thread in threads:
        thread.join()


def _send(queue: Queue[Any], end: int) -> None:
    piece = None
    try:
        with os.fdopen(end, "wb") as pipe:
            while piece is not _END:
                piece = queue.get()
                pickle.dump(piece, pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()
    except BrokenPipeError:
        os._exit(1)  # the worker is gone; its parent sees that, or is gone too


def _serve(work: Callable[[Any], Any], inlet: int, outlet: int) -> None:
    """The worker: one result for each piece, until the end."""
    gc.disable()  # what a piece leaves is gone by its reference counts; a search through it costs a tenth of the work
    with os.fdopen(inlet, "rb") as pieces, os.fdopen(outlet, "wb") as results:
        piece = None
        while piece is not _END:
            piece = load_value(pieces)
            pickle.dump(_result(work, piece), results, pickle.HIGHEST_PROTOCOL)
            results.flush()


def load_value(pipe: BinaryIO) -> Any:
    """Return the next value from a fork of this program.

    Raises:
        EOFError: if the fork ended before it had sent the value.
    """
    try:
        return pickle.load(pipe)  # noqa: S301
    except pickle.UnpicklingError:  # it ended in the middle
        raise EOFError from None


def _result(work: Callable[[Any], Any], piece: Any) -> Any:
    if piece is _END or isinstance(piece, Exception):
        return piece
    try:
        return work(piece)
    except Exception as error:
        return error
