"""bwa's index in memory, its largest part in huge pages where the system gives them.

For each base of a read bwa looks at a place that is nowhere near the last. In pages of 4 KiB the processor has to find
the page as well: of the time to align, that is a tenth.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

from common.program import StepError

NAMES_AND_BASES = 6  # BWA_IDX_BNS | BWA_IDX_PAC
HEADER_BYTES = 40  # of the .bwt file: `primary`, and `before` but its first


class BwaFailed(StepError):
    """A bwa, or an index of it, that cannot be used."""


class _Bwt(ctypes.Structure):
    """bwa's bwt_t."""

    primary: int
    seq_len: int
    size: int
    words: int
    interval: int
    samples: int | None
    _fields_ = (
        ("primary", ctypes.c_uint64),
        ("before", ctypes.c_uint64 * 5),
        ("seq_len", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("words", ctypes.c_void_p),
        ("counts", ctypes.c_uint32 * 256),
        ("interval", ctypes.c_int),
        ("sampled", ctypes.c_uint64),
        ("samples", ctypes.c_void_p),
    )


class Index:
    """The index of a reference, for as long as this object lives.

    Args:
        library: bwa.
        reference: A FASTA file with bwa's indexes.

    Attributes:
        parts: Addresses of its bwt_t, bntseq_t and pac.

    Raises:
        BwaFailed: if it is missing, or is none.
    """

    def __init__(self, library: ctypes.CDLL, reference: str) -> None:
        file, samples = Path(f"{reference}.bwt"), Path(f"{reference}.sa")
        found = file.exists() and samples.exists()
        index = library.bwa_idx_load_from_disk(os.fsencode(reference), NAMES_AND_BASES) if found else None
        if not index:
            raise BwaFailed(f"{reference}: expected bwa's index beside it, found none")
        self._bwt = _Bwt()
        self._pages = _read(file, self._bwt)
        self._bwt.words = ctypes.addressof(ctypes.c_char.from_buffer(self._pages))
        place = ctypes.byref(self._bwt)
        library.bwt_gen_cnt_table(place)
        library.bwt_restore_sa(os.fsencode(samples), place)
        _, names, bases = (ctypes.c_void_p * 3).from_address(index)
        self.parts = (ctypes.addressof(self._bwt), names, bases)

    @property
    def is_known(self) -> bool:
        """Whether bwa put what it read of the other file where we look for it."""
        return self._bwt.interval == 32 and bool(self._bwt.samples)  # what `bwa index` takes


def _read(path: Path, bwt: _Bwt) -> mmap.mmap:
    """Fill in what the .bwt file holds; its words."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        header = memoryview(bytearray(file.read(HEADER_BYTES).ljust(HEADER_BYTES, b"\0"))).cast("Q").tolist()
        bwt.primary, bwt.before[1:], bwt.seq_len = header[0], header[1:], header[-1]
        # Two bits a base, and four counts of eight octets before each 128 bases and at the end.
        bwt.size = -(-bwt.seq_len // 16) + 8 * (-(-bwt.seq_len // 128) + 1)
        if size != HEADER_BYTES + 4 * bwt.size:
            told = f"expected {HEADER_BYTES + 4 * bwt.size} bytes, as its header says, found {size}"
            raise BwaFailed(f"{path}: {told}; remove bwa's index, it is made again")
        pages = mmap.mmap(-1, 4 * bwt.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            pages.madvise(mmap.MADV_HUGEPAGE)
        left = memoryview(pages)
        while left and (count := file.readinto(left)):
            left = left[count:]
    return pages
