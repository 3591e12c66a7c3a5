"""One child execution of a Map Run, from its start to the record of its end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.distributed_map.children import ChildInput
from genomics_pipeline.engine.distributed_map.map_run_journal import MapRunJournal
from genomics_pipeline.engine.events import ChildEnded, ChildStarted
from genomics_pipeline.engine.execution import Engine, Execution
from genomics_pipeline.engine.history import History
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.journal import JournalRecord
from genomics_pipeline.engine.redrive import NOT_REDRIVEN
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

_ABORTED = {"status": "ABORTED"}


@dataclass(frozen=True, slots=True)
class ChildRunner:
    """Starts children of one Map Run.

    Attributes:
        engine: What all executions share.
        processor: ``ItemProcessor``.
        machine: The children's state machine: ``NAME/LABEL``.
        label: The Map's label.
        express: Whether they are Express executions: their time is limited, their history is not.
        query_language: The document's.
        journal: The Map Run's journal.
        map_run: The Map Run's UUID, which children's names are made from: one that is started again keeps its name.
    """

    engine: Engine
    processor: Mapping[str, Any]
    machine: str
    label: str
    express: bool
    query_language: str
    journal: MapRunJournal
    map_run: str

    def start(self, given: ChildInput) -> Execution:
        """Return a child that is about to run; to start it is a transition."""
        engine, now = self.engine, self.engine.clock.now()
        name = f"{self.map_run[:24]}{given.place:012x}"  # the same after a crash, and no other child's
        engine.observer(ChildStarted(self.label, given.place, name, given.value))
        before = self.journal.redriven.get(given.place)
        again = before and not self.express  # an Express one is another execution of the same name
        return Execution(
            engine,
            self.machine,
            name,
            given.value,
            before.start if before and again else now,
            self.journal.recorder(given.place),
            History(engine.clock, limit=math.inf if self.express else quotas.HISTORY.value),
            self.query_language,
            self.label,
            given.place,
            (before.transitions if before else 0) + (0 if again else 1),  # to enter its state again is one
            before.redrives.next(now) if before and again else NOT_REDRIVEN,
        )

    async def run(self, child: Execution) -> JournalRecord:
        """Run a child to its end: how it ended, as its record says it."""
        trail = Trail(child.history)
        child.history.add("ExecutionStarted", 0)
        try:
            output = await run_machine(Frame(child, self.processor, trail), child.input, {})
        except StatesError as error:
            return {"status": "FAILED", "error": error.error, "cause": error.cause}
        return {"status": "SUCCEEDED", "output": compact(output)}

    async def run_within_limit(self, child: Execution) -> JournalRecord:
        """Run an Express child to its end, or to its time limit; see `outcome`."""
        deadline = asyncio.timeout(quotas.EXPRESS_SECONDS.value)
        try:
            async with deadline:
                return await self.run(child)
        except TimeoutError:
            if not deadline.expired():
                raise
            return {"status": "TIMED_OUT", "error": TIMEOUT, "cause": None}

    def record(self, child: Execution, items: int, outcome: JournalRecord) -> JournalRecord:
        """Return what the journal keeps of a child's end."""
        return {
            "end": child.index,
            "name": child.name,
            "input": compact(child.input),
            "start": child.started,
            "stop": self.engine.clock.now(),
            "items": items,
            "transitions": child.transitions,
            **({"redrives": child.redrives.count, "redriven": child.redrives.time} if child.redrives.count else {}),
            **outcome,
        }

    def aborted_record(self, child: Execution, items: int) -> JournalRecord:
        """Return the record of a child that was stopped with its Map Run."""
        return self.record(child, items, _ABORTED)

    async def save(self, ended: Sequence[tuple[Execution, JournalRecord]]) -> None:
        """Make the ends of children durable, count them, and tell the observer."""
        await self.journal.add([record for _, record in ended])
        for child, record in ended:
            self._tell(child, record)

    def _tell(self, child: Execution, record: JournalRecord) -> None:
        assert child.index is not None
        told = record["status"], record.get("error"), record.get("cause")
        self.engine.observer(ChildEnded(self.label, child.index, child.name, child.input, *told, record["items"]))
