"""The syntax of structured arguments: an amount of memory, and the memory of a stage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.model.rerun import StageMemory

_SIZE = re.compile(r"(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?) ?(?P<unit>[MGT]i?B?)?", re.IGNORECASE)
_UNITS_MIB = {"M": 1, "G": 1 << 10, "T": 1 << 20}
_NUMBER = re.compile(r"0*[1-9][0-9]{0,11}")


def parse_memory(texts: Sequence[str]) -> tuple[StageMemory, ...]:
    """Return the memory of stages given as ``[STAGE=]MIB``.

    Raises:
        UsageError: with a problem for each malformed argument.

    >>> parse_memory(["65536", "alignment=32768"])
    (StageMemory(memory_mib=65536, stage=None), StageMemory(memory_mib=32768, stage='alignment'))
    """
    parts = [(text, *text.rpartition("=")) for text in texts]
    problems = [
        Problem(f"--memory {text}: expected [STAGE=]MIB, such as alignment=32768")
        for text, _, _, number in parts
        if not _NUMBER.fullmatch(number)
    ]
    if problems:
        raise UsageError(problems)
    return tuple(StageMemory(int(number), stage if equals else None) for _, stage, equals, number in parts)


def parse_mib(text: str, option: str) -> int:
    """Return an amount of memory in MiB; a number without a unit is in MiB, and units are powers of 1024.

    Args:
        text: The amount.
        option: The name of the option, for the message.

    Raises:
        UsageError: for anything else, and for less than 1 MiB.

    >>> parse_mib("64GiB", "--memory"), parse_mib("1.5g", "--memory"), parse_mib("2048", "--memory")
    (65536, 1536, 2048)
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match["number"]) * _UNITS_MIB[(match["unit"] or "M")[0].upper()]) if match else 0
    if not size:
        raise UsageError(f"{option}: expected an amount of memory such as 64GiB or 512MiB, found {text!r}")
    return size
