"""Scores of records: how much their amount exceeds the least one."""

from __future__ import annotations

from typing import Any


def handle(batch: Any) -> list[float | None]:
    """Return the score of each record; a record without an amount fails."""
    scores: list[float | None] = []
    for index, record in enumerate(batch.records):
        if "amount" not in record:
            batch.fail(index, "no amount")
            scores.append(None)
        else:
            scores.append(float(record["amount"]) - batch.parameters["least"])
    return scores
