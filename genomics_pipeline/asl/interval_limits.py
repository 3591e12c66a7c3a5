"""The limits of an interval, from the settings of its Distributed Map."""

from __future__ import annotations

from genomics_pipeline.model import quotas
from genomics_pipeline.model.interval_limits import IntervalLimits
from genomics_pipeline.model.pipeline import MapSettings

# A task reads an interval as a whole; one that is too large for a job's overrides travels as an object.
TEXT_BYTES = quotas.PAYLOAD.value // 4


def interval_limits(settings: MapSettings) -> IntervalLimits:
    """Return the limits of an interval.

    >>> interval_limits(MapSettings(interval_size_bp=1000))
    IntervalLimits(bases=1000, text_bytes=65536)
    """
    return IntervalLimits(settings.interval_size_bp, TEXT_BYTES)
