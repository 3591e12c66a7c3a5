"""The process in which costly expressions are evaluated: one for all executions, started when it is needed."""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

import psutil

import genomics_pipeline
from genomics_pipeline.engine.evaluator import HEADER, MEMORY
from genomics_pipeline.language.evaluation import Evaluation, EvaluationEnd, TooLarge, TooLong
from genomics_pipeline.language.jsonata.limits import MAX_SECONDS
from genomics_pipeline.model.json_text import dumps_lossless, loads_lenient

_ANSWER = 32 << 20  # bytes: far more than a state may have as its output
_CHUNK = 1 << 20
_PATIENCE_SECONDS = 0.1  # between looks at signals and at the memory of the process
_GRACE_SECONDS = 0.5  # in which an expression ends by itself
_PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from genomics_pipeline.engine.evaluator import main
main(float(sys.argv[2]))
"""


@cache
def evaluator_process() -> EvaluatorProcess:
    """Return the process of all executions."""
    process = EvaluatorProcess()
    atexit.register(process.close)
    return process


class EvaluatorProcess:
    """A process that answers one request at a time, and is replaced when it ends.

    Args:
        seconds: The processor time that one request may take.
    """

    def __init__(self, seconds: float = MAX_SECONDS + _GRACE_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def evaluate(self, evaluation: Evaluation, now: float, check: Callable[[], None]) -> EvaluationEnd:
        """Evaluate an expression in the process.

        Args:
            evaluation: The expression.
            now: The time of ``$now``, in seconds since the epoch.
            check: Raises an exception if the caller is to be interrupted; called while it waits.

        Raises:
            TooLong: if it took too much processor time.
            TooLarge: if it took too much memory, or its answer is too large.
        """
        members = {"language": evaluation.language, "text": evaluation.text, "data": evaluation.data, "now": now}
        request = dumps_lossless(members)
        check()
        with self._lock:
            try:
                answer = self._ask(request, check)
            except BaseException:
                self.close()
                raise
            if answer[:1] == b"L":
                self.close()
        outcome = loads_lenient(answer[1:])
        if outcome is None:
            raise TooLarge
        return EvaluationEnd(**outcome)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    _stream(stream).close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            root = str(Path(genomics_pipeline.__file__).parents[1])
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, root, str(self._seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        return self._process

    def _ask(self, request: bytes, check: Callable[[], None]) -> bytes:
        process = self._start()
        stdin, stdout = _stream(process.stdin), _stream(process.stdout)
        message, received, size = memoryview(HEADER.pack(len(request)) + request), bytearray(), None
        os.set_blocking(stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stdin, selectors.EVENT_WRITE)
            while size is None or len(received) < HEADER.size + size:
                ready = {key.fileobj for key, _ in selector.select(_PATIENCE_SECONDS)}
                if not ready:
                    check()
                    _check_memory(process.pid)
                if stdin in ready:
                    message = _write(stdin.fileno(), message)
                    if not message:
                        selector.unregister(stdin)
                if stdout in ready:
                    if not (chunk := os.read(stdout.fileno(), _CHUNK)):
                        raise _end(process)
                    received += chunk
                if size is None and len(received) >= HEADER.size:
                    size = HEADER.unpack(received[: HEADER.size])[0]
                    if size > _ANSWER:
                        raise TooLarge
        return bytes(received[HEADER.size :])


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # both streams are pipes
    return stream


def _write(descriptor: int, message: memoryview) -> memoryview:
    """Write what the pipe takes, and return the rest; nothing is left for a process that no longer reads."""
    try:
        return message[os.write(descriptor, message) :]
    except BlockingIOError:
        return message
    except BrokenPipeError:
        return message[:0]


def _check_memory(pid: int) -> None:
    """Require that the process is within its limit, also where the system has no such limit.

    Raises:
        TooLarge: if it uses more memory.
    """
    with suppress(psutil.Error):
        if psutil.Process(pid).memory_info().rss > MEMORY:
            raise TooLarge


def _end(process: subprocess.Popen[bytes]) -> Exception:
    """Return the error of a process that ended without an answer."""
    process.wait()
    return TooLong() if process.returncode in (-signal.SIGPROF, -signal.SIGXCPU) else TooLarge()
