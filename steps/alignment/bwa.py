"""pybwa's ``bwa mem``, without what it imports for ``bwa aln``: fgpyo is a third of the step's start-up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


class _Unused(ModuleType):
    """A module whose every name is a class that nothing is made of."""

    def __getattr__(self, name: str) -> type:
        return object


_NAMES = ("fgpyo", "fgpyo.sam", "fgpyo.sequence")
sys.modules.update({name: _Unused(name) for name in _NAMES if name not in sys.modules})

from pybwa import BwaMem, BwaMemOptions  # noqa: E402  # finds them there

__all__ = ["BwaMem", "BwaMemOptions", "silent"]


@contextmanager
def silent() -> Iterator[None]:
    """Nothing of bwa's on standard error: it tells eight lines a batch whatever its verbosity, gigabytes in all."""
    held, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(held, 2)
        os.close(held)
