"""The user's cache: its references, listed and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from genomics_pipeline.reference.cache_content import CachedReference, cached_references, remove_reference
from genomics_pipeline.reference.checked import forget_checks

DAY_S = 86_400


def clean_cache(cache: Path, unused_days: float = 0, dry_run: bool = False) -> Iterator[tuple[CachedReference, bool]]:
    """Remove the references that no process uses, and yield each with whether it was removed, or would be.

    The verdicts of checks of references outside of the cache, a few bytes each, are removed too.

    Args:
        cache: The user's cache folder.
        unused_days: Keep those that were used within this number of days.
        dry_run: Whether to remove nothing.
    """
    limit = time.time() - unused_days * DAY_S
    for reference in cached_references(cache):
        if reference.used <= limit:
            yield reference, not reference.in_use if dry_run else remove_reference(reference)
    if not dry_run:
        forget_checks(cache, limit)


def describe_cache(cache: Path) -> str:
    """Return the place of the cache, the number of its references and their size."""
    references = list(cached_references(cache))
    size_gib = sum(reference.size_bytes for reference in references) / (1 << 30)
    return f"{cache}: {len(references)} references, {size_gib:.1f} GiB; `genomics-pipeline cache clean` removes them"
