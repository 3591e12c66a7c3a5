"""How a run on AWS stands: asked of Step Functions, its failures read from ResultWriter's files."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from genomics_pipeline.aws.executions import describe
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.model.classify import classify
from genomics_pipeline.runs.find_run import CloudRun
from genomics_pipeline.runs.local_state import done
from genomics_pipeline.runs.map_run_answer import (
    failures_of,
    failures_of_child,
    failures_once,
    map_run_label,
    map_run_state,
)
from genomics_pipeline.runs.outcome import words
from genomics_pipeline.runs.run_files import RunFiles, run_files
from genomics_pipeline.runs.run_state import ItemFailure, MapRunState, RunState
from genomics_pipeline.stores.protocol import MissingObject

THREADS = 16


class CloudState:
    """Looks at one run again and again, asking only for what may have changed.

    Args:
        run: The run.
    """

    def __init__(self, run: CloudRun) -> None:
        self._run = run
        self._files = run_files(run)
        self._groups = self._files.groups()
        self._map_runs = MapRuns(run.record["execution_arn"], run.clients)
        self._failures: dict[str, list[ItemFailure]] = {}

    def now(self) -> RunState:
        """The run's state now.

        Raises:
            RunError: if AWS cannot be asked.
        """
        run = self._run
        execution = describe(run.record["execution_arn"], run.clients)
        answers = {map_run_label(one["mapRunArn"]): one for one in self._map_runs.describe()}
        labels = [group.label for group in self._groups if group.label is not None]
        cohort = [stage for group in self._groups if group.label is None for stage in group.stages]
        failed = execution["status"] not in ("RUNNING", "SUCCEEDED")
        failure = classify(execution.get("error", ""), execution.get("cause", "")) if failed else None
        once = self._told(failures_once(failure, cohort))
        return RunState(
            run=run.name,
            place=self._files.shown,
            pipeline=run.record["pipeline"],
            status=execution["status"],
            started=execution["startDate"].timestamp(),
            stopped=execution["stopDate"].timestamp() if "stopDate" in execution else None,
            map_runs=[map_run_state(answers[one]) if one in answers else MapRunState(one, "PENDING") for one in labels],
            cohort=[(stage, done(self._files, stage)) for stage in cohort],
            failures=[*(one for answer in answers.values() for one in self._failed(answer)), *once],
            error=words(once[0].failure if once else failure) if failure else None,
        )

    def _failed(self, answer: dict[str, Any]) -> list[ItemFailure]:
        """The failures of a Map Run: all once its files are written, the latest while it runs."""
        arn, counts = answer["mapRunArn"], answer["executionCounts"]
        if answer["status"] == "RUNNING":
            return self._latest(arn) if counts["failed"] else []
        if arn not in self._failures:
            try:
                found = failures_of(self._run.store, {**answer, **_details(self._files, arn)})
                self._failures[arn] = self._told(found)
            except MissingObject:  # files may be written after the Map Run's end: the next look finds them
                return self._latest(arn)
        return self._failures[arn]

    def _latest(self, arn: str) -> list[ItemFailure]:
        return self._told(one for told in self._map_runs.latest_failures(arn) for one in failures_of_child(*told))

    def _told(self, failures: Iterable[ItemFailure]) -> list[ItemFailure]:
        """The failures in the workers' words: Batch tells a container's exit code, no more."""
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(self._in_words, failures))

    def _in_words(self, one: ItemFailure) -> ItemFailure:
        stage = one.failure.stage
        return replace(one, failure=self._files.told(stage, one.item, one.failure)) if stage else one


def _details(files: RunFiles, arn: str) -> dict[str, Any]:
    """Where ResultWriter writes a Map Run's files."""
    label, uuid = map_run_label(arn), arn.rpartition(":")[2]
    key = f"{files.place.prefix}map-runs/{label}/{uuid}/manifest.json"
    return {"resultWriterDetails": {"Bucket": files.place.bucket, "Key": key}}
