"""A run on AWS that is read from its bucket alone: no right but those of S3 is needed, and no stack."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.aws.bucket_state import BucketLook
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.run_files import RunFiles


class BucketRun:
    """A run in a bucket; implements `runs.readable_run.ReadableRun`.

    Args:
        run: The run.
    """

    def __init__(self, run: AwsRun) -> None:
        self._run = run
        self.files: RunFiles = run.files

    @property
    def requested_pipeline(self) -> str:
        """The pipeline in the record of the run."""
        return self._run.record.requested_pipeline

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The parts that only the stack tells."""
        return (
            "that the deployed definition is that of the run",
            "that the deployed images are those of this installation",
        )

    def definition_problems(self) -> Iterator[Problem]:
        """Compare the definition with the digest in the record of the run."""
        return self._run.definition_problems()

    def state(self) -> RunState:
        """Read the state from the records and the result files."""
        return BucketLook(self._run).state()

    def state_with(self, times: TimesByStage) -> RunState:
        """Read the state, and give the records that are read for it to `times`."""
        return BucketLook(self._run, times).state()

    def declared_metrics(self) -> DeclaredMetrics:
        """Return the metrics in the record of the run."""
        return self._run.record.metrics

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield what the record of the run says."""
        return self._run.facts()

    def failed_items(self) -> list[ItemFailure]:
        """Read the failures from the files of ResultWriter, and that of the cohort from its record."""
        return BucketLook(self._run).failed_items()

    def failures(self) -> Iterator[ItemFailure]:
        """Read the failures from the files of ResultWriter and the records of items that are not done."""
        return BucketLook(self._run).failures()

    def started_children(self) -> tuple[int, dict[str, int]]:
        """Count the child executions in the files of ResultWriter."""
        return BucketLook(self._run).children()
