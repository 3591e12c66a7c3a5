"""A BAM or CRAM file that is taken as aligned: its header and its records, read once, from beginning to end.

So it may be a named pipe, which a file in S3 is. samtools decompresses it.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pysam
from bam_stream import read_header
from common.alignment_header import OTHER_KIND, open_alignments, refuse_other_bases
from common.bgzf_parts import open_bgzf
from common.forks import ForkFailed, fork, wait_for
from common.program import BadInput
from read_pipe import connected, damaged
from samtools_chain import CHUNK_BYTES, large_pipe

if TYPE_CHECKING:
    from qc.batches import Batch

# In the last block of a BAM file (SAM specification, 4.1.2), and of a CRAM file (CRAM specification, 9).
BAM_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CRAM_END, CRAM_END_BYTES = b"\xe0EOF", 38


class AlignedFile(NamedTuple):
    """A file that is taken as aligned.

    Attributes:
        path: Its path, which may be a named pipe.
        is_cram: True for CRAM.
        lane: The lane's name.
        library: The library of read groups that name none; None for the sample's name.
    """

    path: str
    is_cram: bool
    lane: str
    library: str | None

    @property
    def is_pipe(self) -> bool:
        """True for a named pipe, which can be read only once."""
        return stat.S_ISFIFO(Path(self.path).stat().st_mode)


class AlignedSource:
    """The records of a file, decompressed by samtools in a fork.

    Args:
        given: The file.
        fasta: The reference.
        threads: The number of threads that may decompress it.

    Attributes:
        header: Its header.

    Raises:
        BadInput: for a file of another kind.
    """

    def __init__(self, given: AlignedFile, fasta: str, threads: int) -> None:
        self._given, self._fasta = given, fasta
        self._records = 0
        self._copy: int | None = None
        if given.is_pipe:
            path, content = "-", self._start_copy()
        else:  # samtools does not fail for a file without its end
            open_alignments(given.path, fasta).close()
            path, content = given.path, os.open(os.devnull, os.O_RDONLY)
        begin, end = large_pipe()
        command = ["view", "--no-PG", "-u", "-T", fasta, "-@", str(threads), path]
        self._process: int | None = fork(connected(command, content, end, begin))
        os.close(content)
        os.close(end)
        self._stream = open_bgzf(f"/dev/fd/{begin}")
        os.close(begin)
        self.header = self._header()

    def __enter__(self) -> AlignedSource:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._process, self._copy):
            if process is not None:
                os.kill(process, signal.SIGKILL)
                wait_for(process)

    def batches(self) -> Iterator[Batch]:
        """Yield the records.

        Raises:
            BadInput: if the file is damaged.
            ForkFailed: if samtools was killed.
        """
        from qc.batches import batches_of

        end: OSError | None = None
        try:
            for batch in batches_of(self._stream, self._given.path):
                self._records += len(batch.starts)
                yield batch
        except OSError as error:
            end = error
        if code := self._wait():
            raise self._failure(code)
        if end is not None:
            raise end
        copy, self._copy = self._copy, None
        if copy is not None and wait_for(copy):
            expected = f"expected a whole {'CRAM' if self._given.is_cram else 'BAM'} file"
            raise BadInput(f"{self._given.path}: {expected}, found no last block (EOF): it is cut off")

    def _start_copy(self) -> int:
        """Start a fork that copies the named pipe and fails if it lacks its end; return the descriptor of the copy."""
        begin, end = large_pipe()

        def work() -> None:
            os.close(begin)
            if not _copy_whole(self._given, end):
                raise SystemExit

        self._copy = fork(work, "copy")
        os.close(end)
        return begin

    def _header(self) -> Mapping[str, Any]:
        text = read_header(self._stream)
        if text is None:
            self._wait()
            raise BadInput(f"{self._given.path}: {OTHER_KIND}")
        header: Mapping[str, Any] = pysam.AlignmentHeader.from_text(text).to_dict()
        return header

    def _failure(self, code: int) -> ForkFailed | BadInput:
        failure = ForkFailed("samtools view", code)
        if failure.killed:
            return failure
        if self._given.is_cram:
            try:
                refuse_other_bases(self._given.path, self.header, self._fasta)
            except BadInput as error:
                return error
        return damaged(self._given.path, self._records)

    def _wait(self) -> int:
        """Wait for samtools and return its exit code."""
        process, self._process = self._process, None
        return wait_for(process) if process is not None else 0


def _copy_whole(given: AlignedFile, target: int) -> bool:
    """Copy a file to a descriptor, and return whether it ends with the last block of its kind."""
    last = b""
    with Path(given.path).open("rb", buffering=0) as source:
        while piece := source.read(CHUNK_BYTES):
            last = (last + piece)[-CRAM_END_BYTES:]
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(target, rest) :]
    return CRAM_END in last if given.is_cram else last.endswith(BAM_END)
