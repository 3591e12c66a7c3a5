"""The summary of a run in a folder, as `run --json` prints it and `run.json` keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomics_pipeline.runs.outcome import CohortOutcome, SampleOutcome

if TYPE_CHECKING:
    from genomics_pipeline.report.concordance import Concordance
    from genomics_pipeline.report.run_state import Missing


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The outcome of a run: of all its samples and executions.

    Attributes:
        run: The folder of the run.
        status: The status of its newest execution: SUCCEEDED or FAILED.
        samples: The outcomes of the samples, in the order of the manifest.
        cohort: The outcome of the stages that run once.
        ran: How many items stages of this execution ran over.
        reused: How many items they found done.
        missing: The items that are not done; None where all are.
        seconds: The duration of this execution.
        error: Why it failed, if it did.
        truth: Agreement of the joint VCF with planted genotypes, where they were given.
        injected: How often each kind of injected fault has struck; None where none was asked for.
        rerun: The samples of the rerun, as its record has them; None where this is no rerun.
    """

    run: str
    status: str
    samples: Sequence[SampleOutcome]
    cohort: CohortOutcome
    ran: int
    reused: int
    missing: Missing | None
    seconds: float = 0.0
    error: str | None = None
    truth: Concordance | None = None
    injected: Mapping[str, int] | None = None
    rerun: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints."""
        present = {
            "missing": self.missing.to_json() if self.missing else None,
            "seconds": self.seconds,
            "error": self.error,
            "injected": self.injected,
            "rerun": self.rerun,
        }
        return {
            "run": self.run,
            "status": self.status,
            "samples": [one.to_json() for one in self.samples],
            "cohort": {**self.cohort.to_json(), "truth": self.truth.to_json() if self.truth else None},
            "steps": {"run": self.ran, "reused": self.reused},
            **{name: value for name, value in present.items() if value is not None},
        }
