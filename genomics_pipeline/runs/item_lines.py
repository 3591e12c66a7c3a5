"""The lines of a run's files of items: an item that is too large for a job is an object of its own, with a pointer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from genomics_pipeline.asl.payload_budget import PayloadBudget
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.first_attempt import MEMBER, without_first_attempts
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.task import RunPlace, item_id


def item_lines(
    scope: str, lines: Iterable[str], budget: PayloadBudget | None, place: RunPlace, large: dict[str, str]
) -> Iterator[str]:
    """Yield the lines of a file of items, with a pointer in place of each item that is too large.

    First attempts stay in the line, since a definition reads them there.

    Args:
        scope: sample or interval.
        lines: The items, one JSON object each.
        budget: The greatest size of an item; None where no stage reads items.
        place: The run.
        large: Receives the items that are too large, by their keys below the run.
    """
    for line in lines:
        item: Mapping[str, Any] = json.loads(line)
        if budget is None or budget.holds(item):
            yield line
            continue
        name = item_id(item)
        key = run_layout.item_file(scope, name)
        pointer = {scope: name, "uri": place.uri(key)}
        own = {MEMBER: item[MEMBER]} if MEMBER in item else {}
        large[key] = compact(without_first_attempts(item)) + "\n" if own else line
        fits = budget.plain_bytes({**pointer, **own}) <= budget.plain
        yield compact({**pointer, **own} if fits else pointer) + "\n"


def part_lines(lines: Iterable[str], number: int, parts: int) -> Iterator[str]:
    """Return the lines of a part of a manifest: each line belongs to the next part in turn.

    Args:
        lines: The lines of the manifest.
        number: The number of the part, from 0.
        parts: The number of parts.

    >>> list(part_lines(["a", "b", "c"], 0, 2))
    ['a', 'c']
    """
    return islice(lines, number, None, parts)
