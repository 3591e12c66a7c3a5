"""`verification.json`: the verdict of the newest verification of a run, which its report shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import RecordKind, UnreadableRecord, find_fields, record_text
from genomics_pipeline.stores.protocol import Store

KEPT = 10
SLACK_S = 2  # records of runs have whole seconds, and services have clocks of their own
KIND = RecordKind("the verdict of a verification", "verify the run again")


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """The verdict of a verification.

    Attributes:
        at: Its beginning, ISO 8601 in UTC.
        version: The version of this package that verified.
        execution: The run's newest execution then.
        verdict: The verdict in one line.
        verified: Whether nothing deviated.
        definition: sha256 of the definition, as canonical JSON.
        unchecked: The parts that were not checked.
        deviations: The first `KEPT` deviations, each with its place.
    """

    at: str
    version: str
    execution: str
    verdict: str
    verified: bool
    definition: str
    unchecked: Sequence[str] = ()
    deviations: Sequence[str] = ()

    def is_of(self, execution: str, stopped: float | None) -> bool:
        """Return whether the run is still the one that was verified.

        Args:
            execution: The newest execution of the run.
            stopped: Its end, in seconds since the epoch; None while it is running.
        """
        at = datetime.fromisoformat(self.at).timestamp() + SLACK_S
        return execution == self.execution and stopped is not None and stopped <= at


def write_verification(store: Store, run: RunPlace, record: VerificationRecord) -> None:
    """Write ``verification.json``."""
    store.write(run.uri(run_layout.VERIFICATION), record_text(asdict(record)).encode())


def read_verification(store: Store, run: RunPlace) -> VerificationRecord | None:
    """Return the verdict of the newest verification of a run; None if there is none that can be read."""
    try:
        fields = find_fields(store, run.uri(run_layout.VERIFICATION), KIND)
        if fields is None:
            return None
        return VerificationRecord(
            fields.time("at"),
            fields.text("version"),
            fields.text("execution"),
            fields.text("verdict"),
            fields.flag("verified"),
            fields.sha256("definition"),
            fields.texts("unchecked"),
            fields.texts("deviations"),
        )
    except UnreadableRecord:
        return None
