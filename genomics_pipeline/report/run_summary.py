"""The outcomes of a run, as its table shows them, and the summary that ``run --json`` prints and ``run.json`` keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from genomics_pipeline.model.metric_spec import DeclaredMetrics, declared_json
from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.report.concordance import Concordance
from genomics_pipeline.report.run_state import ItemFailure, Missing


@dataclass(frozen=True, slots=True)
class SampleOutcome:
    """The outcome of one sample.

    Attributes:
        sample: The sample.
        state: SUCCEEDED, FAILED, or PENDING where a stage is missing.
        reused: Whether this execution ran none of its stages: all were done.
        metrics: The metrics of each stage, as the step wrote them.
        verdicts: The verdict on each metric for which the step declares bounds, by stage and name.
        files: Paths by ``<stage>.<output>``.
        seconds: The duration of all its stages together.
        error: The message of its failure; None unless it failed.
    """

    sample: str
    state: str
    reused: bool
    metrics: Mapping[str, Any]
    files: Mapping[str, str]
    seconds: float
    verdicts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object under ``samples`` in a run's summary."""
        members = asdict(self)
        if self.error is None:
            del members["error"]
        return members


@dataclass(frozen=True, slots=True)
class CohortOutcome:
    """The outcome of the stages that run once for the whole cohort.

    Attributes:
        files: Paths by ``<stage>.<output>``.
        metrics: The metrics of each stage, as the step wrote them.
        verdicts: The verdict on each metric for which the step declares bounds, by stage and name.
        truth: The agreement of the joint VCF with a truth set; None where none was given.
        truth_error: The reason why it could not be compared with the given truth set; None where it was.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    truth: Concordance | None = None
    truth_error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object under ``cohort`` in a run's summary."""
        truth = self.truth.to_json() if self.truth else None
        error = {} if self.truth_error is None else {"truth_error": self.truth_error}
        measured = {"metrics": dict(self.metrics), "verdicts": dict(self.verdicts)}
        return {"files": dict(self.files), **measured, "truth": truth, **error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The outcomes of a run, in a folder or on AWS.

    Attributes:
        samples: The outcomes of the samples, in the order of the manifest.
        cohort: The outcome of the stages that run once.
        metrics: The metrics that the steps declare, by scope (``sample``, ``cohort``), stage and name, with the bounds
            of the run.
    """

    samples: Sequence[SampleOutcome]
    cohort: CohortOutcome
    metrics: DeclaredMetrics = field(default_factory=dict)

    def outcomes_json(self) -> dict[str, Any]:
        """Return the members that ``status --json`` and ``run --json`` print of the outcomes."""
        return {
            "metrics": declared_json(self.metrics),
            "samples": [one.to_json() for one in self.samples],
            "cohort": self.cohort.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(Outcomes):
    """The summary of a run in a folder: its outcomes and its newest execution.

    Attributes:
        run: The folder of the run.
        status: The status of the newest execution: SUCCEEDED or FAILED.
        ran: The number of stages that this execution ran, each item of a stage counted.
        reused: The number of those that were done already.
        missing: The items that are not done; None where all are.
        accepted: The greatest ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
        seconds: The duration of this execution.
        error: The message of its failure; None unless it failed.
        injected: The number of times that each kind of fault was injected; None where none was asked for.
        rerun: The samples of the rerun; None where this execution is no rerun.
        reopened: The items whose outputs it found lost or damaged, so that another execution makes them; not printed.
    """

    run: str
    status: str
    ran: int
    reused: int
    missing: Missing | None
    accepted: Mapping[str, float] | None = None
    seconds: float = 0.0
    error: str | None = None
    injected: Mapping[str, int] | None = None
    rerun: ChosenSamples | None = None
    reopened: Sequence[ItemFailure] = ()

    @property
    def is_accepted(self) -> bool:
        """Tell whether the run succeeded with all samples but those that the user accepts to miss."""
        missing = self.missing
        return self.status == "SUCCEEDED" and (missing is None or missing.is_accepted(self.accepted))

    def with_keys(self) -> RunSummary:
        """Return the summary with keys below the run for paths, as its record has them: the folder may be moved."""
        return replace(
            self,
            run=".",
            samples=[replace(one, files=_keys(one.files, self.run)) for one in self.samples],
            cohort=replace(self.cohort, files=_keys(self.cohort.files, self.run)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints."""
        present = {
            "missing": {**self.missing.to_json(), "accepted": self.is_accepted} if self.missing else None,
            "seconds": self.seconds,
            "error": self.error,
            "injected": self.injected,
            "rerun": self.rerun.to_json() if self.rerun else None,
        }
        return {
            "run": self.run,
            "status": self.status,
            "complete": self.missing is None,
            **self.outcomes_json(),
            "steps": {"run": self.ran, "reused": self.reused},
            **{name: value for name, value in present.items() if value is not None},
        }


def _keys(files: Mapping[str, str], run: str) -> dict[str, str]:
    return {name: path.removeprefix(f"{run}/") for name, path in files.items()}
