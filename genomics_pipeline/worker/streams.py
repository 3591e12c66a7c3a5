"""Named pipes of remote files, filled while a step's program reads them, and verified before it sees their end."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.stores.protocol import Expected, Store, TransferStopped
from genomics_pipeline.worker.process import POLL_S

PIPE_BYTES = 1 << 20  # Linux's maximum for ordinary users; a larger pipe needs fewer context switches
READY_MS = 100  # between two checks whether the program still runs


class Streams:
    """The pipes of one program, as a context manager: at its end they are no longer filled.

    Args:
        store: The store of the files.

    Attributes:
        failed: Set when a file could not be transferred completely, so that the program must be ended.
        failure: The error. The pipe then stays open until the end of the context, so that it does not look complete.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failed = threading.Event()
        self.failure: PipelineError | None = None
        self._ended = threading.Event()
        self._fillers: list[threading.Thread] = []

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop filling the pipes, once the program has ended."""
        self._ended.set()
        for filler in self._fillers:
            filler.join()

    def open(self, uri: str, expected: Expected, path: Path) -> None:
        """Make a named pipe of a file, which is filled once the program opens it.

        Args:
            uri: The file.
            expected: The properties that its content must have.
            path: The pipe's path.
        """
        os.mkfifo(path)
        self._fillers.append(threading.Thread(target=self._fill, args=(uri, expected, path), name=f"stream of {uri}"))
        self._fillers[-1].start()

    def _fill(self, uri: str, expected: Expected, path: Path) -> None:
        with suppress(BrokenPipeError), _Pipe(path, self._ended) as pipe:  # a program need not read the whole file
            try:
                self._store.download(uri, pipe, expected, self._ended)
            except TransferStopped:
                return
            except PipelineError as error:
                self._fail(error)
                self._ended.wait()

    def _fail(self, error: PipelineError) -> None:
        self.failure = self.failure or error
        self.failed.set()


class _Pipe:
    """The writing end of a named pipe, which stops once the program has ended, even if other processes have it open."""

    def __init__(self, path: Path, ended: threading.Event) -> None:
        self._ended = ended
        while True:
            try:
                self._pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError:  # ENXIO: no reader has opened it yet
                if ended.wait(POLL_S):
                    raise BrokenPipeError from None
        _widen(self._pipe)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLOUT)

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            if self._ended.is_set():
                raise BrokenPipeError
            if self._poll.poll(READY_MS):
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._pipe, rest) :]
        return len(data)


def _widen(pipe: int) -> None:
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # the user has too many large pipes
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
