"""The items of a run on AWS: the files that its Distributed Maps read, and items that are too large for a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.asl.payload_budget import PayloadBudget, check_items
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.runs.item_lines import item_lines
from genomics_pipeline.stores.protocol import Store


@dataclass(slots=True)
class Items:
    """A file of items.

    Attributes:
        file: The file.
        count: The number of its items.
        large: The items that the file has pointers to only, by their keys below the run.
    """

    file: Path
    count: int = 0
    large: dict[str, str] = field(default_factory=dict)


def write_items(file: Path, scope: str, lines: Iterable[str], budget: PayloadBudget | None, place: RunPlace) -> Items:
    """Write the items of a scope; an item that is too large for a job is written as a pointer to a file of its own.

    Args:
        file: The file to write.
        scope: sample or interval.
        lines: The items, one JSON object each.
        budget: The greatest size of an item; None where no stage reads items.
        place: The run.

    Raises:
        DataError: if there are more items than AWS reads.
    """
    items = Items(file)
    with file.open("w", encoding="utf-8") as out:
        for line in item_lines(scope, lines, budget, place, items.large):
            items.count += 1
            out.write(line)
    check_items(file.name, items.count, file.stat().st_size)
    return items


def upload_large_items(files: Iterable[Items], place: RunPlace, store: Store) -> None:
    """Upload the items that are too large for a job, each as a file of its own.

    Args:
        files: The files of items that were written.
        place: The run.
        store: The store that has the bucket.
    """
    pairs = (pair for items in files for pair in items.large.items())
    for _ in in_parallel(lambda pair: store.write(place.uri(pair[0]), pair[1].encode()), pairs):
        pass
