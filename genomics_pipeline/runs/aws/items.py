"""The items of a run on AWS: what the Distributed Maps read, and those that are too large to be handed on whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomics_pipeline.asl.payload_budget import PayloadBudget, check_items
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.task import RunPlace, item_id


@dataclass(slots=True)
class Items:
    """One file of items, written.

    Attributes:
        file: It.
        count: How many it holds.
        apart: The items that only stand in it by name, by their keys below the run.
    """

    file: Path
    count: int = 0
    apart: dict[str, str] = field(default_factory=dict)


def write_items(file: Path, scope: str, lines: Iterable[str], room: PayloadBudget | None, place: RunPlace) -> Items:
    """Write the items of a scope; one that no job could carry is only named, with where it will lie.

    Args:
        file: What is written.
        scope: sample or interval.
        lines: Its items, a JSON object each.
        room: What an item may take; None where no stage takes them.
        place: The run.

    Raises:
        DataError: if there are more than AWS reads.
    """
    items = Items(file)
    with file.open("w", encoding="utf-8") as out:
        for line in _each(scope, lines, room, place, items):
            out.write(line)
    check_items(file.name, items.count, file.stat().st_size)
    return items


def _each(scope: str, lines: Iterable[str], room: PayloadBudget | None, place: RunPlace, items: Items) -> Iterator[str]:
    for line in lines:
        items.count += 1
        item: Mapping[str, Any] = json.loads(line)
        if room is None or room.holds(item):
            yield line
            continue
        name = item_id(item)
        key = run_layout.item_file(scope, name)
        items.apart[key] = line
        yield compact({scope: name, "uri": place.uri(key)}) + "\n"
