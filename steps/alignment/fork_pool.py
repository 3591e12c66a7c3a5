"""A pool of processes that divide work among them, with results in the order of the work."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Queue
from threading import Thread
from typing import Any, BinaryIO, Protocol

from common.forks import ForkFailed, fork, wait_for
from common.program import is_unexpected, report

READ_AHEAD = 8  # pieces that are read ahead for each worker


class Pool(Protocol):
    """Processes that divide work among them, with results in the order of the work."""

    def results(self, work: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield the result of each piece: see `ForkPool.results`."""

    def end(self) -> None:
        """End every fork, whatever it is doing."""


def make_pool(pieces: Iterable[Any], size: int) -> Pool:
    """Return a pool for the pieces, of so many workers; one worker is this process."""
    return ForkPool(pieces, size) if size > 1 else OneProcess(pieces)


class OneProcess:
    """Work in this process: on one core, forks would take turns, and send each other what is at hand here.

    Args:
        pieces: The work.
    """

    def __init__(self, pieces: Iterable[Any]) -> None:
        self._pieces = pieces

    def results(self, work: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield the result of each piece, in order.

        Args:
            work: Returns the result of a piece.
        """
        return map(work, self._pieces)

    def end(self) -> None:
        """Do nothing: there is no fork."""


class ForkPool:
    """Forked workers, and a fork that reads the work and sends it to them; it starts before they do.

    The results and their order do not depend on the number of workers.

    Args:
        pieces: The work. An exception of the iterable is raised again where the next result would have come.
        size: The number of workers.
    """

    def __init__(self, pieces: Iterable[Any], size: int) -> None:
        pipes = [os.pipe() for _ in range(size)]
        self._input_ends = [begin for begin, _ in pipes]
        self._feeder = _Fork(lambda: _feed(pieces, [end for _, end in pipes]), closing=self._input_ends)
        for _, end in pipes:
            os.close(end)
        self._workers: list[_Worker] = []

    def results(self, work: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield the result of each piece, in order; call this once.

        Args:
            work: Returns the result of a piece. Its exception is raised again where the result would have come.

        Raises:
            ForkFailed: if a fork was killed.
        """
        self._workers.extend(_Worker(work, input_end) for input_end in self._input_ends)
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
        """Kill every fork, whatever it is doing."""
        for forked in (self._feeder, *self._workers):
            forked.kill()

    def _failure(self, worker: _Worker) -> ForkFailed:
        if (code := worker.wait()) < 0:
            return ForkFailed("a forked process", code)
        return ForkFailed("the process that reads the input", self._feeder.wait())  # which ended the worker too


class _Sentinel:
    """A value that keeps its identity when it is pickled."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> str:
        return self._name


_END, _LOST = _Sentinel("_END"), _Sentinel("_LOST")


class _Fork:
    """A fork that runs one function and ends.

    Args:
        work: The function.
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
        """Wait for the end of the fork and return its exit code, negative for the signal that ended it."""
        if self._code is None:
            self._code = wait_for(self._process)
        return self._code

    def kill(self) -> None:
        """Kill the fork, unless it has ended, and wait for its end."""
        if self._code is None:
            os.kill(self._process, signal.SIGKILL)
            self.wait()


class _Worker(_Fork):
    """A fork with a pipe from the feeder and one to this process.

    A thread reads the latter, so that the fork does not wait for other workers.
    """

    def __init__(self, work: Callable[[Any], Any], input_end: int) -> None:
        self._output_end, end = os.pipe()
        self._results: Queue[Any] = Queue(1)
        super().__init__(lambda: _serve(work, input_end, end), closing=[self._output_end])
        os.close(input_end)
        os.close(end)

    def start(self) -> None:
        """Start the thread."""
        Thread(target=self._receive, daemon=True).start()

    def take(self) -> Any:
        """Return the next result."""
        return self._results.get()

    def _receive(self) -> None:
        result = None
        with os.fdopen(self._output_end, "rb") as pipe:
            while result not in (_END, _LOST):
                try:
                    result = load_value(pipe)
                except EOFError:
                    result = _LOST
                self._results.put(result)


def _feed(pieces: Iterable[Any], pipes: Sequence[int]) -> None:
    """Send the pieces to the workers in turn, with a thread for each, so that no worker waits for another."""
    queues: list[Queue[Any]] = [Queue(READ_AHEAD) for _ in pipes]
    threads = [Thread(target=_send, args=pair) for pair in zip(queues, pipes, strict=True)]
    for thread in threads:
        thread.start()
    number = 0
    try:
        for piece in pieces:
            queues[number % len(queues)].put(piece)
            number += 1
    except Exception as error:
        if is_unexpected(error):
            traceback.print_exception(error)  # which is lost when the error is sent
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
        os._exit(1)  # the worker has ended; its parent reports that, unless it has ended too
    except Exception as error:  # a piece that cannot be sent; without this thread, its queue would stay full
        report(error)
        os._exit(1)


def _serve(work: Callable[[Any], Any], input_end: int, output_end: int) -> None:
    """Send back the result of each piece, until the pieces end."""
    with os.fdopen(input_end, "rb") as pieces, os.fdopen(output_end, "wb") as results:
        piece = None
        while piece is not _END:
            piece = load_value(pieces)
            pickle.dump(_result(work, piece), results, pickle.HIGHEST_PROTOCOL)
            results.flush()


def load_value(pipe: BinaryIO) -> Any:
    """Return the next value from a fork of this program.

    Raises:
        EOFError: if the fork ended before it had sent the value, or sent anything else.
    """
    try:
        return pickle.load(pipe)  # noqa: S301
    except Exception:  # the fork ended within the value
        raise EOFError from None


def _result(work: Callable[[Any], Any], piece: Any) -> Any:
    if piece is _END or isinstance(piece, Exception):
        return piece
    try:
        return work(piece)
    except Exception as error:
        if is_unexpected(error):
            traceback.print_exception(error)  # which is lost when the error is sent
        return error
