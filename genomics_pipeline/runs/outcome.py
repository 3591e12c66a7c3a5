"""What became of a run: each sample's state, metrics and files, read from the run's own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.runs.run_folder import RunFolder

Summary = dict[str, Any]
NO_COHORT: Summary = {"files": {}, "metrics": {}, "truth": None}


def sample_rows(
    folder: RunFolder, pipeline: Pipeline, failures: Mapping[str, str], ran: set[tuple[str, str]]
) -> Iterator[Summary]:
    """One row a sample, in the manifest's order.

    Args:
        folder: The run.
        pipeline: What was run.
        failures: Item -> message, of what failed.
        ran: The (stage, item) that really ran in this execution; the other finished ones were found done.
    """
    stages = [stage for stage in pipeline.stages if stage.scope == "sample"]
    with folder.manifest.open() as lines:
        for line in lines:
            sample = json.loads(line)["sample"]
            done = {stage.name: record for stage in stages if (record := completion(folder, stage, sample))}
            row: Summary = {
                "sample": sample,
                "state": _state(sample, failures, len(done) == len(stages)),
                "reused": bool(done) and not any((name, sample) in ran for name in done),
                "metrics": _metrics(folder, done),
                "files": _files(folder, done),
                "seconds": round(sum(record["seconds"] for record in done.values()), 3),
            }
            yield row | ({"error": failures[sample]} if sample in failures else {})


def _state(sample: str, failures: Mapping[str, str], finished: bool) -> str:
    if sample in failures:
        return "FAILED"
    return "SUCCEEDED" if finished else "PENDING"


def cohort_row(folder: RunFolder, pipeline: Pipeline) -> Summary:
    """The cohort's files and metrics, of the stages that ran once for all."""
    stages = [stage for stage in pipeline.stages if stage.scope == "cohort"]
    done = {stage.name: record for stage in stages if (record := completion(folder, stage, "cohort"))}
    return {"files": _files(folder, done), "metrics": _metrics(folder, done), "truth": None}


def completion(folder: RunFolder, stage: Stage, item: str) -> Summary | None:
    """The completion record of one stage over one item, if it has one."""
    try:
        found: Summary = json.loads((folder.path / run_layout.completion_record(stage.name, item)).read_bytes())
    except FileNotFoundError:
        return None
    return found


def _files(folder: RunFolder, done: Mapping[str, Summary]) -> dict[str, str]:
    return {
        f"{stage}.{name}": str(folder.path / output["key"])
        for stage, record in done.items()
        for name, output in record["outputs"].items()
    }


def _metrics(folder: RunFolder, done: Mapping[str, Summary]) -> dict[str, Any]:
    return {
        stage: json.loads((folder.path / output["key"]).read_bytes())
        for stage, record in done.items()
        if (output := record["outputs"].get("metrics")) and output["key"].endswith(".json")
    }


def explain(error: str, cause: str) -> str:
    """The message of a failed child or execution.

    >>> explain("States.TaskFailed", '{"stage": "alignment", "cause": "R2 is short"}')
    'alignment: R2 is short'
    """
    return words(classify(error, cause))


def words(failure: Failure) -> str:
    """A failure's message, after its stage."""
    return f"{failure.stage}: {failure.message}" if failure.stage else failure.message
