"""The check of the rights of a job's role: what a small job is to read and write, and what it found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact

RIGHTS_VARIABLE = "GENOMICS_PIPELINE_RIGHTS"  # in place of the payload of a task


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """The objects that a job checks its rights by.

    Attributes:
        reads: The URIs of objects, of each of which one byte is read.
        report: The URI of the object that is written.
    """

    reads: tuple[str, ...]
    report: str

    def to_text(self) -> str:
        """Return the value of `RIGHTS_VARIABLE`."""
        return compact(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> RightsRequest:
        """Read the value of `RIGHTS_VARIABLE`.

        Raises:
            DataError: for anything else.
        """
        try:
            value = parse_json(text)
            return cls(tuple(map(str, value["reads"])), str(value["report"]))
        except (ValueError, LookupError, TypeError):
            raise DataError(
                f"{RIGHTS_VARIABLE}: expected a JSON object with reads and report, found {text!r}"
            ) from None


@dataclass(frozen=True, slots=True)
class RightsCheck:
    """One check of a job.

    Attributes:
        action: ``read``, ``list`` or ``write``.
        uri: The object or prefix.
        problem: The message about what failed; None where it works.
    """

    action: str
    uri: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RightsReport:
    """The checks of a job.

    Attributes:
        job_id: The Batch job.
        checks: Its checks.
    """

    job_id: str
    checks: Sequence[RightsCheck]

    def to_text(self) -> str:
        """Return the report as a line of JSON."""
        return compact({"job_id": self.job_id, "checks": [asdict(check) for check in self.checks]})


def find_report(texts: Iterator[str], job_id: str) -> RightsReport | None:
    """Return the report of a job among texts, of which others may be anything; None if it is in none of them.

    Args:
        texts: The texts.
        job_id: The job.
    """
    for text in texts:
        try:
            value = json.loads(text)
            checks = [RightsCheck(one["action"], one["uri"], one["problem"]) for one in value["checks"]]
            if value["job_id"] == job_id:
                return RightsReport(job_id, checks)
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
    return None
