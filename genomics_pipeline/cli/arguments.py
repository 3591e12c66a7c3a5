"""The syntax of structured arguments: the memory of a stage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.model.rerun import StageMemory

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
