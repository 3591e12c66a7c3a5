"""The outputs of runs, to compare those of two."""

from __future__ import annotations

import json
from pathlib import Path


def output_digests(run: Path) -> dict[str, str]:
    """Return the sha256 of each output, from the completion records, by stage, item and name."""
    return {
        f"{record['stage']}/{record['item']}/{name}": output["sha256"]
        for file in sorted(run.glob("steps/*/*/step.json"))
        for record in [json.loads(file.read_bytes())]
        for name, output in record["outputs"].items()
    }
