"""The Distributed Map: a Map Run and its child executions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.distributed_map.ends import Ends
from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.item_reader import ItemReader
from genomics_pipeline.engine.distributed_map.result_writer import Destination, Row, compact, ended_row, pending_row
from genomics_pipeline.engine.errors import THRESHOLD_EXCEEDED, StatesError
from genomics_pipeline.engine.events import ChildEnded, ChildStarted, MapRunEnded, MapRunStarted
from genomics_pipeline.engine.execution import ARN, Execution
from genomics_pipeline.engine.interpreter import Frame, crew, map_items, run_machine, select, whole
from genomics_pipeline.engine.visit import Visit

WINDOW = 1000  # children at once where MaxConcurrency sets no limit: what is in flight is in memory
_EXCEEDED = "The specified tolerated failure threshold was exceeded"
_Child = tuple[int, Any, int]  # index, input, items


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many items may fail; with neither limit, none may."""

    count: int | None
    percentage: float | None

    @classmethod
    def of(cls, visit: Visit) -> Tolerance:
        """The tolerance of a Map state."""
        state = visit.state
        return cls(visit.field(state, "ToleratedFailureCount"), visit.field(state, "ToleratedFailurePercentage"))

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether so many failed items of so many are too many.

        >>> Tolerance(None, 50).exceeded(1, 2), Tolerance(None, 50).exceeded(2, 3), Tolerance(None, None).exceeded(1, 9)
        (False, True, True)
        """
        if self.count is None and self.percentage is None:
            return failed > 0
        over_count = self.count is not None and failed > self.count
        return over_count or (self.percentage is not None and failed * 100 > self.percentage * total)


class MapRun:
    """One Map Run at work."""

    def __init__(self, visit: Visit, uuid: str, ends: Ends) -> None:
        state, execution = visit.state, visit.execution
        self.visit = visit
        self.uuid = uuid
        self.ends = ends
        self.label: str = state.get("Label", visit.name)
        self.machine = f"{execution.machine}/{self.label}"
        self.arn = f"{ARN}:mapRun:{self.machine}:{uuid}"
        self.tolerance = Tolerance.of(visit)
        self.destination = Destination.of(visit)
        self._reader = ItemReader.of(visit) if "ItemReader" in state else None
        self._batcher = ItemBatcher.of(visit) if "ItemBatcher" in state else None
        self._limit = visit.field(state, "MaxConcurrency") or WINDOW
        self.total = sum(1 for _ in self._items())
        self._aborting = False

    def _items(self) -> Iterator[dict[str, Any]]:
        return self._reader.items() if self._reader else map_items(self.visit)

    def _children(self) -> Iterator[_Child]:
        """The children that have not ended."""
        if self._batcher is None:
            for item in self._items():
                if not self.ends.ended(item["Index"]):
                    yield item["Index"], select(self.visit, item, item["Value"]), 1
            return
        selected = (select(self.visit, item, item["Value"]) for item in self._items())
        for index, (value, items) in enumerate(self._batcher.batches(selected)):
            if not self.ends.ended(index):
                yield index, value, items

    @property
    def failed(self) -> int:
        """How many items failed; those that were aborted apart."""
        return self.ends.items["FAILED"]

    async def run(self) -> bool:
        """Run the children that have not ended; false when too many items failed."""
        children = self._children()

        async def worker() -> None:
            for index, value, items in children:
                await self._child(index, value, items)
                if self.tolerance.exceeded(self.failed, self.total):
                    self._aborting = True
                    raise StatesError(THRESHOLD_EXCEEDED, _EXCEEDED)

        if self.tolerance.exceeded(self.failed, self.total):
            return False
        try:
            await crew(worker, min(self._limit, self.total))
        except StatesError:
            if not self._aborting:
                raise
            return False
        return True

    async def _child(self, index: int, value: Any, items: int) -> None:
        engine = self.visit.execution.engine
        child = Execution(
            engine,
            self.machine,
            str(uuid4()),
            value,
            engine.clock.now(),
            self.ends.recorder(index),
            self.label,
            index,
            1,
        )
        engine.observer(ChildStarted(self.label, index, child.name, value))
        processor = self.visit.state["ItemProcessor"]
        try:
            output = await run_machine(Frame(child, processor), value, {})
            outcome = {"status": "SUCCEEDED", "output": compact(output)}
        except StatesError as error:
            outcome = {"status": "FAILED", "error": error.error, "cause": error.cause}
        except asyncio.CancelledError:
            if self._aborting:
                await whole(self._ended(child, items, {"status": "ABORTED"}))
            raise
        await whole(self._ended(child, items, outcome))

    async def _ended(self, child: Execution, items: int, outcome: Mapping[str, str]) -> None:
        engine = child.engine
        await self.ends.add(
            {
                "end": child.index,
                "name": child.name,
                "input": compact(child.input),
                "start": child.started,
                "stop": engine.clock.now(),
                "items": items,
                "transitions": child.transitions,
                **outcome,
            }
        )
        assert child.index is not None
        told = outcome["status"], outcome.get("error"), outcome.get("cause")
        engine.observer(ChildEnded(self.label, child.index, child.name, child.input, *told, items))

    def write(self) -> None:
        """Write the result files, if any are wanted."""
        if self.destination:
            folder = self.visit.execution.engine.folder
            self.destination.write(self.arn, self.uuid, self._rows(), folder)

    def _rows(self) -> Iterator[tuple[str, Row]]:
        for end in self.ends.in_order():
            yield ended_row(end, self.machine)
        for _, value, _ in self._children():
            yield pending_row(value)

    def result(self) -> Any:
        """The Map state's result."""
        if self.destination:
            return {"MapRunArn": self.arn, "ResultWriterDetails": self.destination.manifest(self.uuid)}
        return [json.loads(end["output"]) for end in self.ends.in_order() if end["status"] == "SUCCEEDED"]

    def description(self, status: str) -> dict[str, Any]:
        """The Map Run as `ExecutionResult.map_runs` tells it; counts as DescribeMapRun gives them."""
        total = sum(self.ends.children.values()) + sum(1 for _ in self._children()) if status == "FAILED" else None
        children = self.ends.children
        found = {
            "MapRunArn": self.arn,
            "Label": self.label,
            "Status": status,
            "ItemCounts": _counts(self.ends.items, self.total),
            "ExecutionCounts": _counts(children, total if total is not None else sum(children.values())),
            "Transitions": self.ends.transitions,
        }
        return found | ({"ResultWriterDetails": self.destination.manifest(self.uuid)} if self.destination else {})


