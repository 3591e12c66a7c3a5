"""The processor time that reads left out of a pilot took, which a program may write to a file: a number of seconds."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.stores.bounded_file import open_plain_file
from genomics_pipeline.stores.protocol import IrregularFile

BYTES = 64  # of the number, at most


def read_left_out(file: Path, most_s: float) -> float:
    """Return the seconds; 0 if the program has written none, or anything else: only plans read them.

    Args:
        file: The file.
        most_s: The processor time of the program, of which it is a part.
    """
    try:
        with open_plain_file(file) as stream:
            seconds = float(stream.read(BYTES))
    except (OSError, IrregularFile, ValueError):
        return 0.0
    return min(seconds, most_s) if seconds > 0 else 0.0
