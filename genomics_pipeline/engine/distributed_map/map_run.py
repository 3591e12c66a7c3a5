"""The Distributed Map: a Map Run and its child executions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from genomics_pipeline.engine.distributed_map.child import ChildRunner
from genomics_pipeline.engine.distributed_map.children import ChildInput, Children
from genomics_pipeline.engine.distributed_map.counts import counts
from genomics_pipeline.engine.distributed_map.map_run_journal import MapRunJournal
from genomics_pipeline.engine.distributed_map.result_writer import (
    Destination,
    WriterConfig,
    WriterRow,
    ended_row,
    pending_row,
    state_output,
)
from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure
from genomics_pipeline.engine.events import MapRunEnded, MapRunStarted
from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.engine.interpreter import EFFECTS
from genomics_pipeline.engine.redrive import needs_new_map_run
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation, run_workers
from genomics_pipeline.engine.states.map_items import processor
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import THRESHOLD_EXCEEDED, StatesError
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas, run_layout

_SEQUENTIAL_BATCH = 1000  # children of states without effects that share one write to the journal
_EXCEEDED = "The specified tolerated failure threshold was exceeded"


@dataclass(frozen=True, slots=True)
class MapRunPlan:
    """The fields of a Map state, once they are evaluated."""

    tolerated: ToleratedFailure
    max_concurrency: int
    config: WriterConfig
    destination: Destination | None
    children: Children

    @classmethod
    def of(cls, visit: Visit) -> MapRunPlan:
        """Return the plan of a Map state, its items looked at.

        Raises:
            StatesError: if a field or the items are not what they must be.
        """
        limit = visit.field(visit.state, "MaxConcurrency", 0)
        return cls(ToleratedFailure.of(visit), limit, WriterConfig.of(visit), Destination.of(visit), Children(visit))


class MapRun:
    """One Map Run at work.

    Attributes:
        arn: Its ARN.
        label: The Map's ``Label``; where it has none, a UUID that is the same each time, as AWS makes one.
        ends: How its children ended.
    """

    def __init__(self, visit: Visit, uuid: str, started: float) -> None:
        state, execution = visit.state, visit.execution
        root = execution.machine.partition("/")[0]
        self.label: str = state.get("Label") or str(uuid5(NAMESPACE_OID, f"{root}/{visit.name}"))
        self.machine = f"{root}/{self.label}"
        self.arn = f"{ARN}:mapRun:{self.machine}:{uuid}"
        self._processor = processor(state)
        self._express = self._processor["ProcessorConfig"].get("ExecutionType") == "EXPRESS"
        self.journal = MapRunJournal(execution.engine.folder / run_layout.map_run_journal(uuid), express=self._express)
        self._visit = visit
        self._uuid = uuid
        self._started = started
        self._aborting = False
        self._children: int | None = None

    def _is_over_threshold(self, plan: MapRunPlan) -> bool:
        return plan.tolerated.is_exceeded(self.failed, plan.children.total_items)

    @property
    def failed(self) -> int:
        """How many items failed or timed out; those that were aborted apart."""
        return self.journal.items["FAILED"] + self.journal.items["TIMED_OUT"]

    async def run(self, plan: MapRunPlan) -> None:
        """Run the children that have not ended, and write the result files, if any are wanted.

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
        )
        inputs = plan.children.inputs(self.journal.ended)
        if not self._is_over_threshold(plan):
            if all(state["Type"] not in EFFECTS for state in self._processor["States"].values()):
                await self._run_sequentially(plan, runner, inputs)
            else:
                await self._run_concurrently(plan, runner, inputs)
        await self.write_results(plan)
        if self._is_over_threshold(plan):
            raise StatesError(THRESHOLD_EXCEEDED, _EXCEEDED)

    async def write_results(self, plan: MapRunPlan) -> None:
        """Write the result files, if any are wanted.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        self.journal.settle()
        if plan.destination:
            await finish_before_cancellation(asyncio.to_thread(self._write, plan, plan.destination))

    def _write(self, plan: MapRunPlan, destination: Destination) -> None:
        """What succeeded before a redrive, and was written then, stays where it is."""
        folders = [run_layout.redrive_folder(self._uuid, redrive) for redrive in range(self.journal.redrives.count + 1)]
        since, before = 0, None
        for redrive, folder in reversed(list(enumerate(folders[:-1], 1))):
            if (before := destination.succeeded(folder)) is not None:
                since = redrive
                break
        scratch = self._visit.execution.engine.folder
        destination.write(self.arn, folders[-1], self._rows(plan, since), scratch, before)

    async def _run_sequentially(self, plan: MapRunPlan, runner: ChildRunner, inputs: Iterator[ChildInput]) -> None:
        """Children that wait for nothing run one after the other; while some are written, the next ones run."""
        failed, total = self.failed, plan.children.total_items
        writing = asyncio.ensure_future(asyncio.sleep(0))
        try:
            while not plan.tolerated.is_exceeded(failed, total) and (batch := list(islice(inputs, _SEQUENTIAL_BATCH))):
                ended = []
                for given in batch:
                    child = runner.start(given)
                    record = runner.record(child, given.items, at_once(runner.run(child)))
                    ended.append((child, record))
                    if record["status"] == "FAILED":
                        failed += given.items
                        if plan.tolerated.is_exceeded(failed, total):
                            break
                await finish_before_cancellation(writing)
                writing = asyncio.ensure_future(runner.save(ended))
                await asyncio.sleep(0)  # the write begins
        finally:  # also where the next child's input cannot be made
            await finish_before_cancellation(writing)

    async def _run_concurrently(self, plan: MapRunPlan, runner: ChildRunner, inputs: Iterator[ChildInput]) -> None:
        """Children that wait run at the same time.

        When too many failed, or the next one's input cannot be made, none is started, and Standard ones are stopped.
        """
        outcome = runner.run_within_limit if runner.express else runner.run
        failures: list[StatesError] = []

        async def one(given: ChildInput) -> None:
            child = runner.start(given)
            self.journal.running[given.place] = given.items
            try:
                record = runner.record(child, given.items, await outcome(child))
            except asyncio.CancelledError:
                if self._aborting or runner.engine.stop:
                    await finish_before_cancellation(runner.save([(child, runner.aborted_record(child, given.items))]))
                raise
            await finish_before_cancellation(runner.save([(child, record)]))

        async def worker() -> None:
            try:
                for given in inputs:
                    await one(given)
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

    def _rows(self, plan: MapRunPlan, since: int) -> Iterator[tuple[str, WriterRow]]:
        for end in self.journal.in_order(since):
            yield ended_row(end, self.machine)
        for given in plan.children.inputs(self.journal.ended):
            yield pending_row(given.value)

    def result(self, plan: MapRunPlan) -> Any:
        """Return the Map state's result."""
        if plan.destination:
            return {"MapRunArn": self.arn, "ResultWriterDetails": self._details(plan.destination)}
        rows = (ended_row(end, self.machine) for end in self.journal.in_order() if end["status"] == "SUCCEEDED")
        return state_output(rows, self._visit.name, plan.config.transformation)

    def _details(self, destination: Destination) -> dict[str, str]:
        return destination.manifest(run_layout.redrive_folder(self._uuid, self.journal.redrives.count))

    def description(self, status: str, plan: MapRunPlan, items: int | None) -> dict[str, Any]:
        """Return the Map Run as DescribeMapRun gives it, with its label, transitions and ResultWriterDetails.

        Args:
            status: Its status.
            plan: What it was to do.
            items: How many items it had; None if they could not be read.
        """
        ended = status != "RUNNING"
        if ended:
            self.journal.settle()
        running = {} if ended else self.journal.running
        redriven = {place: child for place, child in self.journal.redriven.items() if place not in running}
        waiting = sum(child.items for child in redriven.values())
        written = ended and items is not None and plan.destination is not None
        found: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": self._visit.execution.arn,
            "label": self.label,
            "status": status,
            "startDate": format_timestamp(self._started),
            **({"stopDate": format_timestamp(self._visit.execution.engine.clock.now())} if ended else {}),
            "maxConcurrency": plan.max_concurrency,
            "toleratedFailurePercentage": plan.tolerated.percentage or 0,
            "toleratedFailureCount": plan.tolerated.count or 0,
            "itemCounts": counts(
                self.journal.items, sum(running.values()), items or 0, written=written, redriven=waiting
            ),
            "executionCounts": counts(
                self.journal.children, len(running), self._total(plan, items), written=written, redriven=len(redriven)
            ),
            **self.journal.redrives.answer(),
            "transitions": self.journal.transitions,
        }
        if written and plan.destination:
            found["resultWriterDetails"] = self._details(plan.destination)
        return found

    def _total(self, plan: MapRunPlan, items: int | None) -> int:
        """Return how many children there are, those that did not start included."""
        if self._children is None:
            self._children = sum(self.journal.children.values())
            if sum(self.journal.items.values()) < (items or 0):
                with suppress(StatesError):  # an input that cannot be made is the last that is counted
                    for _ in plan.children.inputs(self.journal.ended):
                        self._children += 1
        return self._children


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of work that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a state that should not wait waited")


