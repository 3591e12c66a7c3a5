"""Alerts: the places of records with a score."""

from __future__ import annotations

from typing import Any


def handle(batch: Any) -> list[int]:
    """Return the places of the records that have a score above 0."""
    return [index for index, score in enumerate(batch.upstream["scores"]) if score is not None and score > 0]
