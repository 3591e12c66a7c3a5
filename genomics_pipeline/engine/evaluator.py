"""The program that evaluates costly expressions within limits of memory and processor time.

It reads requests from standard input and writes answers to standard output, each as its length and JSON text; an answer
begins with a sign, `L` if it is the last. The system ends the program when a request exceeds the limit of processor
time, whatever it is doing, and refuses it more memory than the limit.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import struct
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import BinaryIO

from genomics_pipeline.language.evaluation import Evaluation, EvaluationEnd
from genomics_pipeline.language.perform import perform
from genomics_pipeline.model.json_text import dumps_lossless, loads_lenient

MEMORY = 512 << 20  # bytes of address space
HEADER = struct.Struct(">Q")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class _EvaluatorHost:
    """The source of time and random numbers; the time is that of the request."""

    def __init__(self, now: float) -> None:
        self._now = now
        self.processor_seconds = time.process_time
        self.random = random.random

    def now(self) -> float:
        return self._now

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        return random.Random(seed).randrange(low, high)  # noqa: S311  # not used for security

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def evaluate_apart(self, evaluation: Evaluation) -> EvaluationEnd:
        return evaluation.here(self)


def read_message(stream: BinaryIO) -> bytes | None:
    """Return the next message, or None at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return stream.read(HEADER.unpack(header)[0])


def main(seconds: float) -> None:
    """Answer requests until standard input ends, or until so much memory was used that the next might want for it.

    Args:
        seconds: The processor time that one request may take.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY)
    for module in ("jsonata.evaluator", "jsonpath.query"):  # before the first request's time starts
        import_module(f"genomics_pipeline.language.{module}")
    is_last = False
    while not is_last and (request := read_message(sys.stdin.buffer)) is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        outcome = _outcome(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        is_last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT > MEMORY // 2
        message = b"".join((b"L" if is_last else b" ", outcome))
        answers.write(HEADER.pack(len(message)) + message)
        answers.flush()


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    with suppress(ValueError, OSError):  # a system without it
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _outcome(request: bytes) -> bytes:
    """Return the outcome as JSON; null if there was not enough memory."""
    try:
        members = loads_lenient(request)
        return dumps_lossless(
            asdict(perform(members["language"], members["text"], members["data"], _EvaluatorHost(members["now"])))
        )
    except MemoryError:
        return b"null"