def _counts(ended: Mapping[str, int], total: int) -> dict[str, int]:
    counts = {name: ended.get(status, 0) for name, status in _STATUSES.items()}
    return {"pending": total - sum(counts.values()), "running": 0, **counts, "total": total}


_STATUSES = {"succeeded": "SUCCEEDED", "failed": "FAILED", "timedOut": "TIMED_OUT", "aborted": "ABORTED"}


async def run_map(visit: Visit) -> Any:
    """Run a Distributed Map state, or go on with its Map Run where an interruption left it.

    Returns:
        The state's result.

    Raises:
        StatesError: ``States.ItemReaderFailed``, ``States.ExceedToleratedFailureThreshold``,
            ``States.ResultWriterFailed``, ``States.QueryEvaluationError``.
    """
    execution = visit.execution
    engine, path = execution.engine, f"{visit.path}.{visit.attempt}"
    begun = execution.recorder.map_run(path)
    uuid = begun["uuid"] if begun else str(uuid4())
    ends = Ends(engine.folder / f"{uuid}.jsonl")
    try:
        run = MapRun(visit, uuid, ends)
        if begun is None:
            await execution.recorder.append({"map": path, "uuid": uuid})
        engine.observer(MapRunStarted(run.label, run.arn, run.total, sum(ends.items.values())))
        within = await run.run()
        run.write()
        status = "SUCCEEDED" if within else "FAILED"
        description = run.description(status)
        engine.map_runs[run.arn] = description
        await execution.recorder.append({"run": description})
        engine.observer(MapRunEnded(run.label, run.arn, status, run.total, run.failed))
        if not within:
            raise StatesError(THRESHOLD_EXCEEDED, _EXCEEDED)
        return run.result()
    finally:
        await ends.close()
