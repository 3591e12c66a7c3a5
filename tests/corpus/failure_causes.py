"""The corpus of causes: messages of AWS, its agents, programs and this package about failures, each with its class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "causes"


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of a failure.

    Attributes:
        name: A short description.
        error: ``Error``.
        cause: ``Cause``.
        failure_class: The expected failure class.
        source: The source: a repository's file, issue or pull request, or a page of documentation.
    """

    name: str
    error: str
    cause: str
    failure_class: str
    source: str

    @property
    def job(self) -> dict[str, Any] | None:
        """The detail of a Batch job, if the cause is one."""
        detail = json.loads(self.cause) if self.cause.startswith("{") else {}
        return detail if "JobId" in detail else None


def causes() -> Iterator[Cause]:
    """Yield every cause of the corpus; JSON is converted to its text, as Step Functions reports it."""
    for file in sorted(HERE.glob("*.json")):
        for entry in json.loads(file.read_text("utf-8")):
            cause = entry["cause"]
            text = cause if isinstance(cause, str) else json.dumps(cause, separators=(",", ":"))
            yield Cause(f"{file.stem}: {entry['name']}", entry["error"], text, entry["class"], entry["source"])
