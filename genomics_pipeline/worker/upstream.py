"""Which items of an earlier Map Run succeeded: read from its result manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomics_pipeline.model.task import item_id
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.result_manifest import rows


def succeeded(store: Store, map_runs: Sequence[Mapping[str, str]]) -> list[str]:
    """The ids of the items whose children succeeded, sorted: intervals in reference order, samples by name.

    Args:
        store: Where the result files lie.
        map_runs: ``ResultWriterDetails`` of each Map Run.

    Raises:
        DataError: for result files that are missing or not ResultWriter's.
    """
    found = (row for details in map_runs for row in rows(store, details, "SUCCEEDED"))
    return sorted({item_id(item) for row in found for item in row.items()})
