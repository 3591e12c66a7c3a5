"""Tolerance of missing samples, as ``percentage`` and ``count`` of them, the lower of which counts.

There are two: the limit of the Map Run over samples, from which on no new samples start, and what the user accepts with
``--tolerate``, which decides the exit code. The limit is that of the pipeline for the number of samples, or that of
``--max-failures``; ``--tolerate`` may only raise it. Of intervals, the limit is the pipeline's alone, and the user
accepts a number of them, as ``intervals``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.pipeline import MapSettings

INTERVALS = "intervals"  # the member of a tolerance, and the word of the argument
_ARGUMENT = re.compile(r"(?P<number>[0-9]{1,12})|(?P<percentage>[0-9]{1,3}(\.[0-9]{1,18})?)%")
_OR_INTERVALS = f", or intervals such as 20,{INTERVALS}=3"
_INTERVALS = re.compile(rf"((?P<samples>.*),)?{INTERVALS}=(?P<number>[0-9]{{1,12}})")


def parse_tolerance(text: str) -> dict[str, float]:
    """Return a tolerance as the two limits of a Distributed Map; see `MapSettings.tolerance`.

    Args:
        text: A share of the samples, such as ``5%``, or a number of samples; then, or alone, a number of intervals.

    Raises:
        UsageError: for anything else.

    >>> parse_tolerance("2.5%"), parse_tolerance("20")
    ({'percentage': 2.5, 'count': 100000000}, {'percentage': 100, 'count': 20})
    >>> parse_tolerance("20,intervals=3"), parse_tolerance("intervals=3")
    ({'percentage': 100, 'count': 20, 'intervals': 3}, {'percentage': 100, 'count': 0, 'intervals': 3})
    """
    intervals = _INTERVALS.fullmatch(text)
    if intervals and int(intervals["number"]) <= quotas.MAP_RUN_ITEMS.value:
        samples = "0" if intervals["samples"] is None else intervals["samples"]
        return {**_samples(samples, "--tolerate", text, _OR_INTERVALS), INTERVALS: int(intervals["number"])}
    return _samples(text, "--tolerate", text, _OR_INTERVALS)


def parse_most_failures(text: str) -> dict[str, float]:
    """Return the limit of a Map Run over samples, of ``--max-failures``.

    Args:
        text: A share of the samples, such as ``5%``, or a number of samples.

    Raises:
        UsageError: for anything else.
    """
    return _samples(text, "--max-failures", text)


def _samples(text: str, option: str, whole: str, more: str = "") -> dict[str, float]:
    """Return the limits of a share or a number.

    Args:
        text: The share or number.
        option: The option, for the message.
        whole: The value of the option, for the message.
        more: Further values that are expected, for the message.
    """
    match = _ARGUMENT.fullmatch(text)
    if match and match["number"] and int(match["number"]) <= quotas.MAP_RUN_ITEMS.value:
        return MapSettings(tolerated_failure_count=int(match["number"])).tolerance()
    if match and match["percentage"] and float(match["percentage"]) <= 100:
        share = float(match["percentage"])
        return MapSettings(tolerated_failure_percentage=int(share) if share.is_integer() else share).tolerance()
    expected = f"a share of the samples such as 5%, or a number such as 20{more}"
    raise UsageError(f"{option}: expected {expected}, found {whole!r}")


def tolerated_samples(tolerated: Mapping[str, float], samples: int) -> int:
    """Return the greatest number of samples that a tolerance covers.

    >>> tolerated_samples({"percentage": 50, "count": 100000000}, 5)
    2
    """
    return int(min(tolerated["count"], round(tolerated["percentage"] * samples, 6) // 100))


def is_accepted(accepted: Mapping[str, float] | None, missing: int, samples: int) -> bool:
    """Return whether a run may lack this many of its samples.

    Args:
        accepted: The argument of ``--tolerate``; None without that option, which accepts nothing.
        missing: The number of missing samples.
        samples: The number of all samples.
    """
    return missing <= (0 if accepted is None else tolerated_samples(accepted, samples))


def are_intervals_accepted(accepted: Mapping[str, float] | None, missing: int) -> bool:
    """Return whether a run may lack this many of its intervals; see `is_accepted`."""
    return missing <= (0 if accepted is None else accepted.get(INTERVALS, 0))


def map_run_limit(
    limit: Mapping[str, float], accepted: Mapping[str, float] | None, samples: int
) -> Mapping[str, float]:
    """Return the limit of the Map Run over samples, unless the user accepts more.

    Args:
        limit: The limit of the pipeline, or of ``--max-failures``.
        accepted: The argument of ``--tolerate``; None without that option.
        samples: The number of samples.

    >>> half = {"percentage": 50, "count": 100000000}
    >>> map_run_limit(half, {"percentage": 100, "count": 3}, 10) == half
    True
    >>> map_run_limit(half, {"percentage": 100, "count": 7}, 10)
    {'percentage': 100, 'count': 7}
    """
    if accepted is None or tolerated_samples(accepted, samples) <= tolerated_samples(limit, samples):
        return limit
    return {name: accepted[name] for name in ("percentage", "count")}


def tolerance_words(tolerated: Mapping[str, float]) -> str:
    """Return the argument of ``--tolerate`` or ``--max-failures`` that means these limits.

    >>> tolerance_words(parse_tolerance("2.5%")), tolerance_words(parse_tolerance("20"))
    ('2.5%', '20')
    >>> tolerance_words(parse_tolerance("intervals=3"))
    '0,intervals=3'
    """
    intervals = f",{INTERVALS}={tolerated[INTERVALS]:.0f}" if INTERVALS in tolerated else ""
    if tolerated["count"] >= quotas.MAP_RUN_ITEMS.value:
        return f"{tolerated['percentage']:.15g}%{intervals}"
    return f"{tolerated['count']:.0f}{intervals}"
