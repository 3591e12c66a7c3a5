"""How a run on AWS stands: asked of Step Functions, its failures read from ResultWriter's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from genomics_pipeline.aws.executions import describe
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.model.classify import classify
from genomics_pipeline.runs.chain import answers, earlier, result_details, since_whole, started_chain
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
from genomics_pipeline.runs.run_files import run_files
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
        self._chain = started_chain(run)
        self._newest = self._chain[-1]
        self._map_runs = MapRuns(self._newest.arn, run.clients)
        self._failures: dict[str, list[ItemFailure]] = {}
        before = earlier(self._files, since_whole(self._chain), partial(answers, run))  # they have ended
        self._before, self._failed_before = before, self._told(before.all_failures())

    def now(self) -> RunState:
        """The run's state now.

        Raises:
            RunError: if AWS cannot be asked.
        """
        run = self._run
        execution = describe(self._newest.arn, run.clients)
        described = {map_run_label(one["mapRunArn"]): one for one in self._map_runs.describe()}
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
            map_runs=[self._before.with_newest(_state(one, described)) for one in labels],
            cohort=[(stage, done(self._files, stage)) for stage in cohort],
            failures=[
                *self._failed_before,
                *(one for answer in described.values() for one in self._failed(answer)),
                *once,
            ],
            error=words(once[0].failure if once else failure) if failure else None,
            execution=self._newest.name,
            executions=len(self._chain),
        )

    def _failed(self, answer: dict[str, Any]) -> list[ItemFailure]:
        """The failures of a Map Run: all once its files are written, the latest while it runs."""
        arn, counts = answer["mapRunArn"], answer["executionCounts"]
        if answer["status"] == "RUNNING":
            return self._latest(arn) if counts["failed"] else []
        if arn not in self._failures:
            try:
                details = {"resultWriterDetails": result_details(self._run, arn)}
                found = failures_of(self._run.store, {**answer, **details})
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


def _state(label: str, described: Mapping[str, Any]) -> MapRunState:
    return map_run_state(described[label]) if label in described else MapRunState(label, "PENDING")
