"""Scores of all records in one file, the greatest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def handle(gathered: Any) -> dict[str, int]:
    """Write the greatest scores, and return their number."""
    scores = sorted((one for batch in gathered.results() for one in batch.value if one is not None), reverse=True)
    shown = scores[: gathered.parameters["most"]]
    Path(gathered.output("scores")).write_text("".join(f"{one:g}\n" for one in shown))
    return {"scores": len(scores)}
