"""The limits of an interval, from the settings of its Distributed Map."""

from __future__ import annotations

from genomics_pipeline.asl.map_state import MAX_BATCH_BYTES
from genomics_pipeline.model import quotas
from genomics_pipeline.model.interval_limits import IntervalLimits
from genomics_pipeline.model.pipeline import MapSettings

# A child's input has the item and what all children share. The payload of a local container is an environment variable,
# for which Linux allows 128 KiB; on AWS, an item that is too large for a job's request travels as an object.
TEXT_BYTES = quotas.PAYLOAD.value // 4


def interval_limits(settings: MapSettings) -> IntervalLimits:
    """Return the limits of an interval.

    >>> interval_limits(MapSettings(interval_size_bp=1000))
    IntervalLimits(bases=1000, text_bytes=65536)
    >>> interval_limits(MapSettings(interval_size_bp=1000, max_input_bytes_per_batch=4096)).text_bytes
    2048
    """
    if settings.items_per_batch is None and settings.max_input_bytes_per_batch is None:
        return IntervalLimits(settings.interval_size_bp, TEXT_BYTES)
    batch = min(settings.max_input_bytes_per_batch or MAX_BATCH_BYTES, TEXT_BYTES)
    return IntervalLimits(settings.interval_size_bp, batch // 2)  # the rest is what all items of a batch share
