"""The port through which commands read a run, in a folder or on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.run_files import RunFiles


class ReadableRun(Protocol):
    """A run that is read, in a folder of this machine or on AWS."""

    @property
    def files(self) -> RunFiles:
        """The files of the run."""

    @property
    def requested_pipeline(self) -> str:
        """A shipped pipeline's name, or the absolute path of a pipeline file, of the run.

        Raises:
            RunError: if nothing was run yet.
        """

    def state(self) -> RunState:
        """Return the present state of the run; a later call reads only what may have changed.

        Raises:
            RunError: if the run has no execution yet, or AWS cannot be reached.
        """

    def state_with(self, times: TimesByStage) -> RunState:
        """Return the present state of the run, and add the completion records that are read for it.

        Args:
            times: Gathers the times of the tasks, and what else it takes from their records.

        Raises:
            RunError: see `state`.
        """

    def declared_metrics(self) -> DeclaredMetrics:
        """Return the metrics that the steps of the run declare, as its record has them; none until it has them.

        Raises:
            UnreadableRecord: if the record of the run has its metrics in an unknown form.
        """

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield what identifies the run in its record, each with a name: its sheet, reference, digest and command.

        Raises:
            RunError: if nothing was run yet.
        """

    def failed_items(self) -> list[ItemFailure]:
        """Return the items that are known to have failed; read no record of others, as `state` does after the end.

        Raises:
            RunError: if the run has no execution yet, or AWS cannot be reached.
        """

    def failures(self) -> Iterator[ItemFailure]:
        """Yield every item that failed or never started, in bounded memory.

        An item of a failed batch may have succeeded nevertheless: see `runs.item_ends.unfinished_items`.

        Raises:
            RunError: if AWS cannot be reached, or has not written the result files yet.
        """

    def started_children(self) -> tuple[int, dict[str, int]]:
        """Return the number of executions on AWS, and that of their child executions by Label; none of a folder.

        Raises:
            RunError: if AWS cannot be reached, or does not know an execution any more.
        """


class VerifiableRun(ReadableRun, Protocol):
    """A run whose definition can be compared with what was run."""

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The parts that `definition_problems` cannot check, in words; nothing where it checks all."""

    def definition_problems(self) -> Iterator[Problem]:
        """Yield the deviations of the definition from what was run; on AWS also of what is deployed, if that is asked.

        Raises:
            RunError: if nothing was run yet, or AWS cannot be reached.
        """
