"""The program of `reading_process`: it reads a file from standard input and writes answers to standard output.

An answer is its length and bytes: of ``texts``, the compact JSON of several items, a line each; of ``count``, the
number of items as text, with a ``c`` behind it if all lines are compact JSON. An answer of no bytes says that there is
no other. The program ends silently when it fails.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from queue import Queue
from threading import Thread
from typing import BinaryIO

from genomics_pipeline.engine.distributed_map.item_reader.compression import LINES_BYTES, blocks
from genomics_pipeline.engine.distributed_map.item_reader.objects import count_lines, stream_texts
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.reading_process import HEADER
from genomics_pipeline.model.json_text import loads

_ANSWERS_AHEAD = 4


def main(task: str) -> None:
    """Do a task, which is JSON with the arguments of `ReadingProcess`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which ends this process
    members = loads(task)
    answers: Queue[bytes] = Queue(_ANSWERS_AHEAD)
    writer = Thread(target=_write, args=(answers,))
    writer.start()
    try:
        with open(0, "rb", closefd=False) as stream:
            stream.seek(members["start"])
            for answer in _answers(members["operation"], stream, members["uri"], ReaderConfig(**members["config"])):
                answers.put(answer)
        answers.put(b"")
    except BaseException:  # the engine finds the error again
        os._exit(1)
    writer.join()


def _answers(operation: str, stream: BinaryIO, uri: str, config: ReaderConfig) -> Iterator[bytes]:
    if operation == "count":
        items, are_compact = count_lines(blocks(stream, uri, LINES_BYTES))
        yield b"%d%b" % (items, b"c" if are_compact else b"")
        return
    for texts in stream_texts(stream, uri, config):
        if texts:
            yield b"\n".join(texts)


def _write(answers: Queue[bytes]) -> None:
    """Write answers, while the next ones are read."""
    try:
        while True:
            answer = answers.get()
            for part in (HEADER.pack(len(answer)), answer):
                view = memoryview(part)
                while view:
                    view = view[os.write(1, view) :]
            if not answer:
                return
    except OSError:  # nobody reads any more
        os._exit(1)
