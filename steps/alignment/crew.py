"""Work shared out among forks of this process, its results in the order of the work."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from queue import Queue
from threading import Thread
from typing import Any


class CrewFailed(Exception):
    """A worker ended before its work did."""


class Crew:
    """Forked workers. Results are the same, and in the same order, however many there are.

    Args:
        work: What each worker does with a piece of work. An exception of it is raised again where the piece's
            result would have come.
        size: How many workers.
    """

    def __init__(self, work: Callable[[Any], Any], size: int) -> None:
        self._workers = [_Worker(work) for _ in range(size)]

    def results(self, pieces: Iterable[Any]) -> Iterator[Any]:
        """The results of all pieces, in order; an exception of the iterable itself comes in its place.

        Raises:
            CrewFailed: if a worker was killed.
        """
        Thread(target=self._feed, args=(pieces,), daemon=True).start()
        for worker in self._workers:
            worker.start()
        number = 0
        while (result := self._workers[number % len(self._workers)].take()) is not _END:
            if isinstance(result, BaseException):
                raise result
            yield result
            number += 1
        codes = [worker.wait() for worker in self._workers]
        if any(codes):
            raise CrewFailed(f"a worker was killed by signal {-min(codes)}; it may have run out of memory")

    def end(self) -> None:
        """End every worker, whatever it is doing."""
        for worker in self._workers:
            worker.kill()

    def _feed(self, pieces: Iterable[Any]) -> None:
        number = 0
        try:
            for number, piece in enumerate(pieces):
                self._workers[number % len(self._workers)].give(piece)
                number += 1
        except Exception as error:
            self._workers[number % len(self._workers)].give(error)
        for worker in self._workers:
            worker.give(_END)


class _End:
    """Marks the end of the work, through pickles too."""

    def __reduce__(self) -> str:
        return "_END"


_END = _End()


class _Worker:
    """One fork with a pipe each way; threads fill and empty the pipes, so that it never waits for its neighbours."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        (work_in, self._give), (self._take, result_out) = os.pipe(), os.pipe()
        self._pieces: Queue[Any] = Queue(1)
        self._results: Queue[Any] = Queue(1)
        self._code: int | None = None
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._give)
            os.close(self._take)
            _serve(work, work_in, result_out)
        os.close(work_in)
        os.close(result_out)

    def start(self) -> None:
        """Start the threads; all workers are forked before any thread is."""
        Thread(target=self._send, daemon=True).start()
        Thread(target=self._receive, daemon=True).start()

    def give(self, piece: Any) -> None:
        """Hand it a piece of work."""
        self._pieces.put(piece)

    def take(self) -> Any:
        """Its next result."""
        return self._results.get()

    def wait(self) -> int:
        """How it ended: 0, or the negative number of a signal."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """End it."""
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            self.wait()

    def _send(self) -> None:
        piece = None
        try:
            with os.fdopen(self._give, "wb") as pipe:
                while piece is not _END:
                    piece = self._pieces.get()
                    pickle.dump(piece, pipe, pickle.HIGHEST_PROTOCOL)
                    pipe.flush()
        except BrokenPipeError:
            pass  # it was killed: its end is seen where its results are waited for

    def _receive(self) -> None:
        result = None
        with os.fdopen(self._take, "rb") as pipe:
            while result is not _END:
                try:
                    result = pickle.load(pipe)  # noqa: S301  # our own fork's
                except (EOFError, pickle.UnpicklingError):
                    result = _END
                self._results.put(result)


def _serve(work: Callable[[Any], Any], work_in: int, result_out: int) -> None:
    """The worker: one result for each piece, until the end."""
    gc.disable()  # what a piece leaves is gone by its reference counts; a search through it costs a tenth of the work
    code = 1
    try:
        with os.fdopen(work_in, "rb") as pieces, os.fdopen(result_out, "wb") as results:
            piece = None
            while piece is not _END:
                piece = pickle.load(pieces)  # noqa: S301  # our own parent's
                pickle.dump(_result(work, piece), results, pickle.HIGHEST_PROTOCOL)
                results.flush()
        code = 0
    except (EOFError, BrokenPipeError):
        pass  # the parent is gone
    finally:
        sys.stderr.flush()
        os._exit(code)


def _result(work: Callable[[Any], Any], piece: Any) -> Any:
    if piece is _END or isinstance(piece, Exception):
        return piece
    try:
        return work(piece)
    except Exception as error:
        return error
