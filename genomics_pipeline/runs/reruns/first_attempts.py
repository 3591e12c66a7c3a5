"""First attempts of the items of a rerun: those of the run, unless they were not enough."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.first_attempt import MEMBER
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.records.result_row import ResultRow

Ladders = Mapping[str, Sequence[int]]  # the memory ladder of each stage's step
_MEMBER = f'"{MEMBER}"'.encode()
_CLASSES = [f'\\"class\\":\\"{name}\\"'.encode() for name in (FailureClass.OUT_OF_MEMORY, FailureClass.TIMEOUT)]


def raised_line(line: bytes, row: ResultRow, ladders: Ladders) -> bytes:
    """Return the line of an item with the first attempt that it gets after the failure of its child.

    A stage that ran out of memory starts with the entry of its ladder above all that it had, or else with the largest
    that it had; one that timed out has the step's timeout. Rows without such a failure are not decoded.

    Args:
        line: The line of the item.
        row: The row of its child.
        ladders: The memory ladders.
    """
    if _MEMBER not in line or not any(one in row.line for one in _CLASSES):
        return line
    failure = classify(row.error, row.cause)
    item = json.loads(line)
    own = item[MEMBER].get(failure.stage)
    if own is None:
        return line
    had = [one.memory_mib or 0 for one in failure.tried if one.failure_class is FailureClass.OUT_OF_MEMORY]
    if had:
        most = max(*had, own["memory_mib"])
        own["memory_mib"] = min((rung for rung in ladders.get(str(failure.stage), ()) if rung > most), default=most)
    if any(one.failure_class is FailureClass.TIMEOUT for one in failure.tried):
        own.pop("timeout_s", None)
    return dumps(item)
