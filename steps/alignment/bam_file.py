"""A BAM file with its index, written from sorted records: BGZF blocks (SAM specification, 4.1) made by zlib-ng.

The zlib that samtools has in its wheel takes twice as long for a file that is larger by a tenth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from bam_index import BamIndex
from common.bgzf_parts import BLOCK_BYTES, END, bgzf_block
from qc.batches import Batch

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

WAITING = 4  # blocks of each thread


class BamFile:
    """A BAM file that is written batch by batch, and at the end its index beside it.

    Args:
        path: Its path.
        header: The bytes before the first record.
        contigs: The number of contigs.
        threads: The number of threads that compress.
    """

    def __init__(self, path: str, header: bytes, contigs: int, threads: int) -> None:
        self._path = path
        self._rest, self._rest_starts = b"", np.zeros(0, np.int64)  # what no block holds yet
        self._index = BamIndex(contigs)
        self._bytes = 0  # of all batches and the header
        self._block_starts: list[int] = []  # in these bytes
        self._sizes: list[int] = []  # of compressed blocks
        self._ending = ExitStack()
        self._out = self._ending.enter_context(Path(path).open("wb"))  # noqa: SIM115
        self._pool = self._ending.enter_context(_make_pool(threads)) if threads > 1 else None
        self._most_waiting = WAITING * threads
        self._waiting: deque[Future[bytes]] = deque()
        for start in range(0, len(header), BLOCK_BYTES):  # records begin with a block
            self._write(header[start : start + BLOCK_BYTES])

    def __enter__(self) -> BamFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        with self._ending:
            if kind is None:
                self._end()

    def passing(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Write batches, and yield them."""
        for batch in batches:
            self.add(batch)
            yield batch

    def add(self, batch: Batch) -> None:
        """Write the records that follow; one begins in the block of the one before it only if it ends there too."""
        self._index.add(batch, self._bytes + len(self._rest))
        data = self._rest + batch.data.tobytes()
        starts = np.concatenate((self._rest_starts, batch.starts + len(self._rest)))
        begin = 0
        while len(data) - begin > BLOCK_BYTES:
            last = int(starts[np.searchsorted(starts, begin + BLOCK_BYTES, "right") - 1])
            end = last if last > begin else begin + BLOCK_BYTES
            self._write(data[begin:end])
            begin = end
        self._rest, self._rest_starts = data[begin:], starts[starts >= begin] - begin

    def _write(self, content: bytes) -> None:
        self._block_starts.append(self._bytes)
        self._bytes += len(content)
        if self._pool is None:
            self._put(bgzf_block(content))
            return
        self._waiting.append(self._pool.submit(bgzf_block, content))
        if len(self._waiting) > self._most_waiting:
            self._put(self._waiting.popleft().result())

    def _put(self, block: bytes) -> None:
        self._sizes.append(len(block))
        self._out.write(block)

    def _end(self) -> None:
        if self._rest:
            self._write(self._rest)
        while self._waiting:
            self._put(self._waiting.popleft().result())
        self._out.write(END)
        places = np.cumsum([0, *self._sizes], dtype=np.int64)
        starts = np.array([*self._block_starts, self._bytes], np.int64)
        Path(f"{self._path}.bai").write_bytes(self._index.content(starts, places))


def _make_pool(threads: int) -> Executor:
    from concurrent.futures import ThreadPoolExecutor  # which takes a while to import

    return ThreadPoolExecutor(threads)
