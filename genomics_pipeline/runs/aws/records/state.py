"""The state of a run over records on AWS, from Step Functions and the files of ResultWriter."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.asl.record_map import LABEL
from genomics_pipeline.aws.console import execution_link
from genomics_pipeline.aws.executions import describe
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.report.run_state import ItemFailure, Missing, RunState
from genomics_pipeline.runs.aws.chain import (
    aws_map_runs,
    execution_failure,
    results_not_written,
    started_chain,
    with_written_results,
)
from genomics_pipeline.runs.aws.records.ends import failed_records
from genomics_pipeline.runs.aws.records.kept_counts import keep_counts, kept_counts
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.counted_files import counted_files
from genomics_pipeline.runs.map_run_ends import joined_state, map_run_state
from genomics_pipeline.runs.outcome import run_error
from genomics_pipeline.runs.reruns.chain import RunExecution
from genomics_pipeline.stores.protocol import MissingObject

SHOWN_FAILURES = 20  # of a run that ended; all are in `results --failed`


class RecordRunWatcher:
    """A watcher of the state of one run over records.

    A rerun takes all records without a result, or those of some failure classes. So a record of an execution is still
    without a result if no later rerun took its class.

    Args:
        run: The run.
    """

    def __init__(self, run: AwsRun) -> None:
        self._run = run
        self._chain = started_chain(run)
        self._newest = self._chain[-1]
        self._map_runs = MapRuns(self._newest.arn, run.clients)
        self._missing: tuple[Missing, list[ItemFailure]] | None = None

    def now(self) -> RunState:
        """Return the present state of the run.

        Raises:
            RunError: if AWS cannot be reached.
        """
        run = self._run
        execution = describe(self._newest.arn, run.clients)
        described = self._map_runs.describe()
        status, failure = execution["status"], execution_failure(execution)
        labels = list(dict.fromkeys(one.label for one in described)) or [LABEL]
        missing, failures = (None, self._latest(described)) if status == "RUNNING" else self._lacking()
        return RunState(
            run=run.name,
            place=run.files.shown,
            pipeline=run.record.pipeline,
            status=status,
            started=execution["startDate"].timestamp(),
            stopped=execution["stopDate"].timestamp() if "stopDate" in execution else None,
            map_runs=[
                joined_state(label, [map_run_state(one) for one in described if one.label == label]) for label in labels
            ],
            cohort=(),
            failures=[one for one in failures if not one.pending],
            error=run_error(failure, described, dict.fromkeys(labels, RECORD)) if failure else None,
            execution=self._newest.name,
            executions=len(self._chain),
            missing=missing,
            accepted=self._newest.accepted,
            links={"execution": execution_link(self._newest.arn)},
        )

    def records(self) -> Iterator[FailedRecord]:
        """Yield the records without a result, of a run whose newest execution ended.

        Raises:
            RunError: if AWS cannot be reached, or has not written the result files yet.
        """
        try:
            yield from self._ended_records()
        except MissingObject as error:
            raise results_not_written(error) from None

    def _ended_records(self) -> Iterator[FailedRecord]:
        """Yield the records without a result, of the executions since the last that took all of them."""
        for number, (_, runs) in enumerate(ended := self._ended()):
            taken = {label for later, _ in ended[number + 1 :] for label in later.classes}
            for run in runs:
                for one in failed_records(self._run.store, run):
                    if one.label not in taken:
                        yield one

    def _ended(self) -> list[tuple[RunExecution, list[MapRunDescription]]]:
        """Return the executions since the last that took all records, with their Map Runs that ended."""
        first = max(number for number, one in enumerate(self._chain) if not one.classes)
        return [(execution, list(self._ended_map_runs(execution))) for execution in self._chain[first:]]

    def _ended_map_runs(self, execution: RunExecution) -> Iterator[MapRunDescription]:
        clients = self._run.clients
        failure = execution_failure(describe(execution.arn, clients))
        for one in MapRuns(execution.arn, clients).describe():
            if one.status != "RUNNING":
                yield with_written_results(self._run, one, failure)

    def _latest(self, described: list[MapRunDescription]) -> list[ItemFailure]:
        """Return a failure for each of the batches that failed last, while the run is running."""
        failed = [one for one in described if one.executions.unsuccessful]
        causes = (child for one in failed for child in self._map_runs.latest_failures(one.arn))
        return [ItemFailure("a batch", classify(error, cause), RECORD, of_batch=True) for _, error, cause in causes]

    def _lacking(self) -> tuple[Missing | None, list[ItemFailure]]:
        """Return the counts of the records without a result, and the first of them; they are read once."""
        if self._missing is None:
            try:
                counted = self._identity()
                self._missing = kept_counts(self._run, counted) or self._count(counted)
            except MissingObject:  # AWS writes the files after the end of the Map Run
                return None, []
        missing, shown = self._missing
        return (missing if missing.by_scope else None), shown

    def _count(self, counted: str) -> tuple[Missing, list[ItemFailure]]:
        """Return the counts from all rows, and keep them for the next time.

        Args:
            counted: See `_identity`.

        Raises:
            MissingObject: if AWS has not written the files yet.
        """
        first = aws_map_runs(self._run, self._chain[0])
        missing, shown = Missing(sum(one.items.total for one in first)), list[ItemFailure]()
        for one in self._ended_records():
            missing.add(item := one.item())
            if len(shown) < SHOWN_FAILURES:
                shown.append(item)
        keep_counts(self._run, counted, missing, shown)
        return missing, shown

    def _identity(self) -> str:
        """Return the sha256 of all that the records without a result follow from."""
        ended = self._ended()
        if self._chain[0] != ended[0][0]:  # whose records are all those of the run
            ended.insert(0, (self._chain[0], list(aws_map_runs(self._run, self._chain[0]))))
        return counted_files(self._run.store, ((f"{one.arn} {sorted(one.classes)}", runs) for one, runs in ended))
