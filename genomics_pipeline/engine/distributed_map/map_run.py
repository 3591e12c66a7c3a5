"""A Map Run: it runs its child executions, counts their ends and writes the result files."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from genomics_pipeline.engine.distributed_map.child import ChildRunner
from genomics_pipeline.engine.distributed_map.children import ChildInput, Children
from genomics_pipeline.engine.distributed_map.counts import counts
from genomics_pipeline.engine.distributed_map.map_run_journal import MapRunJournal
from genomics_pipeline.engine.distributed_map.result_rows import WriterRow, ended_row, pending_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination, WriterConfig, state_output
from genomics_pipeline.engine.distributed_map.sequential_children import run_sequentially
from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure
from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.engine.interpreter import EFFECTS
from genomics_pipeline.engine.row_file import Framing
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation, run_workers
from genomics_pipeline.engine.states.map_items import processor
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import THRESHOLD_EXCEEDED, StatesError
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas, run_layout

_EXCEEDED = "The specified tolerated failure threshold was exceeded"


@dataclass(frozen=True, slots=True)
class MapRunPlan:
    """The evaluated fields of a Distributed Map state."""

    tolerated: ToleratedFailure
    max_concurrency: int
    config: WriterConfig
    destination: Destination | None
    children: Children

    @classmethod
    def of(cls, visit: Visit) -> MapRunPlan:
        """Evaluate the fields of a Map state.

        Raises:
            StatesError: if a field, or the items in the state's data, are invalid.
        """
        limit = visit.field(visit.state, "MaxConcurrency", 0)
        return cls(ToleratedFailure.of(visit), limit, WriterConfig.of(visit), Destination.of(visit), Children(visit))


def label_of(visit: Visit) -> str:
    """Return the ``Label`` of a Distributed Map; a UUID if the state has none, as on AWS; the same one each time."""
    root = visit.execution.machine.partition("/")[0]
    return visit.state.get("Label") or str(uuid5(NAMESPACE_OID, f"{root}/{visit.name}"))


class MapRun:
    """A Map Run in progress.

    Attributes:
        arn: Its ARN.
        label: Its label; see `label_of`.
        machine: Name of the children's state machine: ``NAME/LABEL``.
        journal: The journal of its children.
    """

    def __init__(self, visit: Visit, uuid: str, started: float) -> None:
        state, execution = visit.state, visit.execution
        root = execution.machine.partition("/")[0]
        self.label = label_of(visit)
        self.machine = f"{root}/{self.label}"
        self.arn = f"{ARN}:mapRun:{self.machine}:{uuid}"
        self._processor = processor(state)
        self._express = self._processor["ProcessorConfig"].get("ExecutionType") == "EXPRESS"
        framing = Framing.of(WriterConfig.of(visit).output_type)
        self.journal = MapRunJournal(execution.engine.folder, uuid, framing, express=self._express)
        self._visit = visit
        self._uuid = uuid
        self._started = started
        self._aborting = False
        self._has_results = False  # its result files are written: not if an item cannot be read or batched
        self._children: int | None = None
        self._limit: int | None = None  # MaxConcurrency since an update
        self._ended = asyncio.Event()
        self._first = 0

    def limit_concurrency(self, limit: int) -> None:
        """Set MaxConcurrency, as UpdateMapRun does: children that run go on, others begin when fewer run.

        Args:
            limit: The new value, at most that of the state; 0 for no limit.
        """
        self._limit = limit
        self._ended.set()

    async def _next(self, inputs: Iterator[ChildInput]) -> ChildInput | None:
        """Return the next child once fewer run than an updated MaxConcurrency allows; None if there is no other."""
        while self._limit and len(self.journal.running) >= self._limit:
            self._ended.clear()
            await self._ended.wait()
        return next(inputs, None)

    def count_items(self, items: int) -> None:
        """Count the items in the execution, whose children follow those of earlier Map Runs of the same Label."""
        counts = self._visit.execution.engine.items
        self._first = counts[self.label]
        counts[self.label] += items

    def _is_over_threshold(self, plan: MapRunPlan) -> bool:
        return plan.tolerated.is_exceeded(self.failed, plan.children.total_items)

    def is_aborted(self) -> bool:
        """Return whether AWS aborts its children: because of too many failures, or with its execution or branch."""
        return self._aborting or self._visit.execution.is_aborted(self._visit.path)

    @property
    def failed(self) -> int:
        """The number of items that failed or timed out, but not of those that were aborted."""
        return self.journal.items["FAILED"] + self.journal.items["TIMED_OUT"]

    async def run(self, plan: MapRunPlan) -> None:
        """Run the children that have not ended, then write the result files if the state has a ResultWriter.

        Raises:
            StatesError: ``States.ExceedToleratedFailureThreshold``, ``States.ResultWriterFailed``.
        """
        execution = self._visit.execution
        runner = ChildRunner(
            execution.engine,
            self._processor,
            self.machine,
            self.label,
            self._express,
            execution.query_language,
            self.journal,
            self._uuid,
            self.is_aborted,
            self._first,
        )
        inputs = plan.children.inputs(self.journal.has_ended)
        if not self._is_over_threshold(plan):
            if all(state["Type"] not in EFFECTS for state in self._processor["States"].values()):
                total = plan.children.total_items
                await run_sequentially(runner, inputs, self.failed, lambda n: plan.tolerated.is_exceeded(n, total))
            else:
                await self._run_concurrently(plan, runner, inputs)
        await self.write_results(plan)
        if self._is_over_threshold(plan):
            raise StatesError(THRESHOLD_EXCEEDED, _EXCEEDED)

    async def write_results(self, plan: MapRunPlan) -> None:
        """Write the result files if the state has a ResultWriter.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        self.journal.restore_earlier_ends()
        if plan.destination:
            await finish_before_cancellation(asyncio.to_thread(self._write, plan, plan.destination))

    def _write(self, plan: MapRunPlan, destination: Destination) -> None:
        """Write the result files, except the rows of successes that were written before the redrive."""
        folders = [run_layout.redrive_folder(self._uuid, redrive) for redrive in range(self.journal.redrives.count + 1)]
        since: float = 0
        before = None
        for redrive, folder in reversed(list(enumerate(folders[:-1], 1))):
            if (before := destination.succeeded_files(folder)) is not None:
                since = redrive
                break
        scratch = self._visit.execution.engine.folder
        whole = self.journal.finished_rows(since)
        if whole is not None and destination.is_result_file(whole):
            since = math.inf
        else:
            whole = None
        destination.write(self.arn, folders[-1], self._rows(plan, since), scratch, before, whole)
        self._has_results = True

    async def _run_concurrently(self, plan: MapRunPlan, runner: ChildRunner, inputs: Iterator[ChildInput]) -> None:
        """Run children with effects concurrently.

        After too many failures, or a failure to evaluate the next input, no child is started, and running Standard
        children are aborted.
        """
        run = runner.run_within_limit if runner.express else runner.run
        failures: list[StatesError] = []

        async def run_child(child_input: ChildInput) -> None:
            child, items = runner.start(child_input), child_input.items
            self.journal.running[child_input.index] = items
            try:
                end = runner.end(child, items, await run(child))
            except asyncio.CancelledError:
                if self.is_aborted():
                    await finish_before_cancellation(runner.save([runner.abortion(child, items)]))
                raise
            await finish_before_cancellation(runner.save([end]))

        async def worker() -> None:
            try:
                while (child_input := await self._next(inputs)) is not None:
                    await run_child(child_input)
                    self._ended.set()
                    if self._is_over_threshold(plan):
                        raise StatesError(THRESHOLD_EXCEEDED, _EXCEEDED)
            except StatesError as failure:
                failures.append(failure)
                if not runner.express:
                    self._aborting = True
                    raise

        limit = min(plan.max_concurrency or quotas.MAP_RUN_CONCURRENCY.value, quotas.MAP_RUN_CONCURRENCY.value)
        with suppress(StatesError):
            await run_workers(worker, min(limit, plan.children.total_items))
        if failures and not self._is_over_threshold(plan):
            raise failures[0]

    def _rows(self, plan: MapRunPlan, since: float) -> Iterator[tuple[str, WriterRow]]:
        for end in self.journal.in_order(since):
            yield ("SUCCEEDED", self.journal.row(end)) if "row" in end else ended_row(end, self.machine)
        if self.journal.items.total() == plan.children.total_items:
            return  # without another look at the items
        for child_input in plan.children.inputs(self.journal.has_ended):
            yield pending_row(child_input.value)

    def result(self, plan: MapRunPlan) -> Any:
        """Return the Map state's result."""
        if plan.destination:
            return {"MapRunArn": self.arn, "ResultWriterDetails": self._details(plan.destination)}
        rows = (("SUCCEEDED", self.journal.row(end)) for end in self.journal.in_order() if "row" in end)
        try:
            return state_output(rows, self._visit.name, plan.config.transformation)
        finally:
            self.journal.close_rows()

    def _details(self, destination: Destination) -> dict[str, str]:
        return destination.manifest(run_layout.redrive_folder(self._uuid, self.journal.redrives.count))

    def description(self, status: str, plan: MapRunPlan, items: int | None) -> dict[str, Any]:
        """Return the members of DescribeMapRun, the label, the transitions and ResultWriterDetails.

        Args:
            status: Its status.
            plan: The evaluated fields of the state.
            items: The number of items; None if they could not be read.
        """
        ended = status != "RUNNING"
        if ended:
            self.journal.restore_earlier_ends()
        running = {} if ended else self.journal.running
        redriven = {index: child for index, child in self.journal.redriven.items() if index not in running}
        waiting = sum(child.items for child in redriven.values())
        written = ended and self._has_results
        description: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": self._visit.execution.arn,
            "label": self.label,
            "status": status,
            "startDate": format_timestamp(self._started),
            **({"stopDate": format_timestamp(self._visit.execution.engine.clock.now())} if ended else {}),
            "maxConcurrency": plan.max_concurrency if self._limit is None else self._limit,
            "toleratedFailurePercentage": plan.tolerated.percentage or 0,
            "toleratedFailureCount": plan.tolerated.count or 0,
            "itemCounts": counts(
                self.journal.items, sum(running.values()), items or 0, written=written, redriven=waiting
            ),
            "executionCounts": counts(
                self.journal.children, len(running), self._total(plan, items), written=written, redriven=len(redriven)
            ),
            **self.journal.redrives.description(),
            "transitions": self.journal.transitions,
        }
        if written and plan.destination:
            description["resultWriterDetails"] = self._details(plan.destination)
        return description

    def _total(self, plan: MapRunPlan, items: int | None) -> int:
        """Return the number of children, including those that have not started."""
        if self._children is None:
            self._children = sum(self.journal.children.values())
            if sum(self.journal.items.values()) < (items or 0):
                with suppress(StatesError):  # the count stops at an input that cannot be evaluated
                    for _ in plan.children.inputs(self.journal.has_ended):
                        self._children += 1
        return self._children
