"""Files of tests that stay in the cache of the system, since waiting for the disk takes longer than most tests.

What a power cut leaves is seen by `tests/powercut`, whose commands are processes without this.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import HasFileno


def leave_files_in_cache() -> None:
    """Let this process, and those that are forked from it, not wait for the disk.

    What fsync(2) refuses is still refused.
    """
    fsync = os.fsync

    def check(fd: int | HasFileno) -> None:
        mode = os.fstat(fd if isinstance(fd, int) else fd.fileno()).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            fsync(fd)

    os.fsync = check
