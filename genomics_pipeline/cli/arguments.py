"""The syntax of structured arguments: a tolerance, and the memory of a stage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.rerun import StageMemory

_NUMBER = re.compile(r"0*[1-9][0-9]{0,11}")
_TOLERANCE = re.compile(r"(?P<number>[0-9]{1,12})|(?P<percentage>[0-9]{1,3}(\.[0-9]{1,18})?)%")


def parse_tolerance(text: str) -> dict[str, float]:
    """Return a tolerance as the two limits of a Distributed Map; see `MapSettings.tolerance`.

    Args:
        text: A share of the samples, such as ``5%``, or a number of samples.

    Raises:
        UsageError: for anything else.

    >>> parse_tolerance("2.5%"), parse_tolerance("20")
    ({'percentage': 2.5, 'count': 100000000}, {'percentage': 100, 'count': 20})
    """
    match = _TOLERANCE.fullmatch(text)
    if match and match["number"] and int(match["number"]) <= quotas.MAP_RUN_ITEMS.value:
        return MapSettings(tolerated_failure_count=int(match["number"])).tolerance()
    if match and match["percentage"] and float(match["percentage"]) <= 100:
        share = float(match["percentage"])
        return MapSettings(tolerated_failure_percentage=int(share) if share.is_integer() else share).tolerance()
    raise UsageError(f"--tolerate: expected a share of the samples such as 5%, or a number such as 20, found {text!r}")


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
