"""The process that builds indexes; it ends with the process that started it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.index_kinds import INDEX_KINDS

MESSAGES = "messages.json"
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: Sequence[str]) -> int:
    """Build indexes and return the exit code; after a problem, write the messages beside the file as JSON.

    Args:
        arguments: The parent's process id, the FASTA file, its name in messages, and the names of the kinds.
    """
    parent, fasta, uri, *names = arguments
    _end_with(int(parent))
    try:
        for name in names:
            INDEX_KINDS[name].build(Path(fasta), uri)
    except DataError as error:
        messages = [problem.message for problem in error.problems]
        Path(fasta).with_name(MESSAGES).write_text(json.dumps(messages))
        return 1
    return 0


def _end_with(parent: int) -> None:
    """Arrange that this process is killed when its parent ends, on systems that can."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
