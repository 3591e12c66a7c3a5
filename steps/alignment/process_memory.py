"""Settings of how a process takes memory from the system, where the usual way costs more than it saves."""

from __future__ import annotations

import ctypes
import sys

_SET_THP_DISABLE = 41  # PR_SET_THP_DISABLE of linux/prctl.h


def without_huge_pages() -> None:
    """Let this process and its later forks take memory in small pages from now on.

    The step's command asks for huge ones (see step.toml). The system clears a whole huge page when its first byte is
    written, and mostly one that is in no cache. Aligners, which read at random places, gain more than that; programs
    that go through their memory in order do not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_THP_DISABLE, 1, 0, 0, 0)  # it fails where the kernel has no such pages
