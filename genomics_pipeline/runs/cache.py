"""The user's cache: its references and the tasks of its machines, listed and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from genomics_pipeline.records.machine_tasks import task_files
from genomics_pipeline.reference.cache_content import CachedItem, cached_references, remove_reference
from genomics_pipeline.reference.checked import forget_checks
from genomics_pipeline.stores.publish import remove

DAY_S = 86_400
TASKS = "needs of tasks on"  # before the name of a machine


def cached_items(cache: Path) -> Iterator[CachedItem]:
    """Yield what a user's cache holds: the references, the longest unused first, and the tasks of machines."""
    yield from cached_references(cache)
    for file in task_files(cache):
        status = file.stat()
        yield CachedItem(file, f"{TASKS} {file.stem}", status.st_size, status.st_mtime, in_use=False)


def clean_cache(cache: Path, unused_days: float = 0, dry_run: bool = False) -> Iterator[tuple[CachedItem, bool]]:
    """Remove what no process uses, and yield each item with whether it was removed, or would be.

    The verdicts of checks of references outside of the cache, a few bytes each, are removed too.

    Args:
        cache: The user's cache folder.
        unused_days: Keep what was used within this number of days.
        dry_run: Whether to remove nothing.
    """
    limit = time.time() - unused_days * DAY_S
    for item in cached_items(cache):
        if item.used <= limit:
            yield item, not item.in_use if dry_run else _remove(item)
    if not dry_run:
        forget_checks(cache, limit)


def _remove(item: CachedItem) -> bool:
    if item.folder.is_dir():
        return remove_reference(item)
    remove(item.folder)
    return True


def describe_cache(cache: Path) -> str:
    """Return the place of the cache, the number of its references and their size."""
    references = list(cached_references(cache))
    size_gib = sum(reference.size_bytes for reference in references) / (1 << 30)
    return f"{cache}: {len(references)} references, {size_gib:.1f} GiB; `genomics-pipeline cache clean` removes them"
