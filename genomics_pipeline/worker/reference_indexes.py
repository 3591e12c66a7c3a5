"""The building of a reference's indexes, in a container of any step: see `model.index_order`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.model.index_order import IndexOrder
from genomics_pipeline.reference.place_indexes import BuildMemory, place_indexes
from genomics_pipeline.stores.protocol import Store

ADVICE = "the command that submits this job demands as much as that"


def build_indexes_of_order(text: str, store: Store, cache: Path, memory_mib: int, note: Callable[[str], None]) -> None:
    """Build the indexes that an order names.

    Args:
        text: The order: see `IndexOrder.from_text`.
        store: The store of all files.
        cache: The folder of caches.
        memory_mib: The memory of the job.
        note: Shows a line of progress.

    Raises:
        DataError: see `place_indexes`.
    """
    place_indexes(IndexOrder.from_text(text), store, cache, BuildMemory(memory_mib, ADVICE), note)
