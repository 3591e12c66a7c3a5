"""The corpus of causes: the words of AWS, its agents, programs and this package for failures, each with its class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "causes"


@dataclass(frozen=True, slots=True)
class Cause:
    """One failure.

    Attributes:
        name: What it shows.
        error: ``Error``.
        cause: ``Cause``.
        failure_class: The class that it is.
        source: Where it was seen: a repository's file, issue or pull request, or a page of documentation.
    """

    name: str
    error: str
    cause: str
    failure_class: str
    source: str

    @property
    def job(self) -> dict[str, Any] | None:
        """Return the job's detail, where the cause is one."""
        found = json.loads(self.cause) if self.cause.startswith("{") else {}
        return found if "JobId" in found else None


def causes() -> Iterator[Cause]:
    """Return every failure of the corpus; a cause written as JSON becomes its text, as Step Functions gives it."""
    for file in sorted(HERE.glob("*.json")):
        for entry in json.loads(file.read_text("utf-8")):
            cause = entry["cause"]
            text = cause if isinstance(cause, str) else json.dumps(cause, separators=(",", ":"))
            yield Cause(f"{file.stem}: {entry['name']}", entry["error"], text, entry["class"], entry["source"])
