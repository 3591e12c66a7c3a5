"""pybwa's ``bwa mem``, without what it imports for ``bwa aln``: fgpyo is a third of the step's start-up."""

from __future__ import annotations

import sys
from types import ModuleType


class _Unused(ModuleType):
    """A module whose every name is a class that nothing is made of."""

    def __getattr__(self, name: str) -> type:
        return object


_NAMES = ("fgpyo", "fgpyo.sam", "fgpyo.sequence")
sys.modules.update({name: _Unused(name) for name in _NAMES if name not in sys.modules})

from pybwa import BwaMem, BwaMemOptions, BwaVerbosity, set_bwa_verbosity  # noqa: E402  # finds them there

__all__ = ["BwaMem", "BwaMemOptions", "BwaVerbosity", "set_bwa_verbosity"]
