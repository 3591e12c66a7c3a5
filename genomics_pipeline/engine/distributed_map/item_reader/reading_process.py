"""The second process in which large files are read, while this one runs the children.

Whatever goes wrong there, this process reads the same by itself, and finds the error that is to be reported.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from stat import S_ISREG
from typing import IO, BinaryIO, Self

import genomics_pipeline
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.stores.protocol import Store

HEADER = struct.Struct(">Q")
LEAST_BYTES = 16 << 20  # of a file for which it pays to start a process
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031  # Linux: fcntl(2)
_PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from genomics_pipeline.engine.distributed_map.item_reader.reading_program import main
main(sys.argv[2])
"""


class ReadingProcess:
    """A process that reads one file and sends answers; see `reading_program`.

    Args:
        operation: ``texts`` or ``count``.
        stream: The file; nobody else may read this stream.
        uri: Its URI, whose end says how it is compressed.
        config: The form of its content.
        start: The position in bytes at which to begin.

    Attributes:
        is_complete: Whether the process has sent all of its answers.
    """

    def __init__(self, operation: str, stream: BinaryIO, uri: str, config: ReaderConfig, start: int = 0) -> None:
        self.is_complete = False
        task = dumps({"operation": operation, "uri": uri, "config": asdict(config), "start": start}).decode()
        root = str(Path(genomics_pipeline.__file__).parents[1])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, root, task],
            stdin=stream,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if sys.platform == "linux":
            import fcntl

            with suppress(OSError):  # without the right to so much
                fcntl.fcntl(self._answers, _F_SETPIPE_SZ, _PIPE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()

    @property
    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def answers(self) -> Iterator[bytes]:
        """Yield the answers up to the last one, or to the end of a process that failed; see `is_complete`."""
        while len(header := self._answers.read(HEADER.size)) == HEADER.size:
            (size,) = HEADER.unpack(header)
            if not size:
                self.is_complete = True
                return
            if len(answer := self._answers.read(size)) < size:
                return
            yield answer


def is_for_two(store: Store, uri: str) -> bool:
    """Return whether an object is a large file of this machine, which has more than one core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    info = store.stat(uri)
    if cores < 2 or info is None or info.size_bytes < LEAST_BYTES:
        return False
    with closing(store.open(uri)) as stream:
        try:
            return S_ISREG(os.fstat(stream.fileno()).st_mode)
        except (OSError, AttributeError):  # no file
            return False
