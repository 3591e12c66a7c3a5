"""The number of samples that may fail before the run does, as the command line has it."""

from __future__ import annotations

from collections.abc import Mapping

from genomics_pipeline.model import quotas


def tolerance_words(tolerated: Mapping[str, float]) -> str:
    """Return the argument of ``--tolerate`` that means these limits; of a pipeline that has both limits, both.

    >>> tolerance_words({"percentage": 2.5, "count": 100000000}), tolerance_words({"percentage": 100, "count": 20})
    ('2.5%', '20')
    >>> tolerance_words({"percentage": 5, "count": 20})
    '5% and 20'
    """
    percentage, count = tolerated["percentage"], tolerated["count"]
    share, number = f"{percentage:.15g}%", f"{count:.0f}"
    if count >= quotas.MAP_RUN_ITEMS.value:
        return share
    return number if percentage >= 100 else f"{share} and {number}"