async def run_map(visit: Visit) -> Any:
    """Run a Distributed Map state, or go on with its Map Run where an interruption left it.

    Returns:
        The state's result.

    Raises:
        StatesError: ``States.ItemReaderFailed``, ``States.ExceedToleratedFailureThreshold``,
            ``States.ResultWriterFailed``, or that of a field that cannot be evaluated.
    """
    execution, trail = visit.execution, visit.trail
    if reads := "ItemReader" in visit.state:  # of items that are read nothing is known yet
        visit.start({"length": 0})
    plan = MapRunPlan.of(visit)
    if not reads:
        visit.start({"length": plan.children.total_items})
    path = visit.attempt_path
    run = await _begun(visit, path)
    if redriven := run.journal.redrives.count:
        trail.add("MapRunRedriven", "mapRunRedriven", {"mapRunArn": run.arn, "redriveCount": redriven})
    else:
        trail.add("MapRunStarted", "mapRunStarted", {"mapRunArn": run.arn})
    items = None
    try:
        items = plan.children.total_items
        execution.engine.running_map_runs[run.arn] = partial(run.description, "RUNNING", plan, items)
        execution.engine.observer(MapRunStarted(run.label, run.arn, items, sum(run.journal.items.values())))
        await run.run(plan)
        await _ended(visit, run.description("SUCCEEDED", plan, items), run.failed)
    except StatesError as failure:
        error = visit.report_failure(failure)
        await _ended(visit, run.description("FAILED", plan, items), run.failed, failure)
        trail.add("MapRunFailed", "mapRunFailed", error.details())
        raise error from failure
    except asyncio.CancelledError:
        if execution.engine.stop:
            await _aborted(visit, run, plan, items)
        raise
    finally:
        execution.engine.running_map_runs.pop(run.arn, None)
        await run.journal.close()
    trail.add("MapRunSucceeded")
    visit.succeed()
    return run.result(plan)


