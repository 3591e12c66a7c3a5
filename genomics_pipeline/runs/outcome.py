"""The outcome of a run: each sample's state, metrics and files, read from the run's own files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.task import RunPlace, item_id
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.local import LocalStore

COHORT = "cohort"


@dataclass(frozen=True, slots=True)
class SampleOutcome:
    """The outcome of one sample, as ``run --json`` prints it.

    Attributes:
        sample: The sample.
        state: SUCCEEDED, FAILED, or PENDING where a stage is missing.
        reused: Every stage was found done.
        metrics: The metrics of each stage.
        files: Paths by ``<stage>.<output>``.
        seconds: How long its stages took.
        error: Why it failed, if it did.
    """

    sample: str
    state: str
    reused: bool
    metrics: Mapping[str, Any]
    files: Mapping[str, str]
    seconds: float
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints."""
        members = asdict(self)
        if self.error is None:
            del members["error"]
        return members


@dataclass(frozen=True, slots=True)
class CohortOutcome:
    """The outcome of the stages that run once for the whole cohort.

    Attributes:
        files: Paths by ``<stage>.<output>``.
        metrics: The metrics of each stage.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --json`` prints, without the agreement with a truth set."""
        return asdict(self)


def sample_outcomes(
    folder: RunFolder, pipeline: Pipeline, failures: Mapping[str, str], ran: Collection[tuple[str, str]]
) -> Iterator[SampleOutcome]:
    """Yield the outcome of each sample, in the manifest's order.

    Args:
        folder: The run.
        pipeline: The pipeline that was run.
        failures: Messages of the samples that failed.
        ran: The (stage, item) that really ran in this execution; the other finished ones were found done.
    """
    stages = [stage for stage in pipeline.stages if stage.scope == "sample"]
    with folder.manifest.open() as lines:
        for line in lines:
            sample = item_id(json.loads(line))
            done = _completed(folder, stages, sample)
            yield SampleOutcome(
                sample=sample,
                state=_state(sample, failures, len(done) == len(stages)),
                reused=bool(done) and not any((name, sample) in ran for name in done),
                metrics=_metrics(folder, done),
                files=_files(folder, done),
                seconds=round(sum(record.seconds for record in done.values()), 3),
                error=failures.get(sample),
            )


def _state(sample: str, failures: Mapping[str, str], finished: bool) -> str:
    if sample in failures:
        return "FAILED"
    return "SUCCEEDED" if finished else "PENDING"


def cohort_outcome(folder: RunFolder, pipeline: Pipeline) -> CohortOutcome:
    """Return the cohort's files and metrics, of the stages that ran once for all."""
    done = _completed(folder, [stage for stage in pipeline.stages if stage.scope == COHORT], COHORT)
    return CohortOutcome(_files(folder, done), _metrics(folder, done))


def _completed(folder: RunFolder, stages: list[Stage], item: str) -> dict[str, CompletionRecord]:
    """Return the records of the stages that are done over an item."""
    store, place = LocalStore({BUCKET: folder.path}), RunPlace(folder.name, BUCKET, "")
    records = ((stage.name, read_completion(store, place, stage.name, item)) for stage in stages)
    return {stage: record for stage, record in records if record}


def _files(folder: RunFolder, done: Mapping[str, CompletionRecord]) -> dict[str, str]:
    return {
        f"{stage}.{name}": str(folder.path / output.key)
        for stage, record in done.items()
        for name, output in record.outputs.items()
    }


def _metrics(folder: RunFolder, done: Mapping[str, CompletionRecord]) -> dict[str, Any]:
    return {
        stage: json.loads((folder.path / output.key).read_bytes())
        for stage, record in done.items()
        if (output := record.outputs.get("metrics")) and output.key.endswith(".json")
    }


def explain(error: str, cause: str) -> str:
    """Return the message of a failed child or execution.

    >>> explain("States.TaskFailed", '{"stage": "alignment", "cause": "R2 is short"}')
    'alignment: R2 is short'
    """
    return failure_message(classify(error, cause))


def failure_message(failure: Failure) -> str:
    """Return a failure's message, after its stage."""
    return f"{failure.stage}: {failure.message}" if failure.stage else failure.message
