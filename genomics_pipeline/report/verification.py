"""The verification of a run: its deviations from its records, and one line of verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.quantity import quantity


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a verification.

    Attributes:
        run: The place of the run.
        deviations: Every deviation, in the order of the stages and of their items.
        records: The number of completion records.
        files: The number of files that were compared with them.
        size_bytes: Their size.
        missing: The number of items that are not done, which the user accepted to miss.
        expired: The number of files that only later stages needed, and that have expired.
        quick: True if only sizes were compared, not digests.
        joint_samples: The number of samples of the joint VCF; None where the run has none.
        unchecked: What was not checked, since only other services than the run's bucket know it.
        notes: Facts that are no deviations.
    """

    run: str
    deviations: Sequence[Problem]
    records: int
    files: int
    size_bytes: int
    missing: int
    expired: int
    quick: bool
    joint_samples: int | None
    unchecked: Sequence[str] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``verify --json`` prints."""
        return {
            "run": self.run,
            "verified": not self.deviations,
            "deviations": [{"place": one.file, "message": one.message} for one in self.deviations],
            "records": self.records,
            "files": self.files,
            "size_bytes": self.size_bytes,
            "missing": self.missing,
            "expired": self.expired,
            "quick": self.quick,
            "joint_samples": self.joint_samples,
            "unchecked": list(self.unchecked),
            "notes": list(self.notes),
        }


def verdict(found: Verification) -> str:
    """Return the verdict in one line."""
    if found.deviations:
        return f"not verified: {quantity(len(found.deviations), 'deviation', ',')} from the records of {found.run}"
    compared = "size" if found.quick else "sha256"
    parts = [
        f"{quantity(found.files, 'file', ',')} of {quantity(found.records, 'record', ',')} by {compared}",
        f"{found.size_bytes:,} bytes",
        "definition",
    ]
    if found.joint_samples is not None:
        parts.append(f"joint VCF of {quantity(found.joint_samples, 'sample', ',')}")
    if found.missing:
        parts.append(f"{quantity(found.missing, 'item', ',')} missing, as accepted")
    if found.expired:
        parts.append(f"{quantity(found.expired, 'intermediate file', ',')} expired")
    return f"verified: {', '.join(parts)}"


def unchecked_words(unchecked: Sequence[str]) -> str:
    """Return what was not checked, in one line.

    >>> unchecked_words(["that a", "that b"])
    'not checked, since only the stack knows it: that a; that b'
    """
    return f"not checked, since only the stack knows it: {'; '.join(unchecked)}"