async def _begun(visit: Visit, path: str) -> MapRun:
    """Return the Map Run of an attempt: the one that it began already, which goes on, or another."""
    execution = visit.execution
    begun, redrive, now = execution.recorder.map_run(path), execution.redrives.count, execution.engine.clock.now()
    if begun is not None:
        run = MapRun(visit, begun["uuid"], begun["started"])
        if redrive <= max(begun["redrives"], run.journal.of):
            return run
        try:
            if run.arn not in execution.engine.map_runs_to_replace:
                await run.journal.redrive(redrive, now)
                return run
        except BaseException:  # it is cancelled
            await run.journal.close()
            raise
        await run.journal.close()
    begun = {"map": path, "uuid": str(uuid4()), "started": now, "redrives": redrive}
    await execution.recorder.append(begun)
    return MapRun(visit, begun["uuid"], now)


async def _aborted(visit: Visit, run: MapRun, plan: MapRunPlan, items: int | None) -> None:
    """A Map Run ends with its execution; its result files are written all the same."""
    with suppress(StatesError):
        if items is not None:
            await run.write_results(plan)
    await _ended(visit, run.description("ABORTED", plan, items), run.failed)


async def _ended(visit: Visit, run: dict[str, Any], failed: int, failure: StatesError | None = None) -> None:
    engine = visit.execution.engine
    engine.map_runs[run["mapRunArn"]] = run
    anew = run["status"] == "SUCCEEDED" or (failure is not None and needs_new_map_run(failure))
    await engine.log.append({"run": run, "anew": anew})
    engine.observer(MapRunEnded(run["label"], run["mapRunArn"], run["status"], run["itemCounts"]["total"], failed))
