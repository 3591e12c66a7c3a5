"""The items of a run on AWS: the files that its Distributed Maps read, and items that are too large for a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.asl.payload_budget import PayloadBudget, check_items
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.runs.item_lines import item_lines, part_lines
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


def write_items(
    file: Path, scope: str, lines: Iterable[str], budget: PayloadBudget | None, place: RunPlace, parts: int = 1
) -> Items:
    """Write the items of a scope; an item that is too large for a job is written as a pointer to a file of its own.

    Args:
        file: The file to write.
        scope: sample or interval.
        lines: The items, one JSON object each.
        budget: The greatest size of an item; None where no stage reads items.
        place: The run.
        parts: The number of Map Runs among which the items are divided.

    Raises:
        DataError: if there are more items than AWS reads.
    """
    items = Items(file)
    with file.open("w", encoding="utf-8") as out:
        for line in item_lines(scope, lines, budget, place, items.large):
            items.count += 1
            out.write(line)
    check_items(file.name, items.count, file.stat().st_size, parts)
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


def upload_parts(manifest: Path, execution_input: ExecutionInput, store: Store) -> None:
    """Upload the parts of a manifest that several Map Runs read: each line belongs to the next part in turn.

    Args:
        manifest: The manifest.
        execution_input: The input of the execution, which names the parts.
        store: The store that has the bucket.
    """
    for number, key in enumerate(execution_input.manifests):
        if key != execution_input.manifest:
            part = manifest.with_suffix(f".{number}")
            with manifest.open(encoding="utf-8") as lines, part.open("w", encoding="utf-8") as out:
                out.writelines(part_lines(lines, number, execution_input.parts))
            store.publish(part, execution_input.place.uri(key))
            part.unlink(missing_ok=True)
