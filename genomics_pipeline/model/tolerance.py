"""The number of samples that may fail before the run does, as the two limits of a Distributed Map."""

from __future__ import annotations

import re
from collections.abc import Mapping

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.pipeline import MapSettings

_GIVEN = re.compile(r"(?P<number>[0-9]+)|(?P<percentage>[0-9]+(\.[0-9]+)?)%")


def parse_tolerance(text: str) -> dict[str, float]:
    """Parse the argument of ``--tolerate``; see `MapSettings.tolerance`.

    Args:
        text: A percentage of the samples such as ``5%``, or a number of samples.

    Raises:
        UsageError: for anything else.

    >>> parse_tolerance("2.5%"), parse_tolerance("20")
    ({'percentage': 2.5, 'count': 100000000}, {'percentage': 100, 'count': 20})
    """
    found = _GIVEN.fullmatch(text)
    if found and found["number"] and int(found["number"]) <= quotas.MAP_RUN_ITEMS.value:
        return MapSettings(tolerated_failure_count=int(found["number"])).tolerance()
    if found and found["percentage"] and float(found["percentage"]) <= 100:
        share = float(found["percentage"])
        return MapSettings(tolerated_failure_percentage=int(share) if share.is_integer() else share).tolerance()
    raise UsageError(
        f"--tolerate: expected a share of the samples such as 5%, or their number such as 20, found {text!r}"
    )


def tolerance_words(tolerated: Mapping[str, float]) -> str:
    """Return the limits as ``--tolerate`` takes them.

    >>> tolerance_words(parse_tolerance("2.5%")), tolerance_words(parse_tolerance("20"))
    ('2.5%', '20')
    >>> tolerance_words({"percentage": 5, "count": 20})  # a pipeline may have both
    '5% and 20'
    """
    percentage, count = tolerated["percentage"], tolerated["count"]
    share, number = f"{percentage:g}%", f"{count:.0f}"
    if count >= quotas.MAP_RUN_ITEMS.value:
        return share
    return number if percentage >= 100 else f"{share} and {number}"
