"""Memory that was freed, which the C library can keep for the next allocation."""

from __future__ import annotations

import ctypes

# Of glibc's malloc.h: options of mallopt, and the values that are asked for, in bytes.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES, STEP_BYTES, LARGE_BYTES = 1 << 28, 1 << 21, 1 << 25


def keep_freed_memory() -> None:
    """Make the C library keep up to `KEPT_BYTES` of freed memory, where it is glibc.

    Otherwise it returns the memory of large arrays at once, and each page of the next one is a page fault.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, size in ((TRIM_THRESHOLD, KEPT_BYTES), (TOP_PAD, STEP_BYTES), (MMAP_THRESHOLD, LARGE_BYTES)):
            mallopt(option, size)
