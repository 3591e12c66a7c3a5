"""bwa's index in memory, its largest part in huge pages where the system gives them.

For each base of a read, bwa reads memory far from where it read last. With pages of 4 KiB nearly every such access
misses the processor's cache of page addresses, which takes a tenth of the time to align.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

from bwa_layout import BWT_HEADER_BYTES, NAMES_AND_BASES, SAMPLE_INTERVAL, BwaFailed, Bwt


class Index:
    """The index of a reference, for as long as this object lives.

    Args:
        library: The library that has bwa.
        reference: A FASTA file with bwa's indexes.

    Attributes:
        parts: Addresses of its bwt_t, bntseq_t and pac.

    Raises:
        BwaFailed: if it is missing or damaged.
    """

    def __init__(self, library: ctypes.CDLL, reference: str) -> None:
        file, samples = Path(f"{reference}.bwt"), Path(f"{reference}.sa")
        exists = file.exists() and samples.exists()
        index = library.bwa_idx_load_from_disk(os.fsencode(reference), NAMES_AND_BASES) if exists else None
        if not index:
            raise BwaFailed(f"{reference}: expected bwa's index beside it, found none")
        self._bwt = Bwt()
        self._pages = _read(file, self._bwt)
        self._bwt.words = ctypes.addressof(ctypes.c_char.from_buffer(self._pages))
        address = ctypes.byref(self._bwt)
        library.bwt_gen_cnt_table(address)
        library.bwt_restore_sa(os.fsencode(samples), address)
        _, names, bases = (ctypes.c_void_p * 3).from_address(index)
        self.parts = (ctypes.addressof(self._bwt), names, bases)

    @property
    def is_known(self) -> bool:
        """A check that bwa stored the content of the ``.sa`` file where `bwa_layout` expects it."""
        return self._bwt.interval == SAMPLE_INTERVAL and bool(self._bwt.samples)


def _read(path: Path, bwt: Bwt) -> mmap.mmap:
    """Fill in the header of the .bwt file, and return its words."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        header = memoryview(bytearray(file.read(BWT_HEADER_BYTES).ljust(BWT_HEADER_BYTES, b"\0"))).cast("Q").tolist()
        bwt.primary, bwt.before[1:], bwt.seq_len = header[0], header[1:], header[-1]
        # Two bits a base, and four counts of eight octets before each 128 bases and at the end.
        bwt.size = -(-bwt.seq_len // 16) + 8 * (-(-bwt.seq_len // 128) + 1)
        if size != BWT_HEADER_BYTES + 4 * bwt.size:
            mismatch = f"expected {BWT_HEADER_BYTES + 4 * bwt.size} bytes, as its header says, found {size}"
            raise BwaFailed(f"{path}: {mismatch}; remove bwa's index, and it is built anew")
        pages = mmap.mmap(-1, 4 * bwt.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            pages.madvise(mmap.MADV_HUGEPAGE)
        rest = memoryview(pages)
        while rest and (count := file.readinto(rest)):
            rest = rest[count:]
    return pages
